// The moments of a recording (see moments.py): its clips along a strip, each with one pose; a click takes a moment or
// gives it back. The kernel hears of the choice alone; where the cursor stands is the page's own.

const NEAR = 4; // CSS pixels within which a click means a mark that is there

function render({ model, el }) {
  const { poses, names, fps, most, aspect, bones } = decode(model.get("recording"));
  const count = poses.shape[0], length = count / names.length;
  const root = element("div", "pose-stage pose-moments", el), head = element("div", "pose-caption", root);
  root.setAttribute("data-lm-suppress-shortcuts", "true");
  const said = element("span", "pose-values", head), hint = element("span", "pose-remark", head);
  const clear = element("button", "pose-button", head, "clear all");
  clear.type = "button";
  const canvas = element("canvas", "pose-canvas", root);
  canvas.tabIndex = 0;
  for (const [name, text] of Object.entries({ role: "slider", "aria-valuemin": 1, "aria-valuemax": count })) canvas.setAttribute(name, text);
  let cursor = Math.floor(length / 2), over = false, queued = 0;

  const chosen = () => model.get("value");
  const place = (moment, w) => ((moment + 0.5) / count) * w;
  const redraw = () => { queued ||= requestAnimationFrame(paint); };

  function tell(text) { // where the cursor is and what a click would do there
    const clip = Math.floor(cursor / length), frame = cursor % length, marked = chosen().includes(cursor);
    const where = `${names[clip]}, frame ${frame + 1} of ${length}, ${(frame / fps).toFixed(2)} s`;
    write(said, `${model.get("description")}: ${chosen().length || "none"}`);
    write(hint, text || (over ? `${where}: ${marked ? "chosen" : "not chosen"}` : "click a moment, or press arrow keys and space"));
    canvas.setAttribute("aria-label", `${model.get("description")}: arrow keys move, space chooses or gives back`);
    canvas.setAttribute("aria-valuenow", cursor + 1);
    canvas.setAttribute("aria-valuetext", `${where}, ${marked ? "chosen" : "not chosen"}, ${chosen().length} chosen in all`);
    clear.disabled = !chosen().length;
  }

  function paint() {
    queued = 0;
    const sheet = root.isConnected && blank(canvas);
    if (!sheet) return;
    const [g, w, h] = sheet, theme = themeOf(root), rail = h - 15, wide = w / names.length;
    const marks = chosen(), size = Math.min(rail / 2, wide / 2 / aspect) - 4, accent = css(theme.colour("#0072B2"));
    names.forEach((_, clip) => {
      const mine = marks.filter((moment) => Math.floor(moment / length) === clip);
      const here = over && Math.floor(cursor / length) === clip;
      const moment = here ? cursor : mine.length ? mine[0] : Math.floor((clip + 0.5) * length);
      const skeleton = { colour: here || mine.length ? "ink" : "grey", width: 1.6, dash: "solid", points: poses };
      if (here) { g.fillStyle = css(theme.text, 0.1); g.fillRect(clip * wide, 0, wide, rail); }
      const middle = (clip + 0.5) * wide;
      drawSkeletons(g, theme, { bones }, [skeleton], (_, joint) => {
        const at = 2 * (moment * poses.shape[1] + joint);
        return [middle + size * poses.data[at], rail / 2 + size * poses.data[at + 1], 0];
      });
    });
    g.strokeStyle = theme.grid; g.lineWidth = 1; g.setLineDash([]); g.beginPath();
    for (let clip = 0; clip <= names.length; clip++) { g.moveTo(clip * wide, 0); g.lineTo(clip * wide, h); }
    g.moveTo(0, rail); g.lineTo(w, rail);
    g.stroke();
    g.fillStyle = accent; g.strokeStyle = css(theme.back); g.lineWidth = 1;
    for (const moment of marks) {
      const x = place(moment, w);
      g.beginPath(); g.moveTo(x, rail + 1); g.lineTo(x + 4.5, rail + 13); g.lineTo(x - 4.5, rail + 13); g.closePath(); g.fill(); g.stroke();
    }
    if (over) {
      g.strokeStyle = css(theme.text); g.lineWidth = 1.5; g.beginPath(); g.moveTo(place(cursor, w), rail - 6); g.lineTo(place(cursor, w), h); g.stroke();
    }
  }

  function set(value) {
    model.set("value", value);
    model.save_changes();
  }
  function toggle() {
    const before = chosen();
    if (before.includes(cursor)) set(before.filter((moment) => moment !== cursor));
    else if (before.length >= most) tell(`${most} at most: give one back first`);
    else set([...before, cursor].sort((a, b) => a - b));
  }
  function go(moment) {
    [cursor, over] = [clamp(moment, 0, count - 1), true];
    tell();
    redraw();
  }
  function point(e) { // the moment under the pointer; a mark that is near draws it on
    const box = canvas.getBoundingClientRect(), x = e.clientX - box.left;
    const off = (moment) => Math.abs(place(moment, box.width) - x);
    const [mark] = [...chosen()].sort((a, b) => off(a) - off(b));
    go(mark !== undefined && off(mark) <= NEAR ? mark : Math.floor((x / box.width) * count));
  }
  canvas.addEventListener("pointermove", point);
  canvas.addEventListener("click", (e) => { point(e); toggle(); });
  const leave = () => { over = document.activeElement === canvas && canvas.matches(":focus-visible"); tell(); redraw(); };
  for (const [event, act] of Object.entries({ pointerleave: leave, blur: leave, focus: leave })) canvas.addEventListener(event, act);
  canvas.addEventListener("keydown", (e) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: length, ArrowDown: -length, PageUp: length, PageDown: -length, Home: -count, End: count };
    const chooses = e.key === " " || e.key === "Enter";
    if (!chooses && !(e.key in steps)) return;
    e.preventDefault(); e.stopPropagation();
    go(cursor + (steps[e.key] || 0));
    if (chooses) toggle();
  });
  clear.addEventListener("click", () => set([]));

  const update = () => { tell(); redraw(); };
  const watcher = watchPage(redraw);
  watcher.observe(canvas);
  model.on("change:value", update);
  update();
  return () => { model.off("change:value", update); watcher.stop(); if (queued) cancelAnimationFrame(queued); };
}

export default { render };
