"""The workshop itself, on a tiny lesson made for the purpose."""

import errno
import json
import os
import subprocess
import sys
from types import SimpleNamespace

import nbformat
import pytest

from tutorial_lib.course import bench_ratios, build, compare, environment, environment_report, notebooks, run
from tutorial_lib.training import resolve_device

LESSON = """\
# %% [markdown]
# # Does a scratch lesson live?

# %% tags=["parameters"]
PROFILE = "quick"
SEED = 0

# %%
import base64, json, os, sys
import ipywidgets
import plotly.graph_objects as go

PNG = base64.b64encode(bytes(8)).decode()

class Demo(ipywidgets.VBox):
    def _repr_mimebundle_(self, include=None, exclude=None):
        return super()._repr_mimebundle_() | {"image/png": PNG}

slider = ipywidgets.IntSlider(1)
demo = Demo([slider])
demo

# %%
# NBVAL_CHECK_OUTPUT
print("seed", SEED)

# %%
from tqdm.auto import tqdm
for _ in tqdm(range(3)):
    pass
print(open("measured.txt").read())
print("a warning", file=sys.stderr)

# %%
figure = {"data": [{"type": "scatter", "name": "error", "y": [1.0, 2.0]}], "layout": {}}
bundle = {"application/vnd.plotly.v1+json": figure, "image/png": PNG, "text/plain": "Figure"}
display(bundle, raw=True)

# %% tags=["demo-test"]
slider.value = 3
assert demo.children[0].value == 3

# %%
claims = {f"01/{i}": {"lesson": "01", "id": f"{i}", "text": "", "holds": i > 0} for i in range(SEED + 2)}
with open(os.environ["COURSE_CLAIMS"], "w") as file:
    json.dump(claims, file)
"""


