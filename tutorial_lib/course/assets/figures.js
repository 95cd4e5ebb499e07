// Paints the figures of a page. Each is a <figure class="plot"> with its PNG and its data; it is drawn when it comes
// near the screen, so that a long page opens at once. A sweep gets a slider of the browser's own instead of plotly's:
// that one has no keyboard, and is too small for a finger.

window.MathJax = {
  jax: ["input/TeX", "output/HTML-CSS"],
  extensions: ["TeX/AMSmath.js", "TeX/AMSsymbols.js", "AssistiveMML.js"],
  messageStyle: "none",
  showMathMenu: false,
  "HTML-CSS": { availableFonts: [], preferredFont: null, webFont: "STIX-Web", imageFont: null, undefinedFamily: "serif", matchFontHeight: false, scale: 110,
    styles: { "@font-face": { "font-family": "MathJax_Blank", src: "local('no such font')" } } }, // it would ask for about:blank
  AuthorInit() {
    MathJax.Hub.Register.StartupHook("End", () => { document.documentElement.dataset.math = "ready"; });
  },
};

const DECK_SCALE = 1.9;

// A figure's colours were chosen for white paper. In the dark its paper vanishes, and what was ink is light.
const DARK = {
  "#1A1A1A": "#E4E6EA", "#DDDDDD": "#3A404A", "#CCCCCC": "#4A515C", "#F4F4F4": "#1D2128", "#808080": "#9AA2AD",
  "#0072B2": "#3B9BD9", "white": "rgba(0,0,0,0)", "rgba(255,255,255,0.7)": "rgba(20,24,30,0.7)",
};
const dark = () => document.documentElement.dataset.theme === "dark";
const inTheme = (json) => (dark() ? json.replace(/"([^"]*)"/g, (word, text) => (DARK[text] ? `"${DARK[text]}"` : word)) : json);

function sweep(figure, plot, frames, active, name) {
  const bar = document.createElement("div"), range = document.createElement("input"), said = document.createElement("output");
  bar.className = "sweep";
  range.type = "range"; range.min = 0; range.max = frames.length - 1; range.value = active;
  range.setAttribute("aria-label", name || "step");
  const words = () => `${name ? `${name}: ` : ""}${frames[range.value].name}`;
  const move = () => {
    said.textContent = words();
    range.setAttribute("aria-valuetext", frames[range.value].name);
    const at = { mode: "immediate", frame: { duration: 0, redraw: true }, transition: { duration: 0 } };
    return Plotly.animate(plot, [frames[range.value].name], at);
  };
  range.addEventListener("input", move);
  said.textContent = words();
  bar.append(said, range);
  figure.append(bar);
}

async function paint(figure) {
  if (figure.dataset.painted) return;
  figure.dataset.painted = "now";
  const { data, layout, frames = [] } = JSON.parse(inTheme(figure.querySelector("script").textContent));
  const image = figure.querySelector("img"), plot = document.createElement("div");
  const slider = layout.sliders?.[0];
  plot.className = "canvas";
  if (slider) { // the room under the axes that plotly's slider took
    delete layout.sliders;
    const spare = Math.max(0, (layout.margin?.b ?? 65) - 65);
    layout.margin = { ...layout.margin, b: 65 };
    layout.height = (layout.height ?? 540) - spare - 20;
  }
  const scene = layout.scene && !data.some((trace) => /^(scatter|bar|heatmap|image)$/.test(trace.type ?? "scatter"));
  if (scene) { // a 3D picture alone: no axes outside, so it may have all the room, and come nearer
    layout.margin = { ...layout.margin, l: 0, r: 0, b: 0 };
    const eye = layout.scene.camera?.eye;
    if (eye) for (const axis of ["x", "y", "z"]) eye[axis] *= 0.92;
    if (eye) layout.scene.camera.center ??= { x: 0, y: 0, z: -0.14 }; // below are the letters of the axes
  }
  const deck = document.body.classList.contains("deck"); // slides: the same picture, every letter larger
  if (deck) {
    for (const axis of Object.keys(layout).filter((key) => /^[xy]axis/.test(key))) layout[axis].automargin = true;
    layout.height = (figure.clientHeight - (slider ? 90 : 0)) / DECK_SCALE;
    plot.style.cssText = `width: ${figure.clientWidth / DECK_SCALE}px; height: ${layout.height}px; transform: scale(${DECK_SCALE}); transform-origin: 0 0`;
  }
  if (data.some((t) => (t.colorbar || t.coloraxis || t.type === "heatmap") && t.showscale !== false)) {
    layout.legend = { ...layout.legend, orientation: "h", y: -0.2, x: 0.5, xanchor: "center", yanchor: "top" }; // on the right stands the scale
  }
  const small = !deck && figure.clientWidth < 560;
  if (small) { // a telephone: smaller letters, the legend under the picture
    layout.font = { ...layout.font, size: 12 };
    if (layout.yaxis?.scaleanchor) layout.height = Math.min(layout.height ?? 540, figure.clientWidth * 1.2);
    layout.margin = { ...layout.margin, l: Math.min(layout.margin?.l ?? 55, 55), r: 10 };
    if (data.some((t) => t.colorbar || t.type === "heatmap") === false) layout.legend = { ...layout.legend, orientation: "h", y: scene ? 0 : -0.25, x: 0, xanchor: "left", yanchor: "top" };
  }
  layout.width = undefined;
  layout.autosize = true;
  figure.insertBefore(plot, image);
  const config = { responsive: true, displayModeBar: false, plotGlPixelRatio: Math.max(2, window.devicePixelRatio || 1) };
  await Plotly.newPlot(plot, { data, layout, frames, config });
  image.hidden = true;
  if (slider && frames.length > 1) sweep(figure, plot, frames, slider.active ?? 0, (slider.currentvalue?.prefix ?? "").replace(/:\s*$/, ""));
  figure.dataset.painted = "done";
}

addEventListener("DOMContentLoaded", () => {
  const near = new IntersectionObserver((seen) => {
    for (const { isIntersecting, target } of seen) if (isIntersecting) { near.unobserve(target); paint(target); }
  }, { rootMargin: "300px" });
  new MutationObserver(() => {
    for (const figure of document.querySelectorAll("figure.plot[data-painted=done]")) {
      for (const made of figure.querySelectorAll(".canvas, .sweep")) made.remove();
      figure.querySelector("img").hidden = false;
      delete figure.dataset.painted;
      near.observe(figure);
    }
  }).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  if (!document.body.classList.contains("deck")) for (const figure of document.querySelectorAll("figure.plot")) near.observe(figure);
});
