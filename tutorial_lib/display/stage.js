// The stage draws one synced `state` (see stage.py) as a row of panes on 2D canvases: no dependency, no
// network, no WebGL (a browser keeps only 16 WebGL contexts). One state message = one redraw.
// Rotation, zoom and playback live here, in each view, and never travel to the kernel.

const LOOPS = 4; // playback stops by itself
const AXES = { z: [[0, 1], [1, 1], [2, 1]], y: [[0, 1], [2, -1], [1, 1]], "-y": [[0, 1], [2, 1], [1, -1]] };

/** "Nice" tick positions inside [lo, hi]. */
function ticks(lo, hi, count) {
  const raw = (hi - lo) / count, base = 10 ** Math.floor(Math.log10(raw));
  const step = base * [1, 2, 2.5, 5, 10].find((m) => m * base >= raw * 0.999);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9) + (Math.abs(step / base - 2.5) < 1e-9 ? 1 : 0));
  const out = [];
  for (let i = Math.ceil(lo / step - 1e-9); i * step <= hi + step * 1e-6; i++) out.push([i * step, minus((i * step).toFixed(digits))]);
  return out;
}

const frames = (array) => array.shape[0];
const at = (array, frame) => Math.min(frame, frames(array) - 1);
const point = (array, frame, joint) => {
  const dims = array.shape[2], start = (at(array, frame) * array.shape[1] + joint) * dims;
  return array.data.subarray(start, start + dims);
};

// ---------------------------------------------------------------- pane kind "scene"
/** Fixed camera: the scale depends on the extent, the pane's size and the zoom, never on the skeletons. */
function lens(pane, view, w, h) {
  const axes = AXES[pane.up];
  const mid = pane.extent.map(([lo, hi]) => (lo + hi) / 2), half = axes.map(([i]) => (pane.extent[i][1] - pane.extent[i][0]) / 2);
  const flat = 1.15 * Math.max(half[0], half[1]), tilt = (Math.max(12, pane.view[1]) * Math.PI) / 180;
  const high = half[2] * Math.cos(tilt) + flat * Math.sin(tilt);
  const scale = view.zoom * Math.min((w - 24) / (2 * flat), (h - 24) / (2 * high));
  const [a, e] = [(view.azimuth * Math.PI) / 180, (view.elevation * Math.PI) / 180];
  const [ca, sa, ce, se] = [Math.cos(a), Math.sin(a), Math.cos(e), Math.sin(e)], far = 7 * Math.max(flat, half[2]);
  const inner = (p) => axes.map(([i, sign]) => sign * (p[i] - mid[i]));
  const project = ([x, y, z]) => {
    const right = x * ca + y * sa, away = y * ca - x * sa;
    const depth = away * ce - z * se, up = z * ce + away * se, near = scale / (1 + depth / far);
    return [w / 2 + right * near, h / 2 - up * near, depth];
  };
  const turn = (i) => { // screen direction of world axis i, length at most 1
    const v = axes.map(([k, sign]) => (k === i ? sign : 0));
    return [v[0] * ca + v[1] * sa, -(v[2] * ce + (v[1] * ca - v[0] * sa) * se)];
  };
  return { half, project, inner, turn, scale };
}

/** Where x, y and z point, in the bottom left corner. */
function drawAxes(g, h, theme, directions) {
  const [x, y] = [38, h - 38];
  g.font = `600 ${14 * theme.size}px ${theme.font}`; g.textAlign = "center"; g.textBaseline = "middle"; g.lineWidth = 2;
  g.strokeStyle = g.fillStyle = theme.soft;
  directions.forEach(([dx, dy], i) => {
    g.beginPath(); g.moveTo(x, y); g.lineTo(x + 24 * dx, y + 24 * dy); g.stroke();
    const length = Math.hypot(dx, dy) || 1;
    g.fillText("xyz"[i], x + dx * (24 + 9 / length), y + dy * (24 + 9 / length));
  });
}

