// Live demos on a page without a kernel: the stage shows states computed beforehand (see recording.py). `stage`,
// `moments` (the widgets' own render functions) and `ENGINES` (what computes in the page) stand before this text.

const HOME = document.currentScript.src.replace(/[^/]*$/, ""); // recordings lie beside this script
const NEEDS = "needs a kernel";
const SIZES = { u1: 1, i2: 2, f4: 4 };
const HOLE = -32768; // NaN among 16-bit numbers

const node = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) if (value !== false) made.setAttribute(key, value === true ? "" : value);
  made.append(...children);
  return made;
};

// ---------------------------------------------------------------- the file
async function inflated(base64) {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** One array: bytes in planes, each row the difference to the row before, whole numbers with scale and offset. */
function unpacked([kind, shape, scale, offset], planes) {
  const size = SIZES[kind], count = planes.length / size, bytes = new Uint8Array(planes.length);
  for (let i = 0; i < count; i++) for (let p = 0; p < size; p++) bytes[i * size + p] = planes[p * count + i];
  if (kind === "f4") return { shape, data: new Float32Array(bytes.buffer) };
  const whole = kind === "u1" ? bytes : new Int16Array(bytes.buffer), row = count / (shape[0] || 1);
  for (let i = row; i < count; i++) whole[i] += whole[i - row];
  return { shape, data: Float32Array.from(whole, (v) => (kind === "i2" && v === HOLE ? NaN : offset + scale * v)) };
}

/** What Packer.finish was given; an array is unpacked when it is first asked for. */
async function read(base64) {
  const data = await inflated(base64), length = new DataView(data.buffer).getUint32(0, true);
  const content = JSON.parse(new TextDecoder().decode(data.subarray(4, 4 + length)));
  let start = 4 + length;
  const places = content.arrays.map(([kind, shape]) => [start, (start += SIZES[kind] * shape.reduce((a, b) => a * b, 1))]);
  const kept = [];
  const fill = (value) => {
    if (Array.isArray(value)) return value.map(fill);
    if (!value || typeof value !== "object") return value;
    if ("$" in value) return (kept[value.$] ||= unpacked(content.arrays[value.$], data.slice(...places[value.$])));
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, fill(part)]));
  };
  return { ...content, fill };
}

/** What anywidget gives a widget's render function, without a kernel behind it. */
function plainModel(values) {
  const heard = new Map();
  const model = {
    get: (key) => values[key], on: (event, act) => heard.set(event, act), off: (event) => heard.delete(event), save_changes() {},
    set: (key, value) => { values[key] = value; heard.get(`change:${key}`)?.(); },
  };
  return model;
}

// ---------------------------------------------------------------- the page's colours
/** Give the stage the colours of what is behind it, now and whenever the page changes its theme. */
function followTheme(root, redraw) {
  const apply = () => {
    let behind = root.parentElement, back = "";
    for (; behind && (!back || /^transparent|, 0\)$/.test(back)); behind = behind.parentElement) back = getComputedStyle(behind).backgroundColor;
    root.style.setProperty("--jp-layout-color0", !back || /^transparent|, 0\)$/.test(back) ? "canvas" : back);
    root.style.setProperty("--jp-content-font-color0", getComputedStyle(root.parentElement).color);
    redraw();
  };
  const later = () => setTimeout(apply, 60); // after a transition has begun, colours are still the old ones
  for (const place of [document.documentElement, document.body]) {
    new MutationObserver(later).observe(place, { attributes: true, attributeFilter: ["class", "style", "data-theme", "data-mode"] });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", later);
  apply();
}

// ---------------------------------------------------------------- one demo
let count = 0;