def write(folder, text=LESSON, slug="01_scratch"):
    """A folder with one lesson."""
    (folder / "source").mkdir(parents=True, exist_ok=True)
    (folder / "source" / f"{slug}.py").write_text(text)
    (folder / "measured.txt").write_text("error 41.2 mm")
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder with one lesson, built."""
    folder = write(tmp_path_factory.mktemp("course") / "notebooks")
    build.build("01_scratch", folder)
    return folder


def test_build_writes_what_a_reader_can_open(built):
    notebook = notebooks.read_committed("01_scratch", built)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, 8))
    kinds = [[output.get("name") or "+".join(sorted(output.data)) for output in cell.outputs] for cell in code]
    assert kinds == [
        [],
        ["image/png+text/plain"],  # the widget's view died with its kernel, the picture stays
        ["stdout"],
        ["stdout"],  # without the progress bar and the warning
        ["application/vnd.plotly.v1+json+image/png+text/plain"],
        [],
        [],
    ]
    assert "widgets" not in notebook.metadata
    assert "version" not in notebook.metadata.language_info
    assert not any("execution" in cell.metadata for cell in notebook.cells)
    assert notebooks.tags(code[0]) == ["parameters"]
    nbformat.validate(notebook)


def test_plumbing_is_folded_and_nothing_else(tmp_path):
    cells = {
        "import torch\n\nfrom math import pi": True,
        "torch.manual_seed(SEED)\nLESSON = 1": True,
        "numbers = [1]\nrecord(\n    Claim(numbers)\n)": True,
        'A = "(1)"\nguess = predict({A: ["a", "b"]})\nguess': True,
        'guess.answer("a", "Because.")': True,
        'PROFILE = "quick"': False,
        "demo = make_demo()\ndemo": False,
        "def mine(x):\n    record(x)": False,
    }
    (tmp_path / "source").mkdir()
    text = "\n".join(f"# %%\n{source}\n" for source in cells) + '# %% tags=["demo-test"]\ndemo.check()\n'
    text += "# %% [markdown]\n# record( is a word\n"
    (tmp_path / "source" / "01_scratch.py").write_text(text)
    found = [bool(c.metadata.get("jupyter")) for c in notebooks.read_source("01_scratch", tmp_path).cells]
    assert found == [*cells.values(), True, False]


def test_ids_follow_the_text_and_are_unique(built, tmp_path):
    first = [cell.id for cell in notebooks.read_source("01_scratch", built).cells]
    assert first == [cell.id for cell in notebooks.read_committed("01_scratch", built).cells]
    double = write(tmp_path, LESSON + "\n# %%\nSEED\n\n# %%\nSEED\n")
    ids = [cell.id for cell in notebooks.read_source("01_scratch", double).cells]
    assert ids[: len(first)] == first
    assert len(set(ids)) == len(ids)


def test_check_accepts_a_fresh_notebook_and_finds_a_library_that_moved_on(built):
    assert build.check("01_scratch", built) == []
    (built / "measured.txt").write_text("error 61.7 mm")
    try:
        assert build.check("01_scratch", built) == ["cell 4: committed says 41.2, a fresh run says 61.7"]
    finally:
        (built / "measured.txt").write_text("error 41.2 mm")


def test_check_finds_an_edit_in_one_of_the_pair_and_in_both(built, tmp_path):
    notebook = notebooks.read_committed("01_scratch", built)
    folder = write(tmp_path, LESSON.replace('print("seed", SEED)', 'print("seed", SEED + 1)'))
    nbformat.write(notebook, folder / "01_scratch.ipynb")
    (found,) = build.check("01_scratch", folder)
    assert found.startswith("cell 3: source")

    notebook.cells[3].source = notebooks.read_source("01_scratch", folder).cells[3].source
    nbformat.write(notebook, folder / "01_scratch.ipynb")
    assert build.check("01_scratch", folder) == ["a code cell has changed since the outputs were made"]


def test_pair_differences_sees_tags_and_length(built):
    source, other = (notebooks.read_source("01_scratch", built) for _ in range(2))
    other.cells[1].metadata.tags = []
    other.cells.pop()
    found = compare.pair_differences(source, other)
    assert len(found) == 2 and "tags" in found[1]


@pytest.mark.parametrize(
    ("old", "new", "differs"),
    [
        ("41.2 mm", "41.9 mm", False),  # another processor
        ("41.2 mm", "61.9 mm", True),
        ("1,234 px", "1,239 px", False),
        ("\u22122.5", "2.5", True),
        ("holds", "does not hold", True),
        ("<Model at 0x7f12ab>", "<Model at 0x7f99cd>", False),
        ("0.0", "0.1", False),
        ("nothing", "", True),
    ],
)
def test_texts_are_compared_by_word_and_by_size_of_number(old, new, differs):
    def notebook(text):
        output = nbformat.v4.new_output("stream", name="stdout", text=text)
        return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", outputs=[output])])

    assert bool(compare.output_differences(notebook(old), notebook(new))) is differs


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("print('/home/someone/clone/x.py')", "folders of this machine"),
        ("print('x' * 1_100_000)", "bytes, expected less than 1,000,000"),
        ("import ipywidgets\nipywidgets.IntSlider()", "a widget without a picture"),
    ],
)
def test_build_refuses_what_cannot_be_committed(tmp_path, cell, message):
    folder = write(tmp_path, f'# %% tags=["parameters"]\nPROFILE = "quick"\n\n# %%\n{cell}\n')
    with pytest.raises(Exception, match=message):
        build.build("01_scratch", folder)
    assert not (folder / "01_scratch.ipynb").exists()


def test_build_refuses_a_lesson_that_is_not_quick_by_default(tmp_path):
    folder = write(tmp_path, '# %% tags=["parameters"]\nPROFILE = "full"\n')
    with pytest.raises(ValueError, match='PROFILE = "quick"'):
        build.build("01_scratch", folder)


def test_a_path_is_found_and_an_address_is_not_taken_for_one():
    def notebook(text):
        output = nbformat.v4.new_output("stream", name="stdout", text=text)
        return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", outputs=[output])])

    assert build.machine_paths(notebook("saved to /tmp/x.npz"))
    assert build.machine_paths(notebook('File "/home/anna/clone/x.py"'))
    assert build.machine_paths(notebook(f"in {notebooks.ROOT}/notebooks"))
    assert not build.machine_paths(notebook("see example.org/home/x, build/claims.json and 1/2"))


def test_run_reports_time_memory_and_claims(built, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run.run("01_scratch", {"SEED": 2}, out=tmp_path / "out", notebooks=built, quiet=True)
    assert result.error == ""
    assert result.held == "3 of 4"
    assert 0 < result.seconds < 200
    assert 30e6 < result.peak_bytes < 1e9
    executed = notebooks.read_notebook(result.notebook)
    assert any("seed 2" in str(cell.get("outputs", "")) for cell in executed.cells)
    # The injected cell is left out of the comparison, the changed seed is seen.
    assert compare.output_differences(notebooks.read_committed("01_scratch", built), executed) == [
        "cell 3: committed says 0, a fresh run says 2"
    ]


def test_run_tells_an_error_as_a_result(built, tmp_path):
    (tmp_path / "source").mkdir()
    notebook = notebooks.read_committed("01_scratch", built)
    notebook.cells[-1].source = "raise RuntimeError('on purpose')"
    nbformat.write(notebook, tmp_path / "01_scratch.ipynb")
    (tmp_path / "measured.txt").write_text("error 41.2 mm")
    result = run.run("01_scratch", {}, out=tmp_path / "out", notebooks=tmp_path, quiet=True)
    assert "RuntimeError: on purpose" in result.error
    assert result.held == "-"
    assert "FAILED: cell" in run.table([result])


def test_nbval_accepts_the_built_notebook(built, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CLAIMS", str(tmp_path / "claims.json"))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--nbval-lax",
        "--nbval-current-env",
        "-p",
        "no:cacheprovider",
        "-q",
    ]
    done = subprocess.run([*command, str(built), "--rootdir", str(built)], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout
    assert "7 passed" in done.stdout


def test_parameters_are_typed_and_a_motion_file_becomes_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "walk.bvh").write_text("")
    parameters = run.parse_parameters(["PROFILE=full", "SEED=3", "MOTION=walk.bvh"])
    assert parameters == {"PROFILE": "full", "SEED": 3, "MOTION": str((tmp_path / "walk.bvh").resolve())}
    assert run.parse_parameters(["MOTION=builtin", "DEVICE=cpu"]) == {"MOTION": "builtin", "DEVICE": "cpu"}


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("PROFILE", "expected NAME=VALUE"),
        ("COLOUR=red", "a name of PROFILE, SEED, DEVICE, MOTION"),
        ("PROFILE=fast", "expected one of quick, full"),
        ("SEED=-1", "whole number"),
        ("SEED=one", "whole number"),
        ("MOTION=missing.bvh", "no such file"),
    ],
)
def test_bad_parameters_are_refused(pair, message):
    with pytest.raises(ValueError, match=message):
        run.parse_parameters([pair])


def test_lessons_are_named_by_slug_number_or_start(tmp_path):
    for slug in ("00_start_here", "05_camera_distortion", "scratch"):
        write(tmp_path, "1", slug)
    assert notebooks.select([], tmp_path) == ["00_start_here", "05_camera_distortion"]
    assert notebooks.select(["05"], tmp_path) == ["05_camera_distortion"]
    assert notebooks.select(["notebooks/05_camera_distortion.ipynb"], tmp_path) == ["05_camera_distortion"]
    with pytest.raises(ValueError, match="did you mean 05_camera_distortion"):
        notebooks.select(["camera"], tmp_path)


def test_a_lesson_without_notebook_says_how_to_build_it(tmp_path):
    write(tmp_path)
    with pytest.raises(FileNotFoundError, match="make build LESSONS=01_scratch"):
        run.run("01_scratch", {}, notebooks=tmp_path)


def test_table_marks_what_is_over_the_budget(tmp_path):
    claims = [{"holds": True}, {"holds": False}]
    lines = run.table(
        [run.Result("01_a", 12.4, int(4e8), tmp_path, claims), run.Result("02_bb", 91.0, int(2e9), tmp_path)]
    ).splitlines()
    assert lines[0].split() == ["lesson", "seconds", "peak", "memory", "claims", "held"]
    assert lines[2].split() == ["01_a", "12", "0.40", "GB", "1", "of", "2"]
    assert lines[3].split() == ["02_bb", "91!", "2.00", "GB!", "-"]


@pytest.mark.parametrize(
    ("command", "taken"),
    [
        ("student", "below a file"),
        ("site", "a file"),
        ("slides", "below a file"),
        ("run", "a file"),
        ("kiosk", "a file"),
    ],
)
def test_where_nothing_can_be_written_a_command_says_so_in_one_line(command, taken, tmp_path):
    file = tmp_path / "file"
    file.write_text("mine")
    environment = os.environ | {"COURSE_BUILD": str(file / "build" if taken == "below a file" else file)}
    words = [sys.executable, "-P", "-m", f"tutorial_lib.course.{command}", "05"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert "COURSE_BUILD names another folder" in done.stderr.splitlines()[-1] and str(file) in done.stderr
    assert file.read_text() == "mine"


def test_a_command_tells_what_a_disk_refuses_and_hides_nothing_else(monkeypatch, capsys):
    def fail(error):
        raise error

    with pytest.raises(SystemExit, match="No space left .*COURSE_BUILD"):
        notebooks.as_command(lambda: fail(OSError(errno.ENOSPC, "No space left on device", "x")))
    with pytest.raises(FileNotFoundError):
        notebooks.as_command(lambda: fail(FileNotFoundError(errno.ENOENT, "No such file", "x")))
    letters = UnicodeEncodeError("utf-8", "\udcc3", 0, 1, "surrogates not allowed")
    with pytest.raises(UnicodeEncodeError):
        notebooks.as_command(lambda: fail(letters))
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: "ascii")
    with pytest.raises(SystemExit, match="Set PYTHONUTF8=1"):
        notebooks.as_command(lambda: fail(letters))
    for count, code in ((0, 0), (1, 1), (300, 1)):
        with pytest.raises(SystemExit) as end:
            notebooks.as_command(lambda count=count: count)
        assert end.value.code == code


def test_the_machine_check_and_auto_name_the_same_device(monkeypatch):
    """Also on a Mac: its GPU is present, and not used."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    for there in (False, True):
        monkeypatch.setattr("torch.backends.mps.is_available", lambda there=there: there)
        (row,) = (row for row in environment.check().rows if row.what == "device")
        assert row.found.startswith("CPU") and resolve_device("auto").type == "cpu"
        assert ("Apple GPU (mps) is present, not used" in row.found) == there
        with pytest.raises(ValueError, match="which the course does not use: take 'auto' or 'cpu'"):
            resolve_device("mps")
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    card = SimpleNamespace(name="H", total_memory=80e9)
    monkeypatch.setattr("torch.cuda.get_device_properties", lambda device: card)
    (row,) = (row for row in environment.check().rows if row.what == "device")
    assert row.found == "CUDA: H, 80 GB" and resolve_device("auto").type == "cuda"