function drawScene(g, w, h, pane, view, theme, state) {
  const { half, project, inner, turn, scale } = lens(pane, view, w, h);
  const line = (a, b) => { const [p, q] = [project(a), project(b)]; g.moveTo(p[0], p[1]); g.lineTo(q[0], q[1]); };
  const [hx, hy, floor] = [half[0], half[1], -half[2]];
  g.lineWidth = 1; g.strokeStyle = theme.grid; g.beginPath();
  for (let x = -hx; x <= hx + 1e-6; x += pane.grid) line([x, -hy, floor], [x, hy, floor]);
  for (let y = -hy; y <= hy + 1e-6; y += pane.grid) line([-hx, y, floor], [hx, y, floor]);
  g.stroke();
  // shadows on the floor: the cheapest cue for where a foot stands
  g.strokeStyle = css(theme.text, 0.13); g.lineWidth = 4; g.lineCap = "round"; g.beginPath();
  for (const s of pane.skeletons) for (const [parent, child] of state.bones) {
    const [a, b] = [parent, child].map((j) => inner(point(s.points, view.frame, j)));
    line([a[0], a[1], floor], [b[0], b[1], floor]);
  }
  g.stroke(); g.lineCap = "butt";
  drawMeshes(g, theme, pane.meshes || [], view.frame, inner, project, floor, scale);
  view.to = (p) => project(inner(p));
  const metres = (p) => `${Array.from(p, (v) => minus(v.toFixed(2))).join(", ")} m`;
  drawSkeletons(g, theme, state, pane.skeletons, (s, j) => {
    const p = point(s.points, view.frame, j), place = project(inner(p));
    view.hits.push([place[0], place[1], `${s.name}, ${state.joints[j]}: ${metres(p)}`]);
    return place;
  });
  drawAxes(g, h, theme, [0, 1, 2].map(turn));
  g.font = `${13 * theme.size}px ${theme.font}`; g.textAlign = "right"; g.fillStyle = theme.soft;
  g.fillText(`floor grid ${pane.grid} m`, w - 8, h - 12);
}

// ---------------------------------------------------------------- pane kind "image"
function drawImage(g, w, h, pane, view, theme, state, cache) {
  const tall = 1 / pane.aspect, room = 1 + pane.margin;
  const scale = Math.min((w - 4) / (2 * room), (h - 4) / (2 * tall * room));
  const X = (x) => w / 2 + x * scale, Y = (y) => h / 2 + y * scale;
  view.to = ([x, y]) => [X(x), Y(y)];
  view.from = (px, py) => [(px - w / 2) / scale, (py - h / 2) / scale];
  const hit = (name, p) => view.hits.push([X(p[0]), Y(p[1]), `${name}: ${minus(p[0].toFixed(2))}, ${minus(p[1].toFixed(2))}`]);
  const [left, top, wide, high] = [X(-1), Y(-tall), 2 * scale, 2 * tall * scale];
  if (pane.picture || pane.heat) {
    g.imageSmoothingEnabled = false;
    for (const key of ["picture", "heat"]) if (pane[key]) g.drawImage(raster(pane, key, theme, cache), left, top, wide, high);
  }
  g.strokeStyle = theme.soft; g.lineWidth = 1.5; g.setLineDash([]); g.strokeRect(left, top, wide, high);
  for (const item of pane.lines) {
    const [count, length] = item.points.shape, data = item.points.data;
    g.strokeStyle = css(theme.colour(item.colour)); g.lineWidth = item.width; g.setLineDash(DASH[item.dash]); g.beginPath();
    for (let i = 0; i < count; i++) for (let j = 0, pen = false; j < length; j++) {
      const x = data[2 * (i * length + j)], y = data[2 * (i * length + j) + 1];
      if (Number.isNaN(x + y)) { pen = false; continue; } // NaN lifts the pen
      if (pen) g.lineTo(X(x), Y(y)); else g.moveTo(X(x), Y(y));
      pen = true;
    }
    g.stroke();
  }
  for (const c of pane.circles) {
    g.strokeStyle = css(theme.colour(c.colour)); g.lineWidth = c.width; g.setLineDash(DASH[c.dash]);
    g.beginPath(); g.arc(X(c.centre[0]), Y(c.centre[1]), c.radius * scale, 0, 2 * Math.PI); g.stroke();
  }
  g.setLineDash([]);
  if (pane.cross) {
    const [x, y] = [X(pane.cross[0]), Y(pane.cross[1])];
    g.strokeStyle = theme.soft; g.lineWidth = 2; g.beginPath();
    g.moveTo(x - 9, y); g.lineTo(x + 9, y); g.moveTo(x, y - 9); g.lineTo(x, y + 9); g.stroke();
  }
  drawSkeletons(g, theme, state, pane.skeletons, (s, j) => {
    const p = point(s.points, view.frame, j);
    hit(`${s.name}, ${state.joints[j]}`, p);
    return [X(p[0]), Y(p[1]), 0];
  });
  for (const d of pane.dots) {
    const frame = at(d.points, view.frame), places = [];
    for (let j = 0; j < d.points.shape[1]; j++) {
      const p = point(d.points, frame, j);
      if (d.name) hit(d.name, p);
      places.push([X(p[0]), Y(p[1])]);
    }
    markers(g, theme, d, places, d.size);
  }
}

