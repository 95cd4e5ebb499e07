// What the stage and the moments share: it stands before either of them in one script (see stage.script).

const DASH = { solid: [], dash: [9, 5], dot: [2, 5] };
const LEFT_DASH = { solid: [6, 4], dash: [4, 7], dot: [2, 9] }; // left limbs are broken and lighter
const LIGHTER = 0.38;
const HEAD = 10;

// ---------------------------------------------------------------- small helpers
const clamp = (x, lo, hi) => Math.min(hi, Math.max(lo, x));
const minus = (text) => String(text).replace(/-/g, "\u2212");

/** Turn every {shape, data: DataView} of the state into {shape, data: Float32Array}, one byte a number where it has
    `levels`; what is one already stays. */
function decode(value) {
  if (value instanceof Float32Array) return value;
  if (value instanceof DataView) {
    return new Float32Array(value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength));
  }
  if (Array.isArray(value)) return value.map(decode);
  if (value?.levels && value.data instanceof DataView) {
    const [low, high] = value.levels, { buffer, byteOffset, byteLength } = value.data;
    const bytes = new Uint8Array(buffer, byteOffset, byteLength), data = new Float32Array(byteLength);
    for (let i = 0; i < byteLength; i++) data[i] = low + ((high - low) / 255) * bytes[i]; // a loop: from() is ten times as slow
    return { shape: value.shape, data };
  }
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decode(item)]));
  }
  return value;
}

function element(tag, name, parent, text) {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text !== undefined) node.textContent = text;
  if (parent) parent.appendChild(node);
  return node;
}

/** Write text only where it changed: every write wakes observers and screen readers. */
function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
const css = (c, alpha = 1) => `rgba(${c.map(Math.round).join(",")},${alpha})`;
const mix = (a, b, t) => a.map((x, i) => x + (b[i] - x) * t);

/** Colours of the surrounding page, read at every redraw so that a theme switch is followed. */
function themeOf(root) {
  const parse = (text) => (text.match(/[\d.]+/g) || [0, 0, 0]).slice(0, 3).map(Number);
  const style = getComputedStyle(root);
  const [text, back] = [parse(style.color), parse(style.backgroundColor)];
  const dark = back[0] + back[1] + back[2] < 384;
  const colour = (name) => {
    if (name === "ink") return text;
    if (name === "grey") return mix(text, back, 0.45);
    return dark ? mix(rgb(name), [255, 255, 255], 0.25) : rgb(name);
  };
  return { text, back, dark, colour, grid: css(mix(text, back, 0.8)), soft: css(mix(text, back, 0.35)), font: style.fontFamily, size: parseFloat(style.fontSize) / 15 };
}

/** Call `redraw` when the page's theme changes or a canvas its size; `stop` ends that. */
function watchPage(redraw) {
  const sizes = new ResizeObserver(redraw), themes = new MutationObserver(redraw);
  themes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-name", "data-jp-theme-light", "class"] });
  return { observe: (canvas) => sizes.observe(canvas), stop: () => { sizes.disconnect(); themes.disconnect(); } };
}

/** A canvas's 2D context, in CSS pixels and cleared, with its width and height; null while it has no size. */
function blank(canvas) {
  const { clientWidth: w, clientHeight: h } = canvas, ratio = window.devicePixelRatio || 1;
  if (!w || !h) return null;
  if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
    [canvas.width, canvas.height] = [Math.round(w * ratio), Math.round(h * ratio)];
  }
  const g = canvas.getContext("2d");
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.clearRect(0, 0, w, h);
  return [g, w, h];
}

// ---------------------------------------------------------------- skeletons, in 2D and projected 3D
/** Draw skeletons given `place(skeleton, joint) -> [x, y, depth]`: later ones on top, near bones over far ones. */
function drawSkeletons(g, theme, state, skeletons, place) {
  for (const s of skeletons) {
    const strokes = [];
    const joints = Array.from({ length: s.points.shape[1] }, (_, j) => place(s, j));
    for (const [parent, child, side] of state.bones) {
      const [a, b] = [joints[parent], joints[child]];
      strokes.push({ side, a, b, head: child === HEAD, depth: (a[2] + b[2]) / 2 });
    }
    strokes.sort((a, b) => b.depth - a.depth);
    const full = theme.colour(s.colour), light = mix(full, theme.back, LIGHTER);
    g.lineWidth = s.width; g.lineCap = "round";
    for (const { side, a, b, head } of strokes) {
      g.strokeStyle = g.fillStyle = css(side === "left" ? light : full);
      g.setLineDash((side === "left" ? LEFT_DASH : DASH)[s.dash]);
      g.beginPath(); g.moveTo(a[0], a[1]); g.lineTo(b[0], b[1]); g.stroke();
      g.setLineDash([]);
      g.beginPath(); g.arc(b[0], b[1], s.width * (head ? 1.9 : 0.85), 0, 2 * Math.PI); g.fill();
    }
  }
  g.lineCap = "butt";
}
