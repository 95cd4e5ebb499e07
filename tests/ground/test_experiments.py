"""The runner of all experiments: whole or not at all, one command line, nothing outside the output folder."""

import json
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from tutorial_lib import checkpoints, experiments

LESSONS = (
    "heatmap_vs_regression",
    "integral_pose",
    "shape_templates",
    "temporal_lifting",
    "meta_learning",
    "geometry_aware",
    "geometric_self_supervision",
    "mesh_recovery",
    "stress_testing",
    "egocentric",
    "characteristic_function",
    "low_light",
)
ROOT = Path(__file__).parents[2]


def test_a_part_is_made_once(tmp_path):
    made = []
    path = tmp_path / "deep" / "part.json"
    for _ in range(2):
        assert experiments.once(path, lambda: made.append(1) or {"mm": 1.5, "pair": (1, 2)}) == {
            "mm": 1.5,
            "pair": [1, 2],
        }
    assert made == [1]


def test_tensors_are_made_once_and_come_back_exactly(tmp_path):
    made = []
    weights = {"a": torch.randn(4, 3).T, "count": torch.tensor(7)}  # not contiguous
    for _ in range(2):
        found = experiments.once_tensors(tmp_path / "x.safetensors", lambda: made.append(1) or weights)
        assert all(torch.equal(found[key], weights[key]) for key in weights) and found.keys() == weights.keys()
    assert made == [1]