/** An array of cells as a small canvas: grey or RGB `picture`, or `heat` as opacity of one colour. */
function raster(pane, key, theme, cache) {
  const item = pane[key], stamp = `${key}${theme.dark}`;
  if (cache.get(item)?.stamp === stamp) return cache.get(item).canvas;
  const [rows, columns, channels = 1] = item.cells.shape, data = item.cells.data;
  const canvas = document.createElement("canvas"), g = canvas.getContext("2d");
  canvas.width = columns; canvas.height = rows;
  const image = g.createImageData(columns, rows), tint = key === "heat" ? theme.colour(item.colour) : null;
  const [lo, hi] = item.range;
  for (let i = 0; i < rows * columns; i++) {
    const level = (c) => clamp((data[i * channels + (channels > 1 ? c : 0)] - lo) / (hi - lo), 0, 1) * 255;
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = tint ? tint[c] : level(c);
    image.data[4 * i + 3] = tint ? level(0) : 255;
  }
  g.putImageData(image, 0, 0);
  cache.set(item, { stamp, canvas });
  return canvas;
}

/** Rims first, then all cores: of small dots in a row the rim of the next one would cover the colour of the last. */
function markers(g, theme, item, places, size) {
  g.fillStyle = css(theme.colour(item.colour)); g.strokeStyle = css(theme.back); g.lineWidth = 1.5; g.setLineDash([]);
  for (const paint of ["stroke", "fill"]) for (const [x, y] of places) {
    g.beginPath();
    if (item.symbol === "square") g.rect(x - size * 0.85, y - size * 0.85, size * 1.7, size * 1.7);
    else if (item.symbol === "diamond") { g.moveTo(x, y - size * 1.2); g.lineTo(x + size * 1.2, y); g.lineTo(x, y + size * 1.2); g.lineTo(x - size * 1.2, y); g.closePath(); }
    else g.arc(x, y, size, 0, 2 * Math.PI);
    g[paint]();
  }
}

// ---------------------------------------------------------------- pane kind "curve"
/** A tick's words in lines of at most `room` pixels; a single word may be longer. */
function broken(g, text, room) {
  const lines = [];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length && g.measureText(longer).width <= room) lines[lines.length - 1] = longer; else lines.push(word);
  }
  return lines;
}

