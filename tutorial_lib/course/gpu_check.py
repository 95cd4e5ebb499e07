"""Everything that wants a GPU, in one command and a few minutes: `make gpu-check`.

    python -m tutorial_lib.course.gpu_check [--without-lessons] [--out FOLDER]

It runs the tests that need CUDA, times what a slider waits for and a step of training, and executes lessons 00, 05
and 06 there. A row is printed as soon as it is known; the exit status is 0 only if all are well. A part whose packages
are missing, as on a machine that has torch and little else, is "not run", and that is not well. Without a GPU: 2.

`--device cpu --quick` tries the command itself in miniature, where there is no GPU; times are then not judged.
"""

import argparse
import importlib.util
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

import tutorial_lib
from tutorial_lib import checkpoints
from tutorial_lib.adaptation import Adapter, adapt, meta_loss
from tutorial_lib.adaptation.lens_test import LABELLED
from tutorial_lib.datasets.windows import Windows
from tutorial_lib.folders import output_folder
from tutorial_lib.lifting import TemporalLifter
from tutorial_lib.metrics import mpjpe
from tutorial_lib.training import fit, resolve_device

ROOT = Path(tutorial_lib.__file__).resolve().parents[1]
LESSONS = ("00", "05", "06")
TARGET_MS = {(1024, 9, 5): 3.0, (1024, 27, 5): 6.0}
"""Of an adaptation: channels, frames, steps."""
TARGET_MM = 0.1
"""How far the poses of a captured adaptation may be from those of `adapt`."""
WINDOWS, CLIP = 64, 81


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        what: was looked at.
        found: the result.
        target: what it should be, if anything is asked.
        well: whether it is.
    """

    what: str
    found: str
    target: str = ""
    well: bool = True

    def __str__(self) -> str:
        return f"{'' if self.well else '!':2}{self.what:44}  {self.found:32}  {self.target}".rstrip()


@dataclass(frozen=True)
class Check:
    """Where and how thoroughly.

    Attributes:
        device: CUDA, or the CPU to try the command.
        quick: tiny networks, few rounds.
        out: folder of the executed lessons.
    """

    device: torch.device
    quick: bool
    out: Path

    def median_ms(self, call: Callable[[], object]) -> float:
        """Of a call that ends when the device has finished; after three to warm up, one of which may capture."""
        times = []
        for round_ in range(4 if self.quick else 33):
            start = time.perf_counter()
            call()
            if self.device.type == "cuda":
                torch.cuda.synchronize(self.device)
            times += [time.perf_counter() - start] if round_ >= 3 else []
        return 1000 * statistics.median(times)

    def lifter(self, frames: int, channels: int) -> TemporalLifter:
        """A network with random weights, always the same."""
        torch.manual_seed(0)
        return TemporalLifter(frames, channels // 64 if self.quick else channels).eval().to(self.device)

    def windows(self, *shape: int, frames: int) -> Windows:
        """Random windows: only their number matters here."""
        generator = torch.Generator().manual_seed(0)
        keypoints = 0.5 * torch.randn(*shape, frames, 17, 2, generator=generator)
        return Windows(keypoints.to(self.device), 0.3 * torch.randn(*shape, 17, 3, generator=generator).to(self.device))

    def adaptation(self) -> Iterator[Row]:
        """Equality with `adapt`, then how long a slider waits for it."""
        for frames in (9,) if self.quick else (9, 27):
            shipped = checkpoints.load(f"ours-{frames}f", self.device)
            rate = checkpoints.record(f"ours-{frames}f")["test_rates"][LABELLED]
            video = self.windows(1, frames=CLIP).keypoints
            support = self.windows(WINDOWS, frames=frames)

            def steps_of(
                adapter: Adapter,
                steps: int,
                support: Windows = support,
                video: torch.Tensor = video,
                rate: float = rate,
            ) -> torch.Tensor:
                return adapter(support, video, steps=steps, rate=rate).poses[-1]

            for channels, model in ((shipped.channels, shipped), (1024, self.lifter(frames, 1024))):
                adapter = Adapter(model)
                off = (
                    1000
                    * (steps_of(adapter, 5) - adapt(model, support, 5, rate=rate).model.lift(video)).abs().max().item()
                )
                what = f"{frames} frames, {channels} channels"
                yield Row(f"captured = adapt, {what}", f"{off:.4f} mm apart", f"<= {TARGET_MM} mm", off <= TARGET_MM)
                for steps in (5,) if self.quick else (5, 20):
                    took = self.median_ms(partial(steps_of, adapter, steps))
                    most = TARGET_MS.get((channels, frames, steps)) if self.device.type == "cuda" else None
                    target = f"<= {most:g} ms" if most else ""
                    yield Row(f"{steps} steps, {what}", f"{took:.2f} ms", target, not most or took <= most)

    def training(self) -> Iterator[Row]:
        """A step of training at the paper's width, as `recipes.minutes` counts it; batches at hand."""
        from tutorial_lib.lessons.meta_learning.recipes import STEP_MS

        count = 2 if self.quick else 30

        def step_ms(model: TemporalLifter, loss: Callable[[], torch.Tensor]) -> float:
            fit(model, lambda _: loss(), 3, progress=False)
            start = time.perf_counter()
            fit(model, lambda _: loss(), count, progress=False)
            return 1000 * (time.perf_counter() - start) / count

        for frames in (9, 27):
            model, batch = self.lifter(frames, 1024).train(), self.windows(1024, frames=frames)
            took = step_ms(model, lambda m=model, b=batch: mpjpe(m.windows(b.keypoints), b.pose))
            counted = STEP_MS["ordinary"][frames]
            yield Row(f"training step, 1024 windows, {frames} frames", f"{took:.1f} ms", f"(counted on: {counted:g})")
        model, tasks = self.lifter(9, 1024), self.windows(8, WINDOWS, frames=9)
        took = step_ms(model, lambda: meta_loss(model, tasks, tasks, rate=0.01))
        yield Row("MAML step, 8 tasks", f"{took:.1f} ms", f"(counted on: {STEP_MS['maml'][8]:g})")

    def demos(self) -> Iterator[Row]:
        """From the slider to the picture: `demo.set` of lessons 00 and 06."""
        if absent := missing("ipywidgets", "anywidget", "plotly"):
            yield Row("demos of 00 and 06", absent, well=False)
            return
        from tutorial_lib.display.live import Demo
        from tutorial_lib.lessons.meta_learning.demo_adapt import crooked_demo
        from tutorial_lib.lessons.start_here.demo_first_look import first_demo

        demos: dict[str, Callable[..., Demo]] = {"00": first_demo, "06": crooked_demo}
        for what, make in demos.items():
            demo = make(device=self.device)
            presets = list(demo.presets.values())
            turns = iter(range(10**6))
            took = self.median_ms(lambda d=demo, p=presets, t=turns: d.set(**p[next(t) % len(p)]).check())
            yield Row(f"demo of {what}, slider to picture", f"{took:.1f} ms; {demo.stage.state['timing']}")

    def tests(self) -> Iterator[Row]:
        """What `pytest -m cuda` selects; collected only, in the miniature."""
        if absent := missing("pytest", "hypothesis"):
            yield Row("tests that need CUDA", absent, well=False)
            return
        files = [str(p) for p in sorted((ROOT / "tests").rglob("test_*.py")) if "mark.cuda" in p.read_text("utf-8")]
        if not files:
            yield Row("tests that need CUDA", "no tests here: run this in the clone", well=False)
            return
        options = ["-m", "cuda", "-q", "--no-header", *(["--collect-only"] if self.quick else [])]
        ran = run([sys.executable, "-m", "pytest", *options, *(files[:1] if self.quick else files)])
        last = ran.stdout.strip().splitlines()[-1] if ran.stdout.strip() else ran.stderr[-100:]
        well = ran.returncode == 0 and (self.quick or "skipped" not in last)
        if not well:
            print(ran.stdout[-4000:], ran.stderr[-1000:], file=sys.stderr)
        yield Row("tests that need CUDA", last.strip("= "), "all, none skipped", well)

    def lessons(self) -> Iterator[Row]:
        """Lessons by papermill with DEVICE set, side by side."""
        if absent := missing("papermill", "jupytext", "ipykernel", "psutil"):
            yield Row("lessons 00, 05, 06", absent, well=False)
            return
        parameters = ["--parameters", f"DEVICE={self.device.type}", "--out"]
        running = {
            lesson: subprocess.Popen(
                [sys.executable, "-m", "tutorial_lib.course.run", lesson, *parameters, str(self.out / lesson)],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT,
            )
            for lesson in LESSONS
        }  # fmt: skip
        for lesson, process in running.items():
            said = process.communicate()[0].strip().splitlines()
            yield Row(
                f"lesson {lesson}", " ".join(said[-1].split())[:90] if said else "died", well=process.returncode == 0
            )


