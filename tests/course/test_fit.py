"""Every live demo of every lesson in a real JupyterLab, at the size of a projector and in narrow windows; and how many
screens a lesson is.

A lesson is run as far as its demos need it: cells whose names no demo uses are left out.
"""

import ast

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from tutorial_lib.course import notebooks
from tutorial_lib.course.student import learners_copy

LESSONS = notebooks.slugs()
WIDE, HIGH = 1280, 720
ROOM = 590
"""CSS pixels of a notebook that JupyterLab shows at once at this size, less a margin of eight."""
NARROW = (760, 480)
TRACK = 90
"""CSS pixels of a slider that one can drag along, at least."""
SCREENS, SCREEN = 22, 778
"""A lesson's length at most, and the CSS pixels of a notebook that JupyterLab shows at once at 1440 x 900."""

UNROLLED = """() => {
  const panel = window.jupyterapp.shell.currentWidget;
  panel.content.notebookConfig = {...panel.content.notebookConfig, windowingMode: 'none'};
  window.jupyterapp.shell.collapseLeft();
}"""
LETTERS = """() => {  // what is centred on a canvas, such as names under bars, since it was last wiped
  const pen = CanvasRenderingContext2D.prototype, {fillText, clearRect} = pen;
  pen.clearRect = function (...box) { this.canvas.letters = []; return clearRect.apply(this, box); };
  pen.fillText = function (text, x, y, room) {
    const width = Math.min(this.measureText(text).width, room || Infinity), upright = !this.getTransform().b;
    if (this.textAlign === 'center' && upright) (this.canvas.letters ||= []).push({text, x, y, width});
    return fillText.call(this, text, x, y, ...(room ? [room] : []));
  };
}"""
MEASURED = """TRACK => {
  const touching = letters => letters.flatMap((a, i) => letters.slice(i + 1).filter(b => Math.abs(a.y - b.y) < 6 &&
    Math.abs(a.x - b.x) < (a.width + b.width) / 2 + 2).map(b => `${a.text} | ${b.text}`));
  const scrolls = e => e.parentElement.closest('.pose-tables') || e.closest('.pose-tip');
  const seen = e => { const r = e.getBoundingClientRect(); return r.width > 2 && r.height > 2; };
  const right = e => e.getBoundingClientRect().right;
  const outputs = [...document.querySelectorAll('.jp-OutputArea-output')];
  return outputs.filter(o => o.querySelector('.pose-panes') && o.querySelector('.pose-controls')).map(o => {
    const box = o.getBoundingClientRect(), all = [...o.querySelectorAll('*')].filter(seen);
    const controls = [...o.querySelectorAll('.pose-controls > :not(.widget-accordion)')].filter(seen);
    const labels = [...o.querySelectorAll('.widget-label, .pose-button, .jupyter-button')].filter(seen);
    return {
      demo: (o.querySelector('b') || {}).textContent || '?', height: Math.round(box.height),
      controls: controls.length,
      cut: labels.filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent.trim()),
      wide: all.filter(e => right(e) > box.right + 2 && !scrolls(e)).map(e => e.className).slice(0, 3),
      short: [...o.querySelectorAll('.pose-controls .noUi-target')].filter(seen).filter(
        e => e.getBoundingClientRect().width < TRACK).map(e => e.closest('.widget-inline-hbox').textContent.trim()),
      crowded: [...o.querySelectorAll('.pose-curve canvas')].filter(seen).flatMap(c => touching(c.letters || [])),
      empty: [...o.querySelectorAll('canvas')].filter(c => seen(c) && c.toDataURL().length < 1500).length,
    };
  });
}"""

FLAWS = ("cut", "wide", "short", "crowded")
LONG = """() => {
  const panel = window.jupyterapp.shell.currentWidget, high = e => (e ? e.getBoundingClientRect().height : 0);
  const cells = [...panel.node.querySelectorAll('.jp-Notebook .jp-Cell')];
  const outputs = c => [...c.querySelectorAll('.jp-OutputArea-child')];
  const sum = (items, pick) => items.reduce((total, item) => total + pick(item), 0);
  const prose = sum(cells.filter(c => c.classList.contains('jp-MarkdownCell')), high);
  const code = cells.filter(c => !c.classList.contains('jp-MarkdownCell'));
  const input = sum(code, c => high(c.querySelector('.jp-Cell-inputWrapper'))), shown = code.flatMap(outputs);
  const pictures = sum(shown.filter(o => o.querySelector('img, canvas, .js-plotly-plot')), high);
  return {count: cells.length, all: prose + input + sum(shown, high), seen: prose + pictures};
}"""

