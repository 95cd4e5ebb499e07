// Search, theme and folding of the site. The index is a script of its own, loaded when somebody first searches.

const field = document.getElementById("search"), results = document.getElementById("results");
const fold = (text) => text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");

let loading;
function index() {
  loading ??= new Promise((done, fail) => {
    const script = document.createElement("script");
    script.src = "assets/search-index.js";
    script.onload = () => done(window.COURSE_INDEX.map((e) => ({ ...e, heading: fold(e.title), words: fold(e.text) })));
    script.onerror = fail;
    document.head.append(script);
  });
  return loading;
}

/** Every word must occur; in a heading it counts more, and so does the beginning of a word. */
function score(entry, words) {
  let sum = 0;
  for (const word of words) {
    const spots = [entry.heading, entry.words].map((text) => ` ${text}`.indexOf(word));
    if (spots[0] < 0 && spots[1] < 0) return 0;
    sum += (spots[0] >= 0 ? 10 : 0) + (spots[1] >= 0 ? 1 : 0);
    sum += [` ${entry.heading}`, ` ${entry.words}`].some((text) => /\W/.test(text[text.indexOf(word) - 1] ?? "x")) ? 2 : 0;
  }
  return sum;
}

function excerpt(entry, words) {
  const spot = Math.max(0, ...words.map((word) => entry.words.indexOf(word)));
  const start = Math.max(0, spot - 50);
  return (start ? "… " : "") + entry.text.slice(start, start + 150) + (entry.text.length > start + 150 ? " …" : "");
}

async function search() {
  const words = fold(field.value).split(/\s+/).filter(Boolean);
  results.hidden = !words.length;
  if (!words.length) return;
  const found = (await index()).map((entry) => [score(entry, words), entry]).filter(([points]) => points);
  found.sort((a, b) => b[0] - a[0]);
  results.replaceChildren();
  const said = document.createElement("p");
  said.textContent = found.length ? `${found.length} sections` : "Nothing found. Every word must occur: try fewer.";
  results.append(said);
  for (const [, entry] of found.slice(0, 12)) {
    const link = document.createElement("a"), title = document.createElement("b"), text = document.createElement("span");
    link.href = `${entry.page}#${entry.anchor}`;
    title.textContent = `${entry.lesson} · ${entry.title.replace(/^\d\d · /, "")}`;
    text.textContent = excerpt(entry, words);
    link.append(title, text);
    results.append(link);
  }
}

field.addEventListener("input", search);
field.addEventListener("focus", index, { once: true });
results.addEventListener("click", (e) => { if (e.target.closest("a")) results.hidden = true; });
addEventListener("keydown", (e) => {
  if (e.key === "/" && !/INPUT|TEXTAREA|SELECT/.test(document.activeElement.tagName)) { e.preventDefault(); field.focus(); }
  if (e.key === "Escape") results.hidden = true;
  const steps = { ArrowDown: 1, ArrowUp: -1 }[e.key], links = [field, ...results.querySelectorAll("a")];
  const at = links.indexOf(document.activeElement);
  if (steps && !results.hidden && at >= 0) { e.preventDefault(); links[Math.min(links.length - 1, Math.max(0, at + steps))].focus(); }
});
document.addEventListener("click", (e) => { if (!e.target.closest(".search")) results.hidden = true; });

document.getElementById("theme").addEventListener("click", () => {
  const root = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = root.dataset.theme || (dark ? "dark" : "light");
  root.dataset.theme = now === "dark" ? "light" : "dark";
  try { localStorage.setItem("theme", root.dataset.theme); } catch { /* private window: for this page only */ }
});

const contents = document.querySelector("nav > details"); // on a telephone it would fill the first screen
if (contents && matchMedia("(max-width: 60rem)").matches) contents.open = false;
addEventListener("beforeprint", () => { for (const d of document.querySelectorAll("details.hint")) d.open = true; });