def missing(*packages: str) -> str:
    """ "not run" and which of the packages are not on this machine; "" if all are."""
    absent = [package for package in packages if importlib.util.find_spec(package) is None]
    return f"not run: no {', '.join(absent)}" if absent else ""


def run(command: list[str]) -> subprocess.CompletedProcess:
    """A command in the clone."""
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


def rows_of(name: str, part: Callable[[], Iterator[Row]]) -> Iterator[Row]:
    """The rows of a part; what stops it is its last row."""
    try:
        yield from part()
    except Exception as problem:  # whatever it is, the other parts are still worth their time
        yield Row(name, f"failed: {type(problem).__name__}: {problem}", well=False)


def main(arguments: list[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", help="cpu tries the command itself")
    parser.add_argument("--quick", action="store_true", help="in miniature: nothing measured is worth anything")
    parser.add_argument("--without-lessons", action="store_true", help="leave the lessons out")
    parser.add_argument("--out", type=Path, default=output_folder() / "gpu-check", help="gets the executed lessons")
    chosen = parser.parse_args(arguments)
    try:
        device = resolve_device(chosen.device)
    except ValueError as error:
        print(f"gpu-check: {error}", file=sys.stderr)
        return 2
    started = time.perf_counter()
    check = Check(device, chosen.quick, chosen.out)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "the CPU: times are not judged"
    print(Row("device", name, f"torch {torch.__version__}"))
    bad = 0
    parts = {
        part.__name__: part for part in (check.adaptation, check.training, check.demos, check.tests, check.lessons)
    }
    if chosen.without_lessons:
        del parts["lessons"]
    for title, part in parts.items():
        for row in rows_of(title, part):
            print(row, flush=True)
            bad += not row.well
    took = time.perf_counter() - started
    print(f"gpu-check: {f'{bad} not well (marked !)' if bad else 'all well'}, in {took:.0f} s")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