SIZES = """() => ['.pose-values', '.pose-controls .widget-label', '.pose-buttons button'].map(name =>
  parseFloat(getComputedStyle(document.querySelector(name)).fontSize))"""


def shows_demo(cell):
    return any("".join(o.get("data", {}).get("text/plain", "")).startswith("live demo") for o in cell.outputs)


def names(source):
    """(bound, used) global names of a cell."""
    nodes = list(ast.walk(ast.parse(TransformerManager().transform_cell(source))))
    bound = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    bound |= {node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    imports = [alias for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom)) for alias in node.names]
    bound |= {(alias.asname or alias.name).split(".")[0] for alias in imports}
    return bound, {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def demos_alone(slug):
    """The sources of the cells that show a lesson's demos, and of those before them that bind what they use."""
    kept, wanted = [], set()
    cells = [cell for cell in notebooks.read_committed(slug).cells if cell.cell_type == "code" and cell.source.strip()]
    for cell in reversed(cells):
        bound, used = names(cell.source)
        if shows_demo(cell) or bound & wanted:
            kept.insert(0, cell.source)
            wanted |= used
    return kept, sum(map(shows_demo, cells))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("slug", LESSONS)
def test_every_demo_fits_a_projector_and_a_narrow_window(slug, ran):
    cells, count = demos_alone(slug)
    page = ran(cells, width=WIDE, height=HIGH)
    page.evaluate(LETTERS)
    page.evaluate(UNROLLED)
    page.wait_for_function(
        "n => document.querySelectorAll('.pose-panes').length >= n && "
        "[...document.querySelectorAll('.pose-panes canvas')].every(c => c.width > 20)",
        arg=count,
    )
    page.wait_for_timeout(500)  # pictures are drawn in the next frame
    measured = page.evaluate(MEASURED, TRACK)
    assert len(measured) == count
    for demo in measured:
        assert demo["height"] <= ROOM, demo
        assert not demo["empty"] and not any(demo[flaw] for flaw in FLAWS), demo
        assert demo["controls"] <= 3, demo
    for width in NARROW:
        page.set_viewport_size({"width": width, "height": HIGH})
        page.wait_for_timeout(500)
        for demo in page.evaluate(MEASURED, TRACK):
            assert not any(demo[flaw] for flaw in FLAWS), (width, demo)
    page.set_viewport_size({"width": WIDE, "height": HIGH})
    page.evaluate("window.jupyterapp.shell.expandLeft()")
    page.wait_for_timeout(700)
    for demo in page.evaluate(MEASURED, TRACK):
        assert not any(demo[flaw] for flaw in FLAWS), ("with the file browser open", demo)
    page.evaluate("window.jupyterapp.shell.collapseLeft()")
    page.wait_for_timeout(500)
    small = page.evaluate(SIZES)
    page.evaluate("window.jupyterapp.commands.execute('application:toggle-presentation-mode')")
    page.wait_for_timeout(500)
    for before, after in zip(small, page.evaluate(SIZES), strict=True):
        assert after > 1.2 * before, "in presentation mode captions and sliders grow"
    assert page.evaluate("window.kernelErrors") == []


@pytest.mark.timeout(900)
def test_a_lesson_is_at_most_22_screens_and_a_third_of_it_is_prose_and_pictures(opened, jupyterlab):
    """Learner's copies as they open, nothing run and every fold closed; gaps between cells are not counted.

    All in one page: to load JupyterLab takes longer than to measure a lesson."""

    def copy(slug):
        return learners_copy((notebooks.NOTEBOOKS / f"{slug}.ipynb").read_bytes(), slug)

    _, folder = jupyterlab
    page, faults = opened(copy(LESSONS[0]), width=1440, height=900), []
    for slug in LESSONS:
        (folder / f"{slug}.ipynb").write_bytes(copy(slug))
        path = f"{folder.name}/{slug}.ipynb"
        page.evaluate("path => { jupyterapp.commands.execute('docmanager:open', {path}); }", path)
        page.wait_for_function(
            "path => { const c = jupyterapp.shell.currentWidget?.context; return c?.path === path && c.isReady; }",
            arg=path,
        )
        page.evaluate(UNROLLED)
        page.wait_for_function(f"() => ({LONG})().count === jupyterapp.shell.currentWidget.content.widgets.length")
        page.wait_for_timeout(2500)  # formulas and figures grow as they are set
        long = page.evaluate(LONG)
        screens, share = long["all"] / SCREEN, long["seen"] / long["all"]
        if screens > SCREENS or share < 1 / 3:
            faults.append(f"{slug}: {screens:.1f} screens, {share:.2f} of them prose and pictures")
        page.evaluate("() => { jupyterapp.shell.currentWidget.dispose(); }")
    assert not faults
