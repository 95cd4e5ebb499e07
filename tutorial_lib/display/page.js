// Live demos on a page without a kernel: the stage shows states computed beforehand (see recording.py). `stage`,
// `moments` (the widgets' own render functions) and `adapting` (what computes in the page) stand before this text.

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
const fromBase64 = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

async function inflated(base64) {
  const stream = new Blob([fromBase64(base64)]).stream().pipeThrough(new DecompressionStream("gzip"));
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
  const heard = [];
  return {
    get: (key) => values[key], on: (event, act) => heard.push([event, act]), off() {}, save_changes() {},
    set: (key, value) => { values[key] = value; for (const [event, act] of heard) if (event === `change:${key}`) act(); },
  };
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
  const { scenes, states, fill, moving, controls, presets, strips, live } = recording;
  const model = plainModel({ state: {} });
  const root = node("div", { class: "pose-live", "data-prevent-swipe": true });
  const dials = node("div", { class: "pose-dials" }), buttons = node("div", { class: "pose-presets" });
  const rest = node("details", { class: "pose-rest" }, node("summary", {}, "more controls"));
  let scene = scenes[0], at = presets.find((preset) => preset.label === "reset").at;
  let engine = null, places = null; // where the page computes: what does, and every control's place among its stops

  const number = (place) => place.reduce((sum, here, i) => sum * scene.stops[i].length + here, 0);
  const show = () => {
    if (engine) return compute();
    model.set("state", pullable(fill(states[scene.first + number(at)])));
  };
  // A handle that is pulled goes to the recorded state in which it lies nearest: what it means is not known here.
  const lies = (state, name) => state.panes.flatMap((pane) => pane.handles || []).find((handle) => handle.name === name)?.at;
  const grid = () => scene.stops.reduce((all, stops) => all.flatMap((place) => stops.map((_, i) => [...place, i])), [[]]);
  const lying = new Map(); // of a scene: for each handle, where it lies in every state, or null if it never moves
  const where = (name) => {
    const key = `${scene.first} ${name}`;
    if (!lying.has(key)) {
      const found = grid().map((place) => [place, lies(fill(states[scene.first + number(place)]), name)]).filter(([, spot]) => spot);
      const moves = found.some(([, spot]) => String(spot) !== String(found[0][1]));
      lying.set(key, moves ? found : null);
    }
    return lying.get(key);
  };
  const pullable = (state) => ({ ...state, panes: state.panes.map((pane) => pane.handles ? { ...pane, handles: pane.handles.filter(({ name }) => !engine && where(name)) } : pane) });
  const pull = ({ name, at: spot }) => {
    const off = ([, known]) => Math.hypot(...known.map((value, i) => value - spot[i]));
    at = where(name).reduce((best, next) => (off(next) < off(best) ? next : best))[0];
    build();
    show();
  };
  const build = () => {
    dials.replaceChildren();
    rest.replaceChildren(rest.firstChild);
    const strip = [];
    for (const control of controls) {
      const mover = moving.indexOf(control.name), { name } = control;
      if (control.kind === "moments") { strip.push(control); continue; }
      const own = engine ? dial(control, live.stops[name].map(([text]) => text), places[name], (value) => { places[name] = value; show(); })
        : mover >= 0
        ? dial(control, scene.stops[mover], at[mover], (value) => { at = at.with(mover, value); show(); })
        : dial(control, [scene.others[control.name][0]], scene.others[control.name][1]);
      (control.folded && (engine || mover < 0) ? rest : dials).append(own);
    }
    for (const control of strip) {
      const { name, label } = control, box = node("div", { class: "pose-strip", inert: !engine });
      const shown = plainModel({ recording: fill(strips[name]), value: engine ? places[name] : scene.others[name], description: engine ? label : `${label} (${NEEDS})` });
      if (engine) shown.on("change:value", () => { places[name] = shown.get("value"); show(); });
      moments({ model: shown, el: box });
      dials.append(box);
    }
  };
  const press = (offered) => buttons.replaceChildren(...offered.map((preset) => {
    const button = node("button", { type: "button", class: "pose-button" }, preset.label);
    button.addEventListener("click", () => {
      if (engine) places = { ...places, ...live.presets[preset.label] };
      else [scene, at] = [scenes[preset.scene], preset.at];
      build();
      show();
    });
    return button;
  }));
  press(presets);
  build();
  root.append(...(recording.title ? [node("p", { class: "pose-name" }, recording.title)] : []), dials);
  if (controls.some((control) => control.folded && !moving.includes(control.name))) root.append(rest);
  root.append(buttons);
  place.append(root);
  model.on("change:grabbed", () => pull(model.get("grabbed")));
  stage({ model, el: root });
  followTheme(root, () => model.set("state", model.get("state")));
  show();
  place.classList.add("pose-moves");

  // every move computed in the page: the latest one, and one at a time
  let busy = false, moves = 0;
  const text = ({ name, kind }) => kind === "moments" ? String(places[name].length || "none") : live.stops[name][places[name]][0];
  async function compute() {
    moves++;
    if (busy) return;
    busy = true;
    for (let drawn = -1; drawn !== moves;) {
      drawn = moves;
      const caption = (all) => controls.filter((control) => all || !control.folded).map((control) => `${control.label} ${text(control)}`).join(", ");
      const values = Object.fromEntries(controls.map(({ name, kind }) => [name, kind === "moments" ? places[name] : live.stops[name][places[name]][1]]));
      const said = { caption: caption(false), error: "" }, where = caption(true);
      const draw = (state, took, whole) => {
        const timing = `computed in ${took.toFixed(0)} ms in this page${whole ? "" : ", from some of the frames until it rests"}`;
        model.set("state", pullable({ ...state, ...said, timing }));
        root.dispatchEvent(new CustomEvent("drawn", { detail: { values, whole, took, state: model.get("state") }, bubbles: true }));
      };
      try { await engine(values, draw, () => drawn !== moves); }
      catch (problem) { model.set("state", { ...model.get("state"), error: `${problem.message} (at ${where})` }); }
    }
    busy = false;
  }
  return async (ready) => { // from now on
    const started = await ready(fill(states[scenes[0].first + presets.find(({ label }) => label === "reset").at.reduce((sum, here, i) => sum * scenes[0].stops[i].length + here, 0)]));
    await started(Object.fromEntries(Object.entries(live.first).map(([name, i]) => [name, Array.isArray(i) ? i : live.stops[name][i][1]])), () => {}, () => true);
    [engine, places] = [started, { ...live.first }];
    press(Object.keys(live.presets).map((label) => ({ label }))); // also those that were not recorded
    build();
    show();
  };
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
  const takeOver = mount(place, recording);
  if (!recording.live || !COMPUTES) return;
  try {
    const [ort] = await Promise.all([runtime(), script(`${name}.net.js`)]);
    const { fill, ...net } = await read(window.COURSE_DEMOS[`${name}.net`]);
    delete window.COURSE_DEMOS[`${name}.net`];
    await takeOver((begun) => adapting(fill(net), ort, begun, fromBase64));
  } catch (problem) {
    console.warn(`The demo ${name} shows what was recorded: ${problem.message}`);
  }
}

let started = null;

/** onnxruntime-web, WebAssembly, one thread; it comes in as a script, once. */
function runtime() {
  return (started ||= script("ort.js").then(async () => {
    const { glue, wasm } = window.COURSE_ORT;
    const ort = await import(URL.createObjectURL(new Blob([fromBase64(glue)], { type: "text/javascript" })));
    Object.assign(ort.env.wasm, { numThreads: 1, wasmBinary: (await inflated(wasm)).buffer });
    ort.env.logLevel = "error";
    return ort;
  }));
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
