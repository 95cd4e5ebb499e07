// What a talk needs beside reveal.js: formulas, figures that are painted when their slide comes, letters that fill it.

window.MathJax = {
  jax: ["input/TeX", "output/HTML-CSS"],
  extensions: ["tex2jax.js", "TeX/AMSmath.js", "TeX/AMSsymbols.js", "AssistiveMML.js"],
  tex2jax: { inlineMath: [["$", "$"], ["\\(", "\\)"]], processEscapes: true },
  messageStyle: "none",
  showMathMenu: false,
  "HTML-CSS": { availableFonts: [], preferredFont: null, webFont: "STIX-Web", imageFont: null, undefinedFamily: "serif", matchFontHeight: false, scale: 110,
    styles: { "@font-face": { "font-family": "MathJax_Blank", src: "local('no such font')" } } }, // it would ask for about:blank
  AuthorInit() { MathJax.Hub.Register.StartupHook("End", start); },
};

/** The largest letters with which the slide fits. Cells of a table are broken only where letters would get small. */
const LETTERS = { source: [20, 40], table: [22, 42], card: [24, 44], predict: [28, 64], saw: [28, 56], text: [28, 56], exercises: [28, 52], summary: [28, 52] };
function fit(slide) {
  const [low, high] = LETTERS[slide.dataset.kind] ?? [], box = slide.children[1];
  if (!low || slide.dataset.fitted) return;
  slide.dataset.fitted = "yes";
  const fits = (least) => {
    for (let size = high; size >= least; size -= 1) {
      box.style.fontSize = `${size}px`;
      if (box.scrollHeight <= box.clientHeight + 1 && box.scrollWidth <= box.clientWidth + 1) return true;
    }
  };
  if (!fits(Math.max(low, 28))) { slide.classList.add("broken"); fits(low); }
  for (const formula of box.querySelectorAll(".MathJax_Display")) { // a wide one alone gets smaller
    if (formula.scrollWidth > formula.clientWidth) formula.style.fontSize = `${(98 * formula.clientWidth) / formula.scrollWidth}%`;
  }
}

/** A slider of the browser's own for the steps of a figure: plotly's has no keyboard. */
function sweep(figure, plot, frames, { active = 0, currentvalue }) {
  const bar = document.createElement("label"), range = document.createElement("input"), said = document.createElement("output");
  range.type = "range"; range.min = 0; range.max = frames.length - 1; range.value = active;
  const words = () => { said.textContent = `${currentvalue?.prefix ?? ""}${frames[range.value].name}`; };
  range.addEventListener("input", () => {
    words();
    Plotly.animate(plot, [frames[range.value].name], { mode: "immediate", frame: { duration: 0, redraw: true }, transition: { duration: 0 } });
  });
  words();
  bar.append(said, range);
  figure.append(bar);
}

const SCALE = 1.9; // plotly's letters are meant for a page

/** Figures are painted when their slide comes; browsers allow only a few pictures in 3D at a time. */
async function paint(slide) {
  for (const figure of slide.querySelectorAll("figure.plot:not(.painted)")) {
    const { data, layout, frames = [] } = JSON.parse(figure.querySelector("script").textContent), plot = document.createElement("div");
    const slider = frames.length > 1 && layout.sliders?.[0], flat = data.some((trace) => !/3d|surface|cone/.test(trace.type));
    figure.classList.add("painted");
    layout.width = figure.clientWidth / SCALE;
    layout.height = (figure.clientHeight - (slider ? 90 : 0)) / SCALE;
    if (slider) Object.assign(layout, { sliders: [], margin: { ...layout.margin, b: 65 } });
    if (data.some((trace) => trace.colorbar || trace.type === "heatmap" && trace.showscale !== false)) { // on the right stands the scale
      layout.legend = { ...layout.legend, orientation: "h", y: -0.2, x: 0.5, xanchor: "center", yanchor: "top" };
    }
    if (!flat) layout.margin = { ...layout.margin, l: 0, r: 0, b: 0 };
    for (const axis of Object.keys(layout).filter((key) => /^[xy]axis/.test(key))) layout[axis].automargin = true;
    plot.style.cssText = `width: ${layout.width}px; height: ${layout.height}px; transform: scale(${SCALE})`;
    figure.append(plot);
    await Plotly.newPlot(plot, { data, layout, frames, config: { displayModeBar: false, plotGlPixelRatio: 2 } });
    if (slider) sweep(figure, plot, frames, slider);
  }
}

function rest(slide) {
  for (const figure of slide.querySelectorAll("figure.painted")) {
    Plotly.purge(figure.querySelector("div"));
    figure.replaceChildren(figure.firstChild);
    figure.classList.remove("painted");
  }
}

function turned() {
  const now = Reveal.getCurrentSlide(), all = Reveal.getSlides(), at = all.indexOf(now), printed = /print-pdf/.test(location.search);
  all.forEach((slide, i) => {
    if (printed || i === at) { fit(slide); paint(slide); } else rest(slide);
  });
  const last = all.at(-1).dataset, [minute, whole] = [now.dataset.minute, Number(last.minute) + last.timing / 60];
  document.getElementById("minute").textContent = `minute ${Math.round(minute)} of ${Math.round(whole)}`;
}

async function start() {
  // The speaker's window knows nothing of MathJax's fonts, but every browser knows MathML.
  for (const formula of document.querySelectorAll("aside.notes .MathJax")) formula.replaceWith(formula.querySelector("math"));
  await Reveal.initialize({
    width: 1920, height: 1080, margin: 0, minScale: 0.05, center: false, controls: false, hash: true, transition: "none", slideNumber: "c/t", plugins: [RevealNotes],
  });
  Reveal.on("slidechanged", turned);
  Reveal.on("pdf-ready", turned);
  turned();
  document.body.dataset.ready = "yes";
}
