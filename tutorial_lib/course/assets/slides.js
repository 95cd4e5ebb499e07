// The slides' engine: keys, overview, notes, a clock, fitting. All slides lie in one stage of 1920 x 1080 pixels that
// is scaled as a whole.

const slides = [...document.querySelectorAll(".slide")], stage = document.getElementById("stage");
const where = document.getElementById("where"), clock = document.getElementById("clock"), notes = document.getElementById("notes");
const [WIDE, HIGH, GAP] = [1920, 1080, 90];
let now = 0, overview = false;

const minutes = slides.map((slide) => Number(slide.dataset.minutes));
const until = (i) => Math.round(minutes.slice(0, i).reduce((a, b) => a + b, 0));

/** The largest letters with which the slide fits: text never below 28 pixels, code and tables never below 24. */
const LETTERS = { source: [24, 40], table: [24, 42], title: [28, 42], card: [28, 42], predict: [28, 64] };
function fit(slide) {
  const body = slide.querySelector(".body"), boxes = [body, ...body.querySelectorAll("pre, .scroll")];
  const [low, high] = Object.entries(LETTERS).find(([kind]) => slide.classList.contains(kind))?.[1] ?? [28, 56];
  const out = (box) => box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
  for (let size = high; size >= low; size -= 1) {
    body.style.fontSize = `${size}px`;
    if (!boxes.some(out)) break;
  }
}

function show(next, focus = true) {
  now = Math.min(slides.length - 1, Math.max(0, next));
  slides.forEach((slide, i) => slide.classList.toggle("now", i === now));
  for (const i of [now, now + 1]) for (const figure of slides[i]?.querySelectorAll("figure.plot") ?? []) paint(figure);
  where.textContent = `${now + 1} / ${slides.length}`;
  clock.textContent = `minute ${until(now)} of ${until(slides.length)}`;
  const own = slides[now].querySelector("template");
  notes.replaceChildren(own ? own.content.cloneNode(true) : "No notes for this slide.");
  if (!notes.hidden && window.MathJax?.Hub) MathJax.Hub.Queue(["Typeset", MathJax.Hub, notes]);
  history.replaceState(null, "", `#${now + 1}`);
  if (focus) document.activeElement?.blur();
  place();
}

function place() {
  const high = innerHeight - 34, scale = Math.min(innerWidth / WIDE, high / HIGH);
  const across = Math.ceil(Math.sqrt(slides.length)), down = Math.ceil(slides.length / across);
  const small = Math.min(innerWidth / (across * (WIDE + GAP)), high / (down * (HIGH + GAP)));
  document.body.classList.toggle("overview", overview);
  slides.forEach((slide, i) => {
    slide.style.transform = overview ? `translate(${(i % across) * (WIDE + GAP) + GAP / 2}px, ${Math.floor(i / across) * (HIGH + GAP) + GAP / 2}px)` : "";
  });
  const [s, x, y] = overview ? [small, 0, 0] : [scale, (innerWidth - scale * WIDE) / 2, (high - scale * HIGH) / 2];
  stage.style.transform = `translate(${x}px, ${y}px) scale(${s})`;
}

const KEYS = {
  ArrowRight: 1, ArrowDown: 1, PageDown: 1, " ": 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1,
  Home: -Infinity, End: Infinity,
};
addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  if (e.key === "Escape") { document.activeElement.blur(); if (overview) { overview = false; place(); } return; }
  if (e.target.matches?.("input") && /^(Arrow|Home|End)/.test(e.key)) return; // the figure's slider
  if (e.key in KEYS) { e.preventDefault(); show(now + KEYS[e.key]); }
  if (e.key === "o") { overview = !overview; place(); }
  if (e.key === "n") { notes.hidden = !notes.hidden; show(now); }
  if (e.key === "f") document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
  if (e.key === "Enter" && overview) { overview = false; place(); }
});
stage.addEventListener("click", (e) => {
  if (!overview) return;
  overview = false;
  show(slides.indexOf(e.target.closest(".slide")) >= 0 ? slides.indexOf(e.target.closest(".slide")) : now);
});
let touch = null;
addEventListener("touchstart", (e) => { touch = e.target.closest("input, figure.plot") ? null : e.touches[0].clientX; });
addEventListener("touchend", (e) => {
  const gone = touch === null ? 0 : e.changedTouches[0].clientX - touch;
  if (Math.abs(gone) > 60) show(now - Math.sign(gone));
});
addEventListener("resize", place);
addEventListener("hashchange", () => show(Number(location.hash.slice(1)) - 1));

show(Number(location.hash.slice(1)) - 1 || 0);
const ready = () => { slides.forEach(fit); document.body.dataset.ready = "yes"; };
window.MathJax?.Hub ? MathJax.Hub.Queue(ready) : addEventListener("load", () => (window.MathJax?.Hub ? MathJax.Hub.Queue(ready) : ready()));
