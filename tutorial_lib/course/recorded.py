"""Live demos on pages without a kernel: what a page puts where a demo's still stands, and the files that it wants.

A page loads `page.js` and `page.css` from the folder that `ship` fills; a demo's recording is loaded when it comes near
the screen. Without a recording, without scripts and on paper the still stays.
"""

import base64
import gzip
import os
import shutil
import sys
from html import escape
from pathlib import Path

from tutorial_lib.adaptation import in_page
from tutorial_lib.course.notebooks import BUILD
from tutorial_lib.display import stage
from tutorial_lib.display.recording import name_of

RECORDED = BUILD / "recorded"
LOADS = ("page.js", "page.css")
"""What every page with a demo loads from `ship`'s folder, however it finds it: a script and a style sheet."""

_TOOLS = Path(os.environ.get("COURSE_PAGE") or Path(sys.prefix) / "page")
EXPORTERS, RUNTIME = _TOOLS / "python", _TOOLS / "package" / "dist"
"""Where `make page-tools` puts the Python packages that export graphs, and the npm package onnxruntime-web that runs
them in a page. Both may be missing: demos then show what was recorded."""

GLUE, WASM, NETWORK = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm", ".net.js"

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


def ship(target: Path, slugs: list[str], folder: Path | None = None, runtime: Path = RUNTIME) -> None:
    """Put the page's script and style sheet (`LOADS`) and the lessons' recordings into `target`."""
    folder = folder or RECORDED
    target.mkdir(parents=True, exist_ok=True)
    found = [path for slug in slugs for path in sorted((folder / slug).glob("*.js"))]
    computes = (runtime / GLUE).is_file() and any(path.name.endswith(NETWORK) for path in found)
    if computes:
        (target / "ort.js").write_text(runtime_script(runtime), encoding="utf-8")
    for path in found:
        if computes or not path.name.endswith(NETWORK):
            (target / path.parent.name).mkdir(exist_ok=True)
            shutil.copyfile(path, target / path.parent.name / path.name)
    (target / "page.js").write_text(page_script(computes), encoding="utf-8")
    styles = [(_DISPLAY / name).read_text("utf-8") for name in ("stage.css", "page.css")]
    (target / "page.css").write_text("\n".join(styles), encoding="utf-8")


def runtime_script(runtime: Path) -> str:
    """onnxruntime-web as a script: a page that was opened from disk may neither fetch nor import a file."""
    glue = base64.b64encode((runtime / GLUE).read_bytes()).decode()
    binary = gzip.compress((runtime / WASM).read_bytes(), 9, mtime=0)
    return f'window.COURSE_ORT = {{glue: "{glue}", wasm: "{base64.b64encode(binary).decode()}"}};\n'


def page_script(computes: bool) -> str:
    """One script: the stage and the moments as the widgets draw them, what computes in the page, then page.js.

    Args:
        computes: whether the runtime lies beside it.
    """
    widgets = [
        f"const {name} = (() => {{\n{_as_function(stage.script(f'{name}.js'))}\n}})();" for name in ("stage", "moments")
    ]
    rest = [path.read_text("utf-8") for path in (Path(in_page.__file__).with_suffix(".js"), _DISPLAY / "page.js")]
    return "\n".join(["(() => {", f"const COMPUTES = {str(computes).lower()};", *widgets, *rest, "})();\n"])


def _as_function(module: str) -> str:
    """A widget's module as the body of a function: a page that was opened from disk may not import modules."""
    end = "export default { render };"
    if end not in module:
        raise ValueError(f"a widget's script ends with {module[-60:]!r}, expected {end!r}")
    return module.replace(end, "return render;")