function drawCurve(g, w, h, pane, view, theme) {
  g.font = `${14 * theme.size}px ${theme.font}`;
  const log = { x: pane.x.log, y: pane.y.log };
  const warp = (axis, v) => (log[axis] ? Math.log10(v) : v);
  const spread = (axis, count) => {
    const [lo, hi] = pane[axis].range;
    if (pane[axis].ticks) return pane[axis].ticks;
    if (!log[axis]) return ticks(lo, hi, count);
    const out = [];
    for (let p = Math.ceil(Math.log10(lo) - 1e-9); p <= Math.log10(hi) + 1e-9; p++) out.push([10 ** p, minus(String(Number((10 ** p).toPrecision(3))))]);
    return out.length > 1 ? out : [[lo, String(lo)], [hi, String(hi)]];
  };
  const ty = spread("y", clamp(Math.floor(h / (60 * theme.size)), 3, 6));
  const k = theme.size, left = 34 * k + Math.max(...ty.map(([, text]) => g.measureText(text).width)), [top, right] = [12, 16];
  const tx = spread("x", clamp(Math.floor((w - left) / (70 * k)), 4, 7));
  const to = (axis, a, b) => { const [lo, hi] = pane[axis].range.map((v) => warp(axis, v)); return (v) => a + ((warp(axis, v) - lo) / (hi - lo)) * (b - a); };
  const X = to("x", left, w - right), room = Math.min(...tx.slice(1).map(([v], i) => Math.abs(X(v) - X(tx[i][0])))) - 8;
  const words = tx.map(([v, text]) => [v, pane.x.ticks ? broken(g, text, room) : [text]]); // names under bars do not touch
  const bottom = (50 + 16 * (Math.max(1, ...words.map(([, lines]) => lines.length)) - 1)) * k, Y = to("y", h - bottom, top);
  const back = (axis, a, b) => {
    const [lo, hi] = pane[axis].range.map((v) => warp(axis, v));
    return (pixel) => { const v = lo + ((pixel - a) / (b - a)) * (hi - lo); return log[axis] ? 10 ** v : v; };
  };
  const inX = back("x", left, w - right), inY = back("y", h - bottom, top);
  view.to = ([x, y]) => [X(x), Y(y)];
  view.from = (px, py) => [inX(px), inY(py)];
  const say = (axis, v) => (pane[axis].ticks || []).find(([at]) => at === v)?.[1] ?? minus(String(Number(v.toPrecision(3))));
  const path = (points) => { let pen = false; g.beginPath(); for (const [x, y] of points) { if (Number.isNaN(x + y)) { pen = false; continue; } if (pen) g.lineTo(X(x), Y(y)); else g.moveTo(X(x), Y(y)); pen = true; } };
  g.strokeStyle = theme.grid; g.lineWidth = 1; g.beginPath();
  for (const [v] of tx) { g.moveTo(X(v), top); g.lineTo(X(v), h - bottom); }
  for (const [v] of ty) { g.moveTo(left, Y(v)); g.lineTo(w - right, Y(v)); }
  g.stroke();
  g.strokeStyle = theme.soft; g.lineWidth = 1.5; g.strokeRect(left, top, w - right - left, h - bottom - top);
  g.fillStyle = css(theme.text); g.textBaseline = "middle"; g.textAlign = "right";
  for (const [v, text] of ty) g.fillText(text, left - 7, Y(v));
  g.textAlign = "center";
  for (const [v, lines] of words) lines.forEach((text, i) => g.fillText(text, X(v), h - bottom + (15 + 16 * i) * k, room));
  g.fillText(pane.x.label, (left + w - right) / 2, h - 11 * k, w - left);
  g.save(); g.translate(12 * k, (top + h - bottom) / 2); g.rotate(-Math.PI / 2); g.fillText(pane.y.label, 0, 0, h - 8); g.restore();

  g.save(); g.beginPath(); g.rect(left - 6, top - 6, w - right - left + 12, h - bottom - top + 12); g.clip(); // room for markers
  for (const r of pane.lines) {
    g.strokeStyle = css(theme.colour(r.colour)); g.lineWidth = 2; g.setLineDash(DASH[r.dash]);
    g.beginPath(); g.moveTo(left, Y(r.y)); g.lineTo(w - right, Y(r.y)); g.stroke();
  }
  for (const s of pane.series) {
    const colour = theme.colour(s.colour), xs = s.x.data, ys = s.y.data;
    if (s.band) {
      g.fillStyle = css(colour, 0.18); g.beginPath();
      for (let i = 0; i < xs.length; i++) g.lineTo(X(xs[i]), Y(s.band.lo.data[i]));
      for (let i = xs.length - 1; i >= 0; i--) g.lineTo(X(xs[i]), Y(s.band.hi.data[i]));
      g.closePath(); g.fill();
    }
    g.strokeStyle = g.fillStyle = css(colour); g.lineWidth = s.width; g.setLineDash(DASH[s.dash]);
    const pairs = Array.from(xs, (x, i) => [x, ys[i]]);
    for (const [x, y] of pairs) if (!Number.isNaN(x + y)) view.hits.push([X(x + s.shift), Y(y), `${s.name}: ${say("x", x)}, ${say("y", y)}`]);
    if (s.mode === "bars") {
      const base = Y(clamp(0, ...pane.y.range)), thick = s.bar * Math.abs(X(xs[0] + 1) - X(xs[0]));
      for (const [x, y] of pairs) g.fillRect(X(x + s.shift) - thick / 2, Math.min(base, Y(y)), thick, Math.abs(base - Y(y)));
    } else {
      if (s.mode !== "markers") { path(pairs); g.stroke(); }
      if (s.mode !== "line") markers(g, theme, s, pairs.filter(([x, y]) => !Number.isNaN(x + y)).map(([x, y]) => [X(x), Y(y)]), 2 + s.width);
    }
  }
  g.setLineDash([]);
  g.textAlign = "right"; g.textBaseline = "bottom"; g.font = `${13 * theme.size}px ${theme.font}`;
  for (const r of pane.lines) { // names of lines last, with a rim: bars and curves run below them
    g.strokeStyle = css(theme.back); g.lineWidth = 4; g.strokeText(r.name, w - right - 6, Y(r.y) - 3);
    g.fillStyle = css(theme.colour(r.colour)); g.fillText(r.name, w - right - 6, Y(r.y) - 3);
  }
  if (pane.now) {
    const x = pane.now.data[Math.min(view.frame, pane.now.data.length - 1)];
    g.strokeStyle = css(theme.text); g.lineWidth = 2; g.beginPath(); g.moveTo(X(x), top); g.lineTo(X(x), h - bottom); g.stroke();
  }
  view.times = pane.now && pane.now.data.length > 1 ? Array.from(pane.now.data, X) : null;
  g.restore();
}

