// What a picture lets one take hold of, and what it says of itself: handles that mouse, finger and arrow keys move alike,
// and tips that name what lies under the pointer. It stands between drawing.js and a widget's own file (see stage.script).

const REACH = 14; // CSS pixels from the pointer to what a tip names
const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Where a handle comes to lie when the pointer is at (px, py) of the pane: a place in the pane's own units. */
function pulled(pane, spec, at, px, py) {
  if (pane.kind !== "scene") return pane.view.from(px, py).map((value, i) => (spec.axis && spec.axis !== "xy"[i] ? at[i] : value));
  const moved = (t) => at.map((value, i) => value + t * spec.along[i]); // in space it runs along a line
  const [a, b] = [pane.view.to(at), pane.view.to(moved(0.01))], way = [b[0] - a[0], b[1] - a[1]];
  const length = way[0] ** 2 + way[1] ** 2;
  if (length < 0.01) return at; // the line points at the viewer: turn the view first
  return moved((0.01 * ((px - a[0]) * way[0] + (py - a[1]) * way[1])) / length);
}

/** The place that a press of an arrow key leads to: two pixels further, ten with shift. */
function nudged(pane, spec, at, key, far) {
  const [px, py] = pane.view.to(at), [dx, dy] = DIRECTIONS[key], step = far ? 10 : 2;
  return pulled(pane, spec, at, px + dx * step, py + dy * step);
}

function makeHandle(pane, send) {
  const node = element("button", "pose-handle", pane.sheet);
  node.type = "button";
  const lie = (at) => {
    const [x, y] = pane.view.to(at);
    node.at = at;
    node.style.transform = `translate(${x}px, ${y}px)`;
  };
  const tell = (at) => { lie(at); send(node.spec.name, at); };
  const place = (e) => { const box = pane.canvas.getBoundingClientRect(); return [e.clientX - box.left, e.clientY - box.top]; };
  node.addEventListener("pointerdown", (e) => {
    if (e.button !== 0) return;
    node.setPointerCapture(e.pointerId);
    const [x, y] = pane.view.to(node.at), [px, py] = place(e);
    node.held = [x - px, y - py]; // it is taken where it was touched, and does not jump under the finger
  });
  node.addEventListener("pointermove", (e) => {
    if (!node.held) return;
    const [px, py] = place(e);
    tell(pulled(pane, node.spec, node.at, px + node.held[0], py + node.held[1]));
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
    node.addEventListener(end, () => { if (node.held) { node.held = null; lie(node.spec.at); } });
  }
  node.addEventListener("keydown", (e) => {
    if (!(e.key in DIRECTIONS)) return;
    e.preventDefault(); e.stopPropagation();
    tell(nudged(pane, node.spec, node.at, e.key, e.shiftKey));
  });
  node.addEventListener("blur", () => lie(node.spec.at));
  node.settle = () => { // keys add up until the slider, whose steps may be wide, takes one
    const moved = node.told !== String(node.spec.at);
    node.told = String(node.spec.at);
    lie(node.held || (!moved && document.activeElement === node) ? node.at : node.spec.at);
  };
  return node;
}

/** Lay the pane's handles where the picture has them; one that is held stays under the hand. */
function layHandles(pane, specs, theme, send) {
  while (pane.handles.length > specs.length) pane.handles.pop().remove();
  specs.forEach((spec, i) => {
    pane.handles[i] ||= makeHandle(pane, send);
    const node = pane.handles[i], where = spec.at.map((v) => minus(v.toFixed(2))).join(", ");
    node.spec = spec;
    node.style.color = css(theme.colour(spec.colour));
    node.title = `${spec.name}: drag it`;
    const label = `${spec.name} at ${where}: drag, or press the arrow keys`;
    if (node.getAttribute("aria-label") !== label) node.setAttribute("aria-label", label);
    node.settle();
  });
}

/** A tip that names the nearest of `pane.view.hits`, [x, y, text] each, while the pointer is over the canvas. */
function tellTips(pane) {
  const { canvas, view } = pane, tip = element("div", "pose-tip", pane.sheet);
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true");
  const hide = () => { tip.hidden = true; };
  canvas.addEventListener("pointermove", (e) => {
    const box = canvas.getBoundingClientRect(), x = e.clientX - box.left, y = e.clientY - box.top;
    let best = null, least = REACH;
    for (const hit of view.grab ? [] : view.hits) {
      const off = Math.hypot(hit[0] - x, hit[1] - y);
      if (off < least) [best, least] = [hit, off];
    }
    if (!best) return hide();
    write(tip, best[2]);
    tip.hidden = false;
    const left = best[0] > box.width / 2 ? best[0] - tip.offsetWidth - 12 : best[0] + 12;
    tip.style.transform = `translate(${clamp(left, 0, Math.max(0, box.width - tip.offsetWidth))}px, ${clamp(best[1] - 30, 0, box.height)}px)`;
  });
  for (const end of ["pointerleave", "pointerdown"]) canvas.addEventListener(end, hide);
}