def benchmark(name, median, group="lifter", **extra):
    """One entry as pytest-benchmark writes it."""
    return {
        "name": name,
        "group": group,
        "extra_info": extra,
        "stats": {"median": median, "iqr": median / 10},
    }


def test_ratios_are_to_the_reference_of_the_group(tmp_path):
    entries = [
        benchmark("test_ours", 0.010),
        benchmark("test_strided_reference", 0.020),
        benchmark("test_opencv", 0.002, "distortion", reference=True),
        benchmark("test_ours", 0.001, "distortion"),
        benchmark("test_alone", 0.001, None),
    ]
    path = tmp_path / "bench.json"
    path.write_text(json.dumps({"benchmarks": entries}))
    text = bench_ratios.report(bench_ratios.read(path))
    assert "2.00 x as fast" in text
    assert text.count("reference\n") == 2
    assert "without a group (no reference: times only)" in text
    assert text.index("test_strided_reference") < text.index("2.00 x as fast", text.index("lifter"))


def test_ratios_refuse_two_references_and_other_files(tmp_path):
    with pytest.raises(ValueError, match="has 2 references"):
        bench_ratios.reference([benchmark("a", 1.0, reference=True), benchmark("b", 1.0, reference=True)])
    (tmp_path / "bench.json").write_text("[]")
    with pytest.raises(ValueError, match="run `make bench`"):
        bench_ratios.read(tmp_path / "bench.json")


