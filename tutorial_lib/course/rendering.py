"""What the site and the slides share: the cells of an executed lesson as HTML that needs no kernel and no network.

Prose goes through nbconvert's own Markdown (mistune, with mathematics), formulas are set in the browser by MathJax from
the package jupyter-server-mathjax, figures are drawn by the plotly.js that the package plotly brings. Both are copied
once beside the pages (`ship`), never embedded and never fetched.
"""

import ast
import base64
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import Path
from typing import Literal

import jinja2
import jupyter_server_mathjax
import plotly
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers.python import PythonLexer

from tutorial_lib.course.compare import PLOTLY
from tutorial_lib.course.notebooks import tags

ASSETS = Path(__file__).with_name("assets")
MATHJAX = (
    "MathJax.js", "config/TeX-AMS-MML_HTMLorMML-full.js", "extensions/AssistiveMML.js", "jax/element",
    "jax/output/HTML-CSS", "fonts",
)  # fmt: skip
"""The parts of MathJax that read TeX and draw HTML with its own fonts. The rest of the package stays where it is."""

Kind = Literal["figure", "demo", "card", "source", "table", "text", "error"]
CODE_STYLES = {"light": "xcode", "dark": "github-dark"}
"""Pygments' styles whose every colour has a contrast of 4.5 or more (5.7 and 6.2) on the style's own ground."""

_MINUTES = re.compile(r"\*\*Time:\*\*\s*(\d+)\s+minutes")
_CARD = re.compile(r"\[(holds|does not hold here)\] (.*)")
_HINT = re.compile(r"<em>Hint: (.*?)</em>", re.DOTALL)


@dataclass(frozen=True)
class Output:
    """One output of a cell.

    Attributes:
        kind: what it is; pages treat each kind in their own way.
        html: the output for a page.
        text: what it is about, in words: the figure's title, the claim, the text itself.
    """

    kind: Kind
    html: str
    text: str


@dataclass(frozen=True)
class Lesson:
    """What pages about a lesson need to know of it.

    Attributes:
        slug: such as "05_camera_distortion".
        question: the title without its number.
        minutes: what the first cell says after "Time:", 0 if nothing.
        notebook: the executed notebook.
    """

    slug: str
    question: str
    minutes: int
    notebook: NotebookNode

    @property
    def number(self) -> str:
        """The first two digits of the slug."""
        return self.slug[:2]

    @property
    def name(self) -> str:
        """The slug in words: "camera distortion"."""
        return self.slug[3:].replace("_", " ")


def lesson(slug: str, notebook: NotebookNode) -> Lesson:
    """Read title and minutes from the first cell of an executed notebook.

    Raises:
        ValueError: if the notebook does not begin with a cell of prose whose first line is a title.
    """
    first = notebook.cells[0].source if notebook.cells else ""
    title = re.match(r"# (?:\d\d\s*·\s*)?(.+)", first)
    if title is None:
        raise ValueError(f"{slug} begins with {first[:40]!r}, expected a line such as '# 05 · What does a lens do?'")
    time = _MINUTES.search(first)
    return Lesson(slug, title[1].strip(), int(time[1]) if time else 0, notebook)


# ------------------------------------------------------------------ prose
class _Renderer(IPythonRenderer):
    """Leaves formulas to MathJax, as the script elements it looks for: no delimiter can be taken for a dollar sign."""

    def __init__(self, link: Callable[[str], str | None], taken: set[str]) -> None:
        super().__init__(escape=False, exclude_anchor_links=True)
        self._link, self._taken = link, taken

    def inline_math(self, body: str) -> str:
        return f'<script type="math/tex">{body}</script>'

    def block_math(self, body: str) -> str:
        return f'<script type="math/tex; mode=display">{body}</script>'

    def latex_environment(self, name: str, body: str) -> str:
        return self.block_math(rf"\begin{{{name}}}{body}\end{{{name}}}")

    def heading(self, text: str, level: int, **_: object) -> str:
        return f'<h{level} id="{anchor(text, self._taken)}">{text}</h{level}>\n'

    def link(self, text: str, url: str, title: str | None = None) -> str:
        target = self._link(url)
        return text if target is None else super().link(text, target, title)


def anchor(text: str, taken: set[str]) -> str:
    """An id for a heading, unlike those in `taken`, which it joins."""
    plain = re.sub(r"<script.*?</script>|<[^>]+>|&\w+;", "", text)
    base = re.sub(r"\W+", "-", plain.lower()).strip("-") or "part"
    name, count = base, 2
    while name in taken:
        name, count = f"{base}-{count}", count + 1
    taken.add(name)
    return name