const DRAW = { scene: drawScene, image: drawImage, curve: drawCurve };

// ---------------------------------------------------------------- legends and tables: plain DOM
function swatch(parent, item, theme, sides) {
  const row = element("span", "pose-key", parent), width = sides ? 52 : 32;
  const colour = theme.colour(item.colour);
  const stroke = (x1, x2, c, dash) => `<line x1="${x1}" x2="${x2}" y1="8" y2="8" stroke="${css(c)}" stroke-width="${Math.min(5, item.width || 3)}" stroke-dasharray="${dash.join(" ") || "none"}"/>`;
  const shape = { circle: `<circle cx="16" cy="8" r="6"`, square: `<rect x="10" y="2" width="12" height="12"`, diamond: `<path d="M16 1l7 7-7 7-7-7z"` };
  let art;
  if (item.fill) art = `<rect x="6" y="1" width="20" height="14" fill="${css(colour)}"/>`;
  else if (item.symbol && !(item.mode || "").startsWith("line")) art = `${shape[item.symbol]} fill="${css(colour)}"/>`;
  else if (sides) art = stroke(1, 24, mix(colour, theme.back, LIGHTER), LEFT_DASH[item.dash]) + stroke(28, 51, colour, DASH[item.dash]);
  else art = stroke(1, 31, colour, DASH[item.dash]);
  row.innerHTML = `<svg width="${width}" height="16" aria-hidden="true">${art}</svg>`;
  element("span", "", row, item.name);
}

