// What a talk needs beside reveal.js and figures.js: letters that fill a slide, figures that live on the slide that is
// shown, the clock.

MathJax.extensions.push("tex2jax.js");
MathJax.tex2jax = { inlineMath: [["$", "$"], ["\\(", "\\)"]], processEscapes: true };
MathJax.AuthorInit = () => MathJax.Hub.Register.StartupHook("End", start);

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

/** Browsers allow only a few pictures in 3D at a time. */
function rest(slide) {
  for (const figure of slide.querySelectorAll("figure.plot[data-painted=done]")) {
    Plotly.purge(figure.querySelector(".canvas"));
    for (const made of figure.querySelectorAll(".canvas, .sweep")) made.remove();
    delete figure.dataset.painted;
  }
}

function turned() {
  const now = Reveal.getCurrentSlide(), all = Reveal.getSlides(), at = all.indexOf(now), printed = /print-pdf/.test(location.search);
  all.forEach((slide, i) => {
    if (printed || i === at) { fit(slide); slide.querySelectorAll("figure.plot").forEach(paint); } else rest(slide);
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

// A demo that moves is drawn as large as its frame allows, once it is there and whenever what it says wraps anew.
function fitDemo(live) {
  const room = live.parentElement.getBoundingClientRect().height;
  for (let zoom = 2; zoom >= 0.8; zoom -= 0.1) {
    live.style.zoom = zoom;
    if (live.getBoundingClientRect().height <= room) return;
  }
}
document.addEventListener("DOMContentLoaded", () => {
  const sizes = new ResizeObserver((entries) => { for (const { target } of entries) if (target.offsetHeight) fitDemo(target); });
  const arrived = new MutationObserver((changes) => {
    for (const { addedNodes } of changes) for (const node of addedNodes) if (node.classList?.contains("pose-live")) sizes.observe(node);
  });
  for (const place of document.querySelectorAll(".demo [data-demo]")) arrived.observe(place, { childList: true });
});