def markdown(text: str, link: Callable[[str], str | None] = lambda url: url, taken: set[str] | None = None) -> str:
    """Prose as HTML: predictions and observations marked, hints folded, tables wrapped so that they scroll alone.

    Args:
        text: Markdown.
        link: target of every link, or None to leave only its words.
        taken: ids that headings already have on this page; new ones are added.
    """
    html = MarkdownWithMath(renderer=_Renderer(link, set() if taken is None else taken)).render(text)
    html = re.sub(r"<blockquote>(?=\s*<p><strong>Predict)", '<blockquote class="predict">', html)
    html = re.sub(r"<p>(?=<strong>What you saw)", '<p class="saw">', html)
    html = _HINT.sub(r"</p><details class='hint'><summary>Hint</summary><p>\1</p></details><p>", html)
    html = re.sub(r"<p>\s*</p>", "", html)
    return scrolling(html)


def scrolling(html: str) -> str:
    """Every table in a box of its own that scrolls, also with the keyboard."""
    html = re.sub(r"<table\b", "<div class='scroll' tabindex='0' role='group' aria-label='table'><table", html)
    html = html.replace("</table>", "</table></div>")
    html = re.sub(r"<td(?=[^>]*>\s*[-−+±]?\d[^<]{0,24}</td>)", "<td data-number", html)  # stays on one line
    return re.sub(r"<th([^>]*)></th>", r"<td\1></td>", html)  # an empty heading tells a screen reader nothing


def plain(html: str) -> str:
    """The words of a piece of HTML, formulas as their TeX without its layout, for the search."""
    text = re.sub(r"<style.*?</style>|<svg.*?</svg>", " ", html, flags=re.DOTALL)
    text = re.sub(r'(?<=<script type="math/tex)[^>]*>.*?(?=</script>)', _plain_formula, text, flags=re.DOTALL)
    text = re.sub(r"<[^>]+>", " ", text)
    for entity, letter in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#x27;", "'"), ("&amp;", "&")):
        text = text.replace(entity, letter)
    return re.sub(r"\s+", " ", text).strip()


def _plain_formula(found: re.Match[str]) -> str:
    """TeX without what only says how it looks."""
    text = re.sub(r"\\(?:math\w+|text\w*|left|right|big|Big|q?quad|cdot|begin|end)(?![a-z])|\\[,;:! ]", " ", found[0])
    return re.sub(r"[{}\\]", "", text)


# ------------------------------------------------------------------ code
def code(text: str) -> str:
    """Python, highlighted. The block scrolls by itself, also with the keyboard."""
    formatter = HtmlFormatter(nowrap=True)
    inner = highlight(text, PythonLexer(), formatter).rstrip("\n")
    return f'<pre class="highlight" tabindex="0" role="group" aria-label="code">{inner}</pre>'


def code_css() -> str:
    """The colours of `code`, for a light page, a dark page and a page that follows the reader's system."""
    sheets = {}
    for theme, style in CODE_STYLES.items():
        for prefix in (".highlight", "html[data-theme=dark] .highlight", "html:not([data-theme=light]) .highlight"):
            lines = HtmlFormatter(style=style).get_style_defs(prefix).splitlines()
            sheets[theme, prefix] = "\n".join(line for line in lines if line.startswith(prefix))
    light = sheets["light", ".highlight"]
    dark = sheets["dark", "html[data-theme=dark] .highlight"]
    system = sheets["dark", "html:not([data-theme=light]) .highlight"]
    docstrings = ".highlight .sd { color: light-dark(#57606a, #9aa4af) }"  # red ones would be the first thing seen
    return (
        f"{light}\n@media screen {{\n{dark}\n@media (prefers-color-scheme: dark) {{\n{system}\n}}\n}}\n{docstrings}\n"
    )


def is_setup(cell: NotebookNode) -> bool:
    """Whether a cell only imports, holds the settings, or prepares what all others share."""
    if cell.cell_type != "code":
        return False
    if "parameters" in tags(cell) or cell.source.startswith("torch.manual_seed("):
        return True
    body = ast.parse(cell.source).body
    return bool(body) and all(isinstance(node, (ast.Import, ast.ImportFrom)) for node in body)


# ------------------------------------------------------------------ outputs
def outputs(cell: NotebookNode, picture: Callable[[bytes], str], where: str) -> list[Output]:
    """Every output of a cell for a page.

    Args:
        cell: of an executed notebook.
        picture: stores a PNG, returns its address.
        where: the notebook's path, for the note under a live demo.
    """
    if cell.cell_type != "code":
        return []
    return [_output(output, picture, where) for output in cell.outputs]