@pytest.mark.parametrize("data", [b"", b'{"cut', b"\xff" * 99, b"[" * 100_000])
def test_a_damaged_part_is_made_again_and_named(data, tmp_path):
    for name, once, part in (
        ("part.json", experiments.once, {"mm": 1.5}),
        ("part.safetensors", experiments.once_tensors, {"a": torch.ones(3)}),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.warns(UserWarning, match=f"{name} .*made again"):
            assert once(tmp_path / name, lambda part=part: part).keys() == part.keys()
        assert once(tmp_path / name, None).keys() == part.keys()
    assert len(list(tmp_path.iterdir())) == 2


def test_what_was_stopped_or_cannot_be_written_leaves_no_part(tmp_path):
    path = tmp_path / "part.json"

    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        experiments.once(path, stop)
    with pytest.raises(TypeError):
        experiments.once(path, lambda: {"no JSON": object()})
    assert not path.exists() and experiments.once(path, lambda: 3) == 3


def test_results_that_are_not_there_or_damaged_say_what_to_do(tmp_path):
    with pytest.raises(ValueError, match="results.json is missing: restore it or run the experiment"):
        experiments.read_json(tmp_path / "results.json")
    (tmp_path / "results.json").write_text('{"cut')
    with pytest.raises(ValueError, match="results.json is no JSON .* restore it or run the experiment"):
        experiments.read_json(tmp_path / "results.json")


def test_the_command_line_takes_names_and_refuses_others(capsys):
    threads = torch.get_num_threads()
    parser = experiments.command_line("About.", {"shipped": 1, "smoke": 2}, ["a", "b"])
    chosen = experiments.parse(parser, ["b", "--budget", "smoke", "--seed", "3", "--threads", str(threads)])
    assert (chosen.names, chosen.budget, chosen.seed, chosen.folder) == (["b"], "smoke", 3, None)
    assert experiments.parse(parser, ["--threads", str(threads)]).names == ["a", "b"]
    for words in (["c"], ["--budget", "tiny"], ["--threads", "0"], ["--device", "toaster"]):
        with pytest.raises(SystemExit):
            experiments.parse(parser, words)
        assert words[-1] in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")
@pytest.mark.parametrize("lesson", LESSONS)
def test_every_experiment_has_the_same_options(lesson, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [lesson, "--help"])
    with pytest.raises(SystemExit, match="0"):
        runpy.run_module(f"tutorial_lib.lessons.{lesson}.experiment", run_name="__main__")
    text = capsys.readouterr().out
    assert all(option in text for option in ("--budget", "--folder", "--threads", "smoke"))
    assert ("--work" in text) == (lesson != "temporal_lifting")  # its trainings share no part
    assert ("--seed" in text) == (lesson in LESSONS[3:])


PROGRAMS = {
    "heatmap_vs_regression.experiment": ([], "results.json"),
    "integral_pose.experiment": ([], "results.json"),
    "shape_templates.experiment": ([], "results.json"),
    "temporal_lifting.experiment": (["lifter-1f", "few-3-semi"], "few-3-semi.json"),
    "meta_learning.experiment": (["ours-3f"], "ours-3f.json"),
    "meta_learning.experiment_crooked": (["anil"], "smoke-anil-s0.json"),
    "meta_learning.experiment_oracle": (["told"], "smoke-told-s0.json"),
    "meta_learning.experiment_cue": (["maml-0.3"], "smoke-maml-0.3-s0.json"),
    "geometry_aware.experiment": (["ours", "frozen-30"], "smoke-frozen-30-s0.json"),
    "geometric_self_supervision.experiment": (["supervised"], "smoke-supervised-s0.json"),
    "mesh_recovery.experiment": (["joints"], "smoke-part-joints-s0.json"),
    "stress_testing.experiment": (["rare-replay"], "smoke-rare-replay-s0.json"),
    "egocentric.experiment": (["none"], "smoke-none-s0.json"),
    "characteristic_function.experiment": (["l2"], "smoke-l2-s0.json"),
    "low_light.experiment": (["all"], "smoke-all-s0.json"),
}
"""Program -> what it is asked for, and a file that it makes."""


class Programs(NamedTuple):
    """What the programs left behind.

    Attributes:
        out: has an output folder a program.
        failed: program -> its traceback.
        left: what lies where nothing belongs, or is gone or changed; what torch leaves in a temporary folder is empty.
    """

    out: Path
    failed: dict[str, str]
    left: list[Path]


IN_TURN = """
import json, os, runpy, sys, traceback
out, failed = sys.argv[2], {}
for program, names in json.loads(sys.argv[1]).items():
    os.environ["COURSE_BUILD"] = os.path.join(out, program)
    sys.argv = [program, *names, "--budget", "smoke"]
    try:
        runpy.run_module(f"tutorial_lib.lessons.{program}", run_name="__main__")
    except BaseException:
        failed[program] = traceback.format_exc()
with open(os.path.join(out, "failed.json"), "w") as file:
    json.dump(failed, file)
"""


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """All programs, run after each other in one process that imports torch once: the library alone, as a wheel unpacks
    it, without a clone around it, called from elsewhere by somebody with an empty home."""
    folder = tmp_path_factory.mktemp("programs")
    places = {name: folder / name for name in ("elsewhere", "home", "temporary", "out")}
    for place in places.values():
        place.mkdir()
    site = folder / "wheel" / "site"
    shutil.copytree(ROOT / "tutorial_lib", site / "tutorial_lib", ignore=shutil.ignore_patterns("__pycache__"))

    def files():
        return {path: path.stat().st_mtime_ns for path in site.parent.rglob("*") if path.is_file()}

    before = files()
    asked = json.dumps({program: names for program, (names, _) in PROGRAMS.items()})
    environment = os.environ | {
        "PYTHONPATH": str(site),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": str(places["home"]),
        "XDG_CACHE_HOME": str(places["home"]),
        "TMPDIR": str(places["temporary"]),
    }
    environment.pop("COURSE_MOCAP", None)
    out = places.pop("out")
    command = [sys.executable, "-c", IN_TURN, asked, str(out)]
    subprocess.run(command, capture_output=True, check=True, cwd=places["elsewhere"], env=environment)
    after = files()
    left = [path for path in before | after if after.get(path) != before.get(path)]
    left += [path for place in places.values() for path in place.rglob("*")]
    left = [path for path in left if not (path.is_dir() and path.parent == places["temporary"])]
    return Programs(out, json.loads((out / "failed.json").read_text()), left)


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_experiment_writes_to_the_output_folder(program, programs):
    assert program not in programs.failed, programs.failed[program]
    (path,) = (programs.out / program).rglob(PROGRAMS[program][1])
    assert json.loads(path.read_text())["budget"]["name"] == "smoke"
    kept = bool(list((programs.out / program).rglob("*.safetensors")))
    assert kept == (program != "meta_learning.experiment_oracle"), "the oracle's networks are worth their errors alone"
    assert not list(programs.out.rglob("*.partial"))


def test_no_experiment_writes_anywhere_else(programs):
    """Not into the library, its neighbours, the folder of the caller, a home, or what is temporary."""
    assert not programs.left, "torch alone leaves an empty folder among what is temporary"


def test_a_lesson_shows_what_ships_or_what_an_experiment_made_for_it(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_BUILD", str(tmp_path))
    trained = []

    def train_row(name, run):
        trained.append((run.budget_name, name, run.seed, run.device.type))
        return {"row": name, "seed": run.seed, "budget": {"name": run.budget_name}, "mm": 1.5}

    def make(run, names):
        for name in names:
            experiments.once(run.part(f"{name}-s{run.seed}"), lambda name=name: train_row(name, run))

    def shipped():
        return experiments.SeedResults({"rows": {"a": {"0": {"mm": 9.0}}}})

    def collect(folder):
        return experiments.collect_parts(folder, ["mm"])

    about = experiments.Experiment(
        "About.", "toy", {"gpu": 1}, ("a", "b"), make, collect, experiments.SeedResults, shipped
    )
    assert about.found("quick", 0)[1] == checkpoints.FOLDER and not trained
    for _ in range(2):
        results, folder = about.found("full", 3, "cpu")
        assert results.each("b", lambda part: part["mm"]).tolist() == [1.5] and results.seeds("a") == ["3"]
    assert trained == [("gpu", "a", 3, "cpu"), ("gpu", "b", 3, "cpu")] and tmp_path in folder.parents
    work = about.run_all("gpu", 0, ["b"], tmp_path / "networks", device="cpu")
    assert [path.name for path in work.iterdir()] == ["gpu-b-s0.json"] and work.parent == tmp_path / "networks"
    with pytest.raises(ValueError, match="device"):
        about.run_all("gpu", 0, device="abacus")


def test_a_stopped_writing_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    checkpoints.store({"w": torch.ones(3)}, "net", {"width": 3}, {"seed": 0}, tmp_path)

    def stopped(path, content):
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Path, "write_bytes", stopped)
        checkpoints.store({"w": torch.zeros(3)}, "net", {"width": 3}, {"seed": 1}, tmp_path)
    about, tensors = checkpoints.weights("net", tmp_path)
    assert about["seed"] == 0 and tensors["w"].tolist() == [1, 1, 1]
    assert checkpoints.names(tmp_path) == ["net"]


def test_weights_do_not_count_before_their_json_is_there(tmp_path, monkeypatch):
    def stopped(path, write):
        if path.suffix == ".json":
            raise KeyboardInterrupt
        write_whole(path, write)

    write_whole = checkpoints.write_whole
    monkeypatch.setattr(checkpoints, "write_whole", stopped)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.store({"w": torch.ones(3)}, "net", {"width": 3}, {"seed": 0}, tmp_path)
    assert checkpoints.names(tmp_path) == []


def part(row, seed, error, budget="small"):
    looks = [[step, error + 10 / step] for step in (5, 10, 15, 20)]
    return {"row": row, "seed": seed, "budget": {"name": budget}, "error": error, "validation": looks, "mine": 1}


@pytest.fixture
def parts(tmp_path):
    for row, seeds in {"one": (0, 1, 2), "other": (0, 2)}.items():
        for seed in seeds:
            made = part(row, seed, 10.0 * seed + (row == "one"))
            experiments.write_json(tmp_path / f"small-{row}-s{seed}.json", made)
    experiments.write_json(tmp_path / "small-search-one.json", {"rate": 0.1})
    return tmp_path


def test_parts_are_collected_by_row_and_seed(parts):
    made = experiments.collect_parts(parts, ("error", "validation", "absent"))
    assert made["budget"] == {"name": "small"} and made["searched"] == {"one": {"rate": 0.1}}
    assert {row: sorted(seeds) for row, seeds in made["rows"].items()} == {"one": ["0", "1", "2"], "other": ["0", "2"]}
    assert set(made["rows"]["one"]["1"]) == {"error", "validation"}
    experiments.write_json(parts / "large-one-s0.json", part("one", 0, 1.0, "large"))
    with pytest.raises(ValueError, match="expected those of one"):
        experiments.collect_parts(parts, ())


def test_results_are_compared_seed_by_seed(parts):
    found = experiments.SeedResults(experiments.collect_parts(parts, ("error", "validation")))
    assert found.seeds("one", "other") == ["0", "2"]
    assert found.each("one", lambda part: part["error"]).tolist() == [1, 11, 21]
    assert found.paired("one", "other", lambda part: part["error"]).tolist() == [1, 1]
    middle, end = found.halves("one", "other", lambda said: 2 * said)
    assert middle.tolist() == end.tolist() == [2, 2]
    assert found.halves("one", "one", lambda said: said)[0].tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="nobody"):
        found.seeds("nobody")
