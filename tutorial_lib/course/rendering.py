"""What the site and the slides share: the cells of an executed lesson as HTML that needs no kernel and no network.

Formulas are set in the browser by MathJax from the package jupyter-server-mathjax, figures are drawn by the plotly.js
that the package plotly brings. Both are copied once beside the pages (`ship`), never embedded and never fetched.
"""

import base64
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from html import escape, unescape
from pathlib import Path
from typing import Literal

import jinja2
import jupyter_server_mathjax
import plotly
from nbconvert.filters import markdown2html
from nbformat import NotebookNode

from tutorial_lib.course import recorded
from tutorial_lib.course.compare import PLOTLY
from tutorial_lib.course.notebooks import NOTEBOOKS, fitting, read_notebook, sets_up, tags
from tutorial_lib.course.unpack import PATTERN

ASSETS = Path(__file__).with_name("assets")
MATHJAX = (
    "MathJax.js", "config/TeX-AMS-MML_HTMLorMML-full.js", "extensions/AssistiveMML.js", "extensions/tex2jax.js",
    "jax/element", "jax/output/HTML-CSS", "fonts",
)  # fmt: skip
"""The parts of MathJax that read TeX and draw HTML with its own fonts. The rest of the package stays where it is."""

Kind = Literal["figure", "demo", "card", "source", "table", "question", "answer", "text", "error"]

_MINUTES = re.compile(r"\*\*Time:\*\*\s*(\d+)\s+minutes")
_FOLD = re.compile(r"class='pose-(question|fold)'")
_CARD = re.compile(r"^\[(holds|does not hold here|undecided)\] (.*)", re.MULTILINE)


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


def executed(wanted: list[str], notebooks: Path = NOTEBOOKS) -> list[Lesson]:
    """The executed lessons that `wanted` names by number or slug; all of them if it names none.

    Raises:
        ValueError: if a name fits no executed lesson; says which there are.
    """
    there = sorted(path.stem for path in notebooks.glob(PATTERN))
    try:
        chosen = fitting(wanted, there)
    except ValueError as error:
        raise ValueError(f"{error}: run `make build` to execute one") from None
    return [lesson(slug, read_notebook(notebooks / f"{slug}.ipynb")) for slug in chosen]


def is_setup(cell: NotebookNode) -> bool:
    """Whether a cell only imports, holds the settings, or prepares what all others share."""
    return "parameters" in tags(cell) or sets_up(cell)


def outputs(cell: NotebookNode, picture: Callable[[bytes], str], where: str) -> list[Output]:
    """Every output of a cell for a page.

    Args:
        cell: of an executed notebook.
        picture: stores a PNG, returns its address.
        where: the path of a reader's copy, for the note under a live demo.
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
        return Output("source", escape(said), said)  # whoever shows it colours it
    if _FOLD.search(html):
        return Output("question" if said.startswith("What do you say?") else "answer", html, plain(html))
    if html:
        return Output("table", f"<div class='table'>{scrolling(html)}</div>", plain(html))
    if "text/markdown" in data:
        html = scrolling(markdown2html("".join(data["text/markdown"])))
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
    text = embedded_json({key: spec[key] for key in ("data", "layout", "frames") if key in spec})
    return (
        f'<figure class="plot" aria-label="{escape(title, quote=True)}">{image}'
        f'<script type="application/json">{text}</script></figure>'
    )


def embedded_json(content: object) -> str:
    """JSON that may stand in a page's script: `<!--<script>` in a text would keep the script from ending."""
    return json.dumps(content, separators=(",", ":")).replace("<", "\\u003c")


def _still(image: str, said: str, where: str) -> str:
    """The picture of a live demo, which moves on the page where it was recorded, with a word on how to move all."""
    caption = re.sub(r"^live demo '(.*?)': .*", r"\1", said, flags=re.DOTALL)
    slug = Path(where).stem
    here, what = ("Some of it moves here.", "all of it") if recorded.moves(said, slug) else (
        "This is a still picture of it.", "it"
    )  # fmt: skip
    return (
        f'<figure class="demo">{recorded.demo(said, slug, image)}<figcaption><b>Live demo: {escape(caption)}.</b> '
        f"{here} To move {what}, run <code>make lab</code>, open <code>{escape(where)}</code> and choose "
        "<i>Run → Run All Cells</i>.</figcaption></figure>"
    )


def claims(cell: NotebookNode) -> list[tuple[bool | None, str]]:
    """(holds, claim) of every claim card that a cell shows; None is undecided."""
    found = []
    for output in cell.get("outputs", []):
        for match in _CARD.finditer("".join(output.get("data", {}).get("text/plain", ""))):
            found.append(({"holds": True, "undecided": None}.get(match[1], False), match[2]))
    return found


def begin(folder: Path, notebooks: Path, *names: str) -> jinja2.Environment:
    """Empty `folder`, put in what all pages need and our own assets `names`; returns the pages' templates."""
    shutil.rmtree(folder, ignore_errors=True)
    ship(folder / "assets", *names)
    if (notebooks / "images").is_dir():
        shutil.copytree(notebooks / "images", folder / "images")
    loader = jinja2.FileSystemLoader(ASSETS)
    return jinja2.Environment(loader=loader, trim_blocks=True, lstrip_blocks=True, autoescape=True)


def ship(folder: Path, *names: str) -> None:
    """Put plotly.js, MathJax and our own `names` into `folder`."""
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


def scrolling(html: str) -> str:
    """Every table in a box of its own that scrolls, also with the keyboard."""
    html = re.sub(r"<table\b", "<div class='scroll' tabindex='0' role='group' aria-label='table'><table", html)
    html = html.replace("</table>", "</table></div>")
    html = re.sub(r"<td(?=[^>]*>\s*[-−+±]?\d[^<]{0,24}</td>)", "<td data-number", html)  # stays on one line
    return re.sub(r"<th([^>]*)></th>", r"<td\1></td>", html)  # an empty heading tells a screen reader nothing


def plain(html: str) -> str:
    """The words of a piece of HTML."""
    text = re.sub(r"<(style|svg).*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())