function drawLegend(box, pane, theme, explain) {
  const items = [...(pane.skeletons || []).map((s) => [s, true]), ...(pane.meshes || []).map((m) => [{ ...m, fill: true }, false]), ...(pane.kind === "image" ? pane.lines : []).map((l) => [l, false]),
    ...(pane.circles || []).map((c) => [c, false]), ...(pane.dots || []).map((d) => [d, false]),
    ...(pane.heat ? [[{ ...pane.heat, fill: true }, false]] : []), ...(pane.series || []).map((s) => [{ ...s, fill: s.mode === "bars" }, false])].filter(([item]) => item.name);
  const stamp = JSON.stringify(items.map(([i, s]) => [i.name, i.colour, i.dash, i.symbol, i.mode, s])) + theme.dark;
  if (box.dataset.stamp === stamp) return;
  box.dataset.stamp = stamp;
  box.replaceChildren();
  for (const [item, sides] of items) swatch(box, item, theme, sides);
  if (explain) element("span", "pose-key pose-note", box, "(left limbs fainter and broken, right limbs full)");
}

function drawTable(box, pane) {
  const stamp = JSON.stringify(pane);
  if (box.dataset.stamp === stamp) return;
  box.dataset.stamp = stamp;
  box.replaceChildren();
  const table = element("table", "pose-table", box);
  if (pane.title) element("caption", "", table, pane.title);
  const head = element("tr", "", element("thead", "", table)), body = element("tbody", "", table);
  for (const name of pane.columns) name ? (element("th", "", head, name).scope = "col") : element("td", "", head); // an empty heading names nothing
  pane.rows.forEach((row, i) => {
    const tr = element("tr", "", body);
    row.forEach((text, j) => {
      const cell = element(j ? "td" : "th", pane.best[i] === j ? "pose-best" : "", tr, text);
      if (!j) cell.scope = "row";
    });
  });
}

// ---------------------------------------------------------------- one pane = title, canvas, legend
/** Where a curve's upright line follows the playback, the pointer drags it: to the frame that is nearest across. */
function letSeek(canvas, view, go) {
  let held = false;
  const seek = (e) => {
    const x = e.clientX - canvas.getBoundingClientRect().left, off = view.times.map((t) => Math.abs(t - x));
    go(off.indexOf(Math.min(...off)));
  };
  canvas.addEventListener("pointerdown", (e) => {
    if (e.button !== 0 || !view.times) return;
    held = true; canvas.setPointerCapture(e.pointerId); seek(e);
  });
  canvas.addEventListener("pointermove", (e) => { canvas.classList.toggle("pose-seek", Boolean(view.times)); if (held && view.times) seek(e); });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) canvas.addEventListener(end, () => { held = false; });
}

