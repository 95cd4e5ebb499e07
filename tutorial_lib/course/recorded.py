"""Live demos on pages without a kernel: what a page puts where a demo's still stands, and the files that it wants.

A page loads `page.js` and `page.css` from the folder that `ship` fills; a demo's recording is loaded when it comes near
the screen. Without a recording, without scripts and on paper the still stays.
"""

import shutil
from html import escape
from pathlib import Path

from tutorial_lib.course.notebooks import BUILD
from tutorial_lib.display import stage
from tutorial_lib.display.recording import name_of

RECORDED = BUILD / "recorded"
LOADS = ("page.js", "page.css")
"""What every page with a demo loads from `ship`'s folder, however it finds it: a script and a style sheet."""

_DISPLAY = Path(stage.__file__).parent


def demo(said: str, slug: str, still: str, folder: Path | None = None) -> str:
    """HTML that stands for a live demo: its still, which page.js replaces where the demo was recorded.

    Args:
        said: the output's text, "live demo 'NAME': ...".
        slug: of the lesson.
        still: HTML of the still picture.
        folder: where the recordings are; by default in `RECORDED`.
    """
    name = f"{slug}/{name_of(said)}"
    return f'<div data-demo="{escape(name)}">{still}</div>' if moves(said, slug, folder) else still


def moves(said: str, slug: str, folder: Path | None = None) -> bool:
    """Whether there is a recording of this demo."""
    return ((folder or RECORDED) / slug / f"{name_of(said)}.js").is_file()


def ship(target: Path, slugs: list[str], folder: Path | None = None) -> None:
    """Put the page's script and style sheet (`LOADS`) and the lessons' recordings into `target`."""
    folder = folder or RECORDED
    target.mkdir(parents=True, exist_ok=True)
    (target / "page.js").write_text(page_script(), encoding="utf-8")
    styles = [(_DISPLAY / name).read_text("utf-8") for name in ("stage.css", "page.css")]
    (target / "page.css").write_text("\n".join(styles), encoding="utf-8")
    for slug in slugs:
        if (folder / slug).is_dir():
            shutil.copytree(folder / slug, target / slug, dirs_exist_ok=True)


def page_script() -> str:
    """One script: the stage and the moments as the widgets draw them, then page.js."""
    widgets = [
        f"const {name} = (() => {{\n{_as_function(stage.script(f'{name}.js'))}\n}})();" for name in ("stage", "moments")
    ]
    return "\n".join(["(() => {", *widgets, (_DISPLAY / "page.js").read_text("utf-8"), "})();\n"])


def _as_function(module: str) -> str:
    """A widget's module as the body of a function: a page that was opened from disk may not import modules."""
    end = "export default { render };"
    if end not in module:
        raise ValueError(f"a widget's script ends with {module[-60:]!r}, expected {end!r}")
    return module.replace(end, "return render;")