/** A labelled control; `input` hears of the place among its stops. */
function dial(control, stops, at, input) {
  const id = `pose-dial-${count++}`, off = !input;
  const label = node("label", { for: id }, control.label, ...(off ? [node("small", {}, NEEDS)] : []));
  if (control.kind === "choice" || off && stops.length === 1 && control.kind !== "slider") {
    const select = node("select", { id, disabled: off }, ...stops.map((text, i) => node("option", { value: i, selected: i === at }, text)));
    select.addEventListener("input", () => input(Number(select.value)));
    select.addEventListener("keydown", (e) => e.stopPropagation());
    return node("div", { class: "pose-dial" }, label, select);
  }
  const range = node("input", { id, type: "range", min: 0, max: off ? 1 : stops.length - 1, step: off ? "any" : 1, disabled: off });
  const out = node("span", { class: "pose-said", "aria-hidden": "true" });
  range.value = at;
  const tell = () => { out.textContent = off ? stops[0] : stops[range.value]; range.setAttribute("aria-valuetext", out.textContent); };
  range.addEventListener("input", () => { tell(); input(Number(range.value)); });
  range.addEventListener("keydown", (e) => e.stopPropagation()); // a deck of slides would go on
  tell();
  return node("div", { class: "pose-dial" }, label, range, out);
}

function mount(place, recording) {
  const { scenes, states, fill, moving, controls, presets, strips } = recording;
  const model = plainModel({ state: {} });
  const live = node("div", { class: "pose-live", "data-prevent-swipe": true });
  const dials = node("div", { class: "pose-dials" }), buttons = node("div", { class: "pose-presets" });
  const rest = node("details", { class: "pose-rest" }, node("summary", {}, "more controls"));
  let scene = scenes[0], at = presets.find((preset) => preset.label === "reset").at;

  const show = () => {
    const number = at.reduce((sum, here, i) => sum * scene.stops[i].length + here, 0);
    model.set("state", fill(states[scene.first + number]));
  };
  const build = () => {
    dials.replaceChildren();
    rest.replaceChildren(rest.firstChild);
    const strip = [];
    for (const control of controls) {
      const mover = moving.indexOf(control.name);
      if (control.kind === "moments") { strip.push(control); continue; }
      const own = mover >= 0
        ? dial(control, scene.stops[mover], at[mover], (value) => { at = at.with(mover, value); show(); })
        : dial(control, [scene.others[control.name][0]], scene.others[control.name][1]);
      (control.folded && mover < 0 ? rest : dials).append(own);
    }
    for (const control of strip) {
      const box = node("div", { class: "pose-strip", inert: true });
      const shown = plainModel({ recording: fill(strips[control.name]), value: scene.others[control.name], description: `${control.label} (${NEEDS})` });
      moments({ model: shown, el: box });
      dials.append(box);
    }
  };
  for (const preset of presets) {
    const button = node("button", { type: "button", class: "pose-button" }, preset.label);
    button.addEventListener("click", () => { [scene, at] = [scenes[preset.scene], preset.at]; build(); show(); });
    buttons.append(button);
  }
  build();
  live.append(...(recording.title ? [node("p", { class: "pose-name" }, recording.title)] : []), dials);
  if (controls.some((control) => control.folded && !moving.includes(control.name))) live.append(rest);
  live.append(buttons);
  place.append(live);
  stage({ model, el: live });
  followTheme(live, show);
  place.classList.add("pose-moves");
}

// ---------------------------------------------------------------- the page
function script(address) {
  return new Promise((resolve, reject) => {
    const made = node("script", { src: HOME + address });
    made.onload = resolve;
    made.onerror = () => reject(new Error(`${address} is not there`));
    document.head.append(made);
  });
}

async function start(place) {
  const name = place.dataset.demo;
  await script(`${name}.js`);
  const recording = await read(window.COURSE_DEMOS[name]);
  delete window.COURSE_DEMOS[name]; // the text has served
  mount(place, recording);
}

const near = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) if (isIntersecting) {
    near.unobserve(target);
    start(target).catch((problem) => console.warn(`The demo ${target.dataset.demo} stays a picture: ${problem.message}`));
  }
}, { rootMargin: "600px" });

const begin = () => { for (const place of document.querySelectorAll("[data-demo]")) near.observe(place); };
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
else begin();