function makePane(kind, parent, redraw, go) {
  const box = element("figure", `pose-pane pose-${kind}`, parent);
  const pane = { kind, box, handles: [], view: { zoom: 1, frame: 0, hits: [] }, title: element("figcaption", "pose-title", box) };
  if (kind === "table") { pane.body = element("div", "", box); return pane; }
  pane.sheet = element("div", "pose-sheet", box);
  pane.canvas = element("canvas", "pose-canvas", pane.sheet);
  pane.canvas.setAttribute("role", "img");
  tellTips(pane);
  pane.legend = element("div", "pose-legend", box);
  pane.cache = new WeakMap();
  const { canvas, view } = pane;
  if (kind === "curve") letSeek(canvas, view, go);
  if (kind !== "scene") return pane;
  const turn = (da, de) => { view.azimuth += da; view.elevation = clamp(view.elevation + de, -20, 89); redraw(); };
  canvas.tabIndex = 0;
  canvas.addEventListener("pointerdown", (e) => { if (e.button === 0) { canvas.setPointerCapture(e.pointerId); view.grab = [e.clientX, e.clientY]; } });
  canvas.addEventListener("pointermove", (e) => {
    if (!view.grab) return;
    turn((view.grab[0] - e.clientX) * 0.5, (e.clientY - view.grab[1]) * 0.4);
    view.grab = [e.clientX, e.clientY];
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) canvas.addEventListener(end, () => { view.grab = null; });
  canvas.addEventListener("dblclick", () => { pane.start = null; redraw(); });
  canvas.addEventListener("wheel", (e) => { // without ctrl the page scrolls, as the reader expects
    if (!e.ctrlKey) return;
    e.preventDefault();
    view.zoom = clamp(view.zoom * Math.exp(-e.deltaY / 400), 0.4, 6);
    redraw();
  }, { passive: false });
  canvas.addEventListener("keydown", (e) => {
    const step = { ArrowLeft: [6, 0], ArrowRight: [-6, 0], ArrowUp: [0, 4], ArrowDown: [0, -4] }[e.key];
    if (!step) return;
    e.preventDefault(); e.stopPropagation();
    turn(...step);
  });
  return pane;
}

/** As high as it ever was at this width: a remark that wraps now and then must not push the picture up and down. */
function keepRoom(node) {
  if (node.dataset.width !== String(node.clientWidth)) node.style.minHeight = "";
  node.dataset.width = node.clientWidth;
  node.style.minHeight = `${node.offsetHeight}px`;
}

function describe(pane) {
  const names = [...(pane.skeletons || []), ...(pane.meshes || []), ...(pane.series || []), ...(pane.dots || [])].map((i) => i.name).filter(Boolean).join(", ");
  const how = pane.kind === "scene" ? ". Drag or press the arrow keys to turn, control and wheel to zoom, double-click to reset" : "";
  return `${pane.title || pane.kind}: ${names}${how}`;
}

function render({ model, el }) {
  teachSliders();
  const root = element("div", "pose-stage", el);
  root.setAttribute("data-lm-suppress-shortcuts", "true"); // JupyterLab's keys stay out of the stage
  const caption = element("div", "pose-caption", root);
  const [text, note, timing] = ["pose-values", "pose-remark", "pose-timing"].map((name) => element("span", name, caption));
  const error = element("div", "pose-error", root);
  error.setAttribute("role", "alert");
  const row = element("div", "pose-panes", root), bar = element("div", "pose-play", root), tables = element("div", "pose-tables", root);
  tables.tabIndex = 0; // in a narrow window a table scrolls, by keys as well
  tables.setAttribute("role", "group"); tables.setAttribute("aria-label", "tables");
  const button = element("button", "pose-button", bar, "\u25B6 play"), scrub = element("input", "", bar), count = element("span", "pose-count", bar);
  button.type = "button"; scrub.type = "range"; scrub.min = 0; scrub.step = 1;
  scrub.setAttribute("aria-label", "frame");
  const [back, on] = [["\u2039", "one back"], ["\u203A", "one on"]].map(([text, label]) => {
    const node = element("button", "pose-button pose-one", null, text);
    node.type = "button"; node.title = label; node.setAttribute("aria-label", label);
    return node;
  });
  button.before(back); button.after(on);
  const speed = element("select", "pose-button pose-speed", bar);
  speed.setAttribute("aria-label", "speed of the playback");
  for (const times of [0.25, 0.5, 1, 2]) element("option", "", speed, `${times} \u00D7`).value = times;
  speed.value = 1;
  let state = {}, panes = [], length = 1, frame = 0, playing = null, queued = 0, walked = false, moves = 0;

  const redraw = () => { queued ||= requestAnimationFrame(paint); };
  const grabbed = (name, at) => { // the kernel answers with a new state; the latest place is all that counts
    model.set("grabbed", { name, at, count: (moves += 1) });
    model.save_changes();
  };
  function paint() {
    queued = 0;
    if (!state.panes || !root.isConnected) return;
    const theme = themeOf(root);
    state.panes.forEach((spec, i) => {
      const pane = panes[i];
      if (pane.kind === "table") return drawTable(pane.body, spec);
      if (pane.kind === "scene" && pane.start !== spec.view.join()) { // first time, reset, or a new view from the state
        pane.start = spec.view.join();
        [pane.view.azimuth, pane.view.elevation, pane.view.zoom] = [...spec.view, 1];
      }
      pane.view.frame = frame;
      const sheet = blank(pane.canvas);
      if (!sheet) return;
      pane.view.hits = [];
      DRAW[pane.kind](...sheet, spec, pane.view, theme, state, pane.cache);
      layHandles(pane, spec.handles || [], theme, grabbed);
      drawLegend(pane.legend, spec, theme, spec === state.panes.find((s) => s.skeletons?.length));
    });
  }

  function show(next) { // one frame of the playback
    frame = clamp(next, 0, length - 1);
    scrub.value = frame;
    write(count, state.plays === "steps" ? `step ${frame} of ${length - 1}` : `frame ${frame + 1} of ${length}`);
    scrub.setAttribute("aria-valuetext", count.textContent);
    redraw();
  }
  function pause() {
    if (playing) cancelAnimationFrame(playing.id);
    playing = null;
    write(button, "\u25B6 play");
  }
  function tick(now) {
    if (!playing || !root.isConnected) return pause();
    playing.since ??= now;
    const step = Math.floor(((now - playing.since) * state.fps * speed.value) / 1000);
    const once = state.plays === "steps";
    if (once && playing.from + step >= length - 1) { show(length - 1); return pause(); }
    if (step >= LOOPS * length) { show(0); return pause(); }
    const next = (playing.from + step) % length;
    if (next !== frame) show(next);
    playing.id = requestAnimationFrame(tick);
  }
  button.addEventListener("click", () => {
    if (playing) return pause();
    walked = true;
    playing = { from: state.plays === "steps" && frame === length - 1 ? 0 : frame };
    show(playing.from);
    write(button, "\u23F8 pause");
    playing.id = requestAnimationFrame(tick);
  });
  const go = (next) => { walked = true; pause(); show(next); };
  back.addEventListener("click", () => go(frame - 1));
  on.addEventListener("click", () => go(frame + 1));
  speed.addEventListener("change", () => { if (playing) playing = { from: frame, id: playing.id }; });
  scrub.addEventListener("input", () => go(Number(scrub.value)));
  scrub.addEventListener("keydown", (e) => { // JupyterLab swallows the arrow keys' own effect
    const next = { ArrowLeft: frame - 1, ArrowDown: frame - 1, ArrowRight: frame + 1, ArrowUp: frame + 1, Home: 0, End: length - 1 }[e.key];
    if (next === undefined) return;
    e.preventDefault(); e.stopPropagation(); go(next);
  });

  function update() {
    state = decode(model.get("state"));
    const specs = state.panes || [], drawn = panes.length > 0; // the first picture waits for play
    if (specs.map((s) => s.kind).join() !== panes.map((p) => p.kind).join()) {
      row.replaceChildren(); tables.replaceChildren();
      panes = specs.map((s) => makePane(s.kind, s.kind === "table" ? tables : row, redraw, go));
      for (const pane of panes) if (pane.canvas) watcher.observe(pane.canvas);
    }
    tables.hidden = !specs.some((s) => s.kind === "table");
    specs.forEach((spec, i) => {
      const { box, title, canvas } = panes[i];
      write(title, canvas ? spec.title : "");
      if (!canvas) return;
      box.style.flexGrow = spec.weight;
      canvas.style.height = `${state.height}px`;
      if (canvas.getAttribute("aria-label") !== describe(spec)) canvas.setAttribute("aria-label", describe(spec));
    });
    const ended = drawn && (!walked || frame === length - 1); // of steps, who has not gone back sees the outcome of every move
    length = Math.max(1, ...specs.flatMap((s) => [...(s.skeletons || []), ...(s.meshes || []), ...(s.dots || [])].map((k) => frames(k.points)).concat(s.now ? s.now.data.length : 1)));
    bar.hidden = length < 2 && state.plays !== "steps";
    bar.style.visibility = length < 2 ? "hidden" : ""; // no step to play: its room stays, or the page would jump
    scrub.max = length - 1;
    write(text, state.caption || ""); write(note, state.note || ""); write(timing, state.timing || ""); write(error, state.error || "");
    keepRoom(caption);
    error.hidden = !state.error;
    row.classList.toggle("pose-stale", Boolean(state.error));
    show(state.plays === "steps" && ended ? length - 1 : frame);
  }
  const watcher = watchPage(redraw);
  model.on("change:state", update);
  update();
  return () => { model.off("change:state", update); pause(); watcher.stop(); if (queued) cancelAnimationFrame(queued); };
}

export default { render };