def test_environment_is_described_in_text_and_html():
    report = environment.check()
    whats = [row.what for row in report.rows]
    assert whats[0] == "Python" and whats[-1] == "widgets"
    assert set(environment.SHOWN) <= set(whats)
    bundle = report._repr_mimebundle_()
    assert compare.WIDGET in bundle
    assert "Widgets: this is a saved copy" in bundle["text/html"]
    assert "device" in bundle["text/plain"]
    assert not report.problems, str(report)


def test_environment_says_how_to_mend_a_missing_package(monkeypatch):
    monkeypatch.setattr(environment, "pins", lambda: {"torch": "9.9", "anywidget": "0.11.0", "no-such": "1.0"})
    rows = {row.what: row for row in environment.check().rows}
    assert rows["torch"].state == "note" and "tested with 9.9" in rows["torch"].remedy
    assert rows["other packages"].found == "1 missing (no-such)"
    monkeypatch.setattr(environment, "pins", lambda: {"jupyterlab": "4"})
    monkeypatch.setattr(environment.importlib.metadata, "version", _missing)
    report = environment.check()
    assert report.problems[0].what == "jupyterlab"
    assert "1 problem(s)" in report.table() and "<code>make lab</code>" in report.table()


def _missing(name):
    raise environment.importlib.metadata.PackageNotFoundError(name)


def test_environment_knows_the_limits_of_a_container(tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "_CGROUP", tmp_path)
    (tmp_path / "memory.max").write_text("1000000000\n")
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    assert environment.memory_limit() == 1_000_000_000
    assert environment.usable_cores() == 1
    rows = {row.what: row for row in environment.check().rows}
    assert rows["memory"].state == "problem"
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert environment.memory_limit() > 1_000_000_000


def test_probe_answers_the_front_end(monkeypatch):
    widget = environment_report.probe("<table></table>")
    sent = []
    monkeypatch.setattr(widget, "send", lambda message: sent.append(message))
    widget._handle_custom_msg({"kind": "ping"}, [])
    widget._handle_custom_msg({"kind": "other"}, [])
    assert sent == [{"kind": "pong"}]


def test_pins_come_from_the_package_where_there_is_no_clone(tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(
        environment, "importlib", SimpleNamespace(metadata=SimpleNamespace(requires=lambda _: ["A_b==1.0"]))
    )
    assert environment.pins() == {"a-b": "1.0"}