def _output(output: NotebookNode, picture: Callable[[bytes], str], where: str) -> Output:
    data, text = output.get("data", {}), "".join(output.get("text", ""))
    if output.output_type == "error":
        text = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(output.traceback))
        return Output("error", f"<pre class='error' tabindex='0'>{escape(text)}</pre>", output.evalue)
    said = "".join(data.get("text/plain", text))
    image = partial(_image, output, picture)
    if PLOTLY in data:
        title = said.removeprefix("figure: ")
        return Output("figure", _figure(json.loads(json.dumps(data[PLOTLY])), image(title), title), title)
    if "image/png" in data:
        return Output("demo", _still(image(said), said, where), said)
    html = "".join(data.get("text/html", ""))
    if _CARD.match(said):
        return Output("card", f"<div class='claim'>{scrolling(html)}</div>", said)
    if "text/latex" in data and html:  # what `preview.source` shows, with colours for a light page only
        return Output("source", code(said), said)
    if html:
        return Output("table", f"<div class='table'>{scrolling(html)}</div>", plain(html))
    if "text/markdown" in data:
        html = markdown("".join(data["text/markdown"]))
        return Output("table", f"<div class='table'>{html}</div>", plain(html))
    return Output("text", f"<pre class='text' tabindex='0' role='group' aria-label='output'>{escape(said)}</pre>", said)


def _image(output: NotebookNode, picture: Callable[[bytes], str], words: str) -> str:
    """An output's PNG, stored, as an image of its own size."""
    png = base64.b64decode("".join(output.data["image/png"]))
    wide, high = (int.from_bytes(png[at : at + 4]) for at in (16, 20))  # so that nothing jumps when it arrives
    size = f'width="{wide}" height="{high}"'
    return f'<img src="{escape(picture(png))}" alt="{escape(words, quote=True)}" {size} loading="lazy">'


def _figure(spec: dict, image: str, title: str) -> str:
    """A figure that figures.js paints when it comes near the screen; until then, and on paper, its PNG."""
    text = json.dumps({key: spec[key] for key in ("data", "layout", "frames") if key in spec}, separators=(",", ":"))
    text = text.replace("</", "<\\/")
    return (
        f'<figure class="plot" aria-label="{escape(title, quote=True)}">{image}'
        f'<script type="application/json">{text}</script></figure>'
    )


def _still(image: str, said: str, where: str) -> str:
    """The picture of a live demo, with a word on how to see it move."""
    caption = re.sub(r"^live demo '(.*?)': .*", r"\1", said, flags=re.DOTALL)
    return (
        f'<figure class="demo">{image}<figcaption><b>Live demo: {escape(caption)}.</b> This is a still picture of it. '
        f"To move it, run <code>make lab</code>, open <code>{escape(where)}</code> and choose "
        "<i>Run → Run All Cells</i>.</figcaption></figure>"
    )


def claims(cell: NotebookNode) -> list[tuple[bool, str]]:
    """(holds, claim) of every claim card that a cell shows."""
    found = []
    for output in cell.get("outputs", []):
        match = _CARD.match("".join(output.get("data", {}).get("text/plain", "")))
        if match:
            found.append((match[1] == "holds", match[2]))
    return found


# ------------------------------------------------------------------ files
def begin(folder: Path, notebooks: Path, *names: str) -> jinja2.Environment:
    """Empty `folder`, put in what all pages need and our own assets `names`; returns the pages' templates."""
    shutil.rmtree(folder, ignore_errors=True)
    ship(folder / "assets", *names)
    if (notebooks / "images").is_dir():
        shutil.copytree(notebooks / "images", folder / "images")
    loader = jinja2.FileSystemLoader(ASSETS)
    return jinja2.Environment(loader=loader, trim_blocks=True, lstrip_blocks=True, autoescape=True)


def ship(folder: Path, *names: str) -> None:
    """Put plotly.js, MathJax, the colours of code and our own `names` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(Path(plotly.__file__).parent / "package_data" / "plotly.min.js", folder / "plotly.min.js")
    source = Path(jupyter_server_mathjax.__file__).parent / "static"
    for name in MATHJAX:
        target = folder / "mathjax" / name
        if (source / name).is_dir():
            shutil.copytree(source / name, target, dirs_exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, target)
    (folder / "code.css").write_text(code_css(), encoding="utf-8")
    for name in names:
        shutil.copyfile(ASSETS / name, folder / name)


def cover(stills: list[str], folder: Path) -> str:
    """Address of the richest of a lesson's pictures: of those in these pieces of HTML, the PNG with the most bytes."""
    found = re.findall(r'<img src="([^"]+)"', "".join(stills))
    return max(found, key=lambda address: (folder / address).stat().st_size, default="")


def stored(folder: Path, start: str) -> Callable[[bytes], str]:
    """A store for pictures: writes `folder`/pictures/START-0.png and so on, returns the address from a page there."""
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    count = iter(range(10_000))

    def picture(png: bytes) -> str:
        path = folder / "pictures" / f"{start}-{next(count)}.png"
        path.write_bytes(png)
        return f"pictures/{path.name}"

    return picture
