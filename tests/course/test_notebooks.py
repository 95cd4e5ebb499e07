"""The lessons as people open them: what is committed is whole, and a run of it tells the same again.

Three things run here, and each finds what the others cannot. **nbval** (`make test` passes it the folder)
executes every committed notebook cell by cell; it alone sees an error inside a widget's output. It is lax:
strict nbval compares the random identity of every figure widget and the last bit of every plotly array, which
differ between runs and between processors. So text that must be equal to the letter carries
`# NBVAL_CHECK_OUTPUT`, and that is compared strictly. **papermill** executes every lesson with parameters and
from another folder, as a reader would; the cells tagged `demo-test` move sliders and assert on what the
figure then holds, because an error behind a widget raises nowhere else. **The comparison** of that run with
what is committed finds outputs that the library has moved away from; see `tutorial_lib.course.compare`.
"""

import re

import pytest

from tutorial_lib.course import build, compare, notebooks, run

SLUGS = notebooks.slugs()
each_lesson = pytest.mark.parametrize("slug", SLUGS)


def code_cells(notebook):
    """Code cells that have code."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def outputs(notebook):
    """(cell, output) of all code cells."""
    return [(cell, output) for cell in code_cells(notebook) for output in cell.outputs]


def test_every_notebook_has_its_text():
    committed = {path.stem for path in notebooks.NOTEBOOKS.glob("[0-9][0-9]_*.ipynb")}
    assert committed == set(SLUGS), "run `make build`, or remove the half that is left over"


@each_lesson
def test_is_executed_in_order_without_errors(slug):
    notebook = notebooks.read_committed(slug)
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1)), "run `make build`"
    assert not [output.ename for _, output in outputs(notebook) if output.output_type == "error"]


@each_lesson
def test_is_small_and_says_nothing_about_the_machine(slug):
    notebook = notebooks.read_committed(slug)
    assert (notebooks.NOTEBOOKS / f"{slug}.ipynb").stat().st_size < build.MAX_BYTES
    assert "widgets" not in notebook.metadata, "widget state makes a preview say 'Invalid Notebook'"
    assert build.machine_paths(notebook) == []
    assert not [cell.id for cell in notebook.cells if "execution" in cell.metadata], "timestamps never repeat"


@each_lesson
def test_every_figure_has_a_picture_beside_it(slug):
    """A preview without JavaScript shows the picture."""
    for cell, output in outputs(notebooks.read_committed(slug)):
        if compare.PLOTLY in output.get("data", {}):
            pictures = [other for other in cell.outputs if "image/png" in other.get("data", {})]
            assert pictures, f"no PNG beside the figure of {cell.source[:80]!r}"


@each_lesson
def test_pair_is_equal_and_outputs_belong_to_the_code(slug):
    committed = notebooks.read_committed(slug)
    assert compare.pair_differences(notebooks.read_source(slug), committed) == []
    assert not compare.stale_code(committed), "code was edited after it ran: run `make build`"


@each_lesson
def test_every_prediction_can_be_said_and_is_answered_after_it(slug):
    cells = notebooks.read_source(slug).cells
    texts = [cell.source for cell in cells]
    asked = [number for number, cell in enumerate(cells) if re.search(r"^> \*\*Predict", cell.source, re.MULTILINE)]
    said = {
        found[1]: number for number, text in enumerate(texts) if (found := re.search(r"^(\w+) = predict\(", text, re.M))
    }
    if not said:
        pytest.skip("its predictions are prose")
    assert [number - 1 for number in said.values()] == asked, "room for an answer right below every question"
    for name, number in said.items():
        answers = [place for place, text in enumerate(texts) if re.search(rf"^{name}\.answer\(", text, re.M)]
        assert len(answers) == 1 and answers[0] > number, name


@each_lesson
@pytest.mark.timeout(900)
def test_runs_from_anywhere_and_tells_the_same(slug, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parameters = {"PROFILE": "quick", "DEVICE": "cpu"}  # as it was built; nbval leaves the device open
    result = run.run(slug, parameters, out=tmp_path / "out", quiet=True)
    assert not result.error
    assert result.peak_bytes < run.QUICK_BYTES, f"{result.peak_bytes / 1e9:.2f} GB"

    fresh = notebooks.read_notebook(result.notebook)
    driven = [cell for cell in code_cells(fresh) if "demo-test" in notebooks.tags(cell)]
    assert driven, "no cell is tagged demo-test: nothing proves that the demo moves"
    assert all(cell.execution_count for cell in driven)
    assert compare.output_differences(notebooks.read_committed(slug), fresh) == []
