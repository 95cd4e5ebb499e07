"""How every experiment of the course runs: budgets with names, finished parts that are kept, one command line.

An experiment is many trainings. Each finished part is a file in its work folder, written whole or not at all: an
experiment that was stopped goes on where it was, and nothing is written outside `output_folder()` unless somebody
names another folder.
"""

import argparse
import json
import os
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

import tutorial_lib
from tutorial_lib import checkpoints, processes
from tutorial_lib.folders import output_folder, write_whole
from tutorial_lib.training import resolve_device


def default_folder(name: str) -> Path:
    """Where an experiment of this name writes when nobody names a folder."""
    return output_folder() / "experiments" / name


def write_json(path: Path, content: Any) -> None:
    """Write `content` to `path`, whole or not at all."""
    write_whole(path, lambda half: half.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8"))


def read_json(path: Path) -> Any:
    """What an experiment wrote.

    Raises:
        ValueError: the file is missing or no JSON.
    """
    if not path.is_file():
        raise ValueError(f"{path} is missing: restore it or run the experiment (`make checkpoints`)")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is no JSON ({error}): restore it or run the experiment") from error


def write_tensors(path: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    """Write tensors to `path` in full precision, whole or not at all."""
    write_whole(path, lambda half: save_file({key: value.contiguous() for key, value in tensors.items()}, half))


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """The tensors that an experiment wrote.

    Raises:
        ValueError: the file holds none.
    """
    try:
        return load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{path} holds no tensors ({error}): restore it or run the experiment") from error


def once(path: Path, make: Callable[[], Any]) -> Any:
    """The JSON at `path`; `make()` makes it if it is not there, or damaged. Of several processes the first writes."""
    return _once(path, make, read_json, write_json)


def once_tensors(path: Path, make: Callable[[], Mapping[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """The tensors at `path`; `make()` makes them if they are not there, or damaged, as `once`."""
    return _once(path, make, read_tensors, write_tensors)


def _once(path: Path, make: Callable[[], Any], read: Callable[[Path], Any], write: Callable[[Path, Any], None]) -> Any:
    missing, found = True, None
    if path.is_file():
        try:
            missing, found = False, read(path)
        except ValueError as error:
            warnings.warn(f"{error}. It is made again", stacklevel=3)
    if processes.agreed(missing):
        made = make()
        if processes.is_first():
            write(path, made)
        processes.agreed(True)  # the others read what the first has written
        found = read(path)
    return found


def settings(budget_name: str, budget: Any) -> dict:
    """A budget as the experiments' JSON keeps it: its name, then its fields.

    Args:
        budget_name: such as "shipped".
        budget: a dataclass.
    """
    return {"name": budget_name, **asdict(budget)}


def provenance(started: float, device: torch.device | str) -> dict:
    """Where, with what and for how long a network was trained.

    Args:
        started: what `time.time()` said then.
        device: where.
    """
    return {
        "seconds_of_this_run": round(time.time() - started),
        "threads": torch.get_num_threads(),
        "processes": processes.count(),
        "device": str(device),
        "version": tutorial_lib.__version__,
    }


def trained_on(mocap: Path | None, builtin: str, pieces: int) -> dict:
    """What a lifter has seen, as its JSON says it.

    Args:
        mocap: the optional motion capture, if it took part.
        builtin: the invented people, in words.
        pieces: how many pieces of footage.
    """
    left_out = "CMU, actors of splits.MOCAP_TEST_SUBJECTS left out"
    return {
        "builtin": builtin,
        "mocap": None if mocap is None else left_out,
        "pieces": pieces,
        "credit": None if mocap is None else checkpoints.CREDIT,
    }


@dataclass(frozen=True)
class SeedResults:
    """What an experiment measured, by row and training seed.

    Attributes:
        content: as `collect_parts` returns it, and whatever an experiment adds.
    """

    content: Mapping[str, Any]

    def seeds(self, *names: str) -> list[str]:
        """The training seeds that all of these rows have.

        Raises:
            ValueError: a row that was not made.
        """
        known = self.content["rows"]
        if missing := [name for name in names if name not in known]:
            raise ValueError(f"names has {missing}, which were not made: run the experiment")
        return sorted(set.intersection(*(set(known[name]) for name in names)), key=int)

    def each(self, name: str, read: Callable[[Any], Any], seeds: Sequence[str] | None = None) -> np.ndarray:
        """(training seeds, ...) what `read` finds in every part of a row; all that there are, if no seeds are named."""
        parts = self.content["rows"]
        return np.array([read(parts[name][seed]) for seed in (self.seeds(name) if seeds is None else seeds)])

    def paired(self, name: str, other: str, read: Callable[[Any], Any]) -> np.ndarray:
        """(training seeds, ...) `name` minus `other`, paired by seed: the same people, the same tests."""
        seeds = self.seeds(name, other)
        return self.each(name, read, seeds) - self.each(other, read, seeds)

    def halves(self, name: str, other: str, read: Callable[[Any], Any]) -> tuple[np.ndarray, np.ndarray]:
        """(training seeds,) the difference of two rows on validation people, after half the training and at its end.

        Args:
            name: a row whose parts have a "validation": steps, and what was said there.
            other: another one.
            read: a number of what was said.
        """

        def at(share: float) -> Callable[[Any], Any]:
            def said(part: Any) -> Any:
                looks = part["validation"]
                return read(min(looks, key=lambda look: abs(look[0] - share * looks[-1][0]))[1])

            return said

        return self.paired(name, other, at(0.5)), self.paired(name, other, at(1.0))


def collect_parts(folder: Path, kept: Iterable[str], pattern: str = "*-s[0-9]*.json") -> dict[str, Any]:
    """The finished parts in a folder: "rows" by row and training seed, "searched", and their "budget".

    Args:
        folder: of parts.
        kept: keys that are taken over from a part, where it has them.
        pattern: of the parts' names; what has no "row" is passed over.

    Raises:
        ValueError: a folder without parts, or with parts of several budgets.
    """
    rows: dict[str, Any] = {}
    budgets, kept = {}, list(kept)
    for path in sorted(folder.glob(pattern)):
        part = read_json(path)
        if "row" in part:
            budgets[part["budget"]["name"]] = part["budget"]
            rows.setdefault(part["row"], {})[str(part["seed"])] = {key: part[key] for key in kept if key in part}
    if len(budgets) != 1:
        raise ValueError(f"folder is {folder}, with parts of the budgets {sorted(budgets)}, expected those of one")
    (name,) = budgets
    searched = {path.stem.split("-", 2)[2]: read_json(path) for path in sorted(folder.glob(f"{name}-search-*.json"))}
    return {"budget": budgets[name], "searched": searched, "rows": rows}


def command_line(
    description: str | None,
    budgets: Iterable[str],
    names: Iterable[str] = (),
    *,
    device: str | None = "auto",
    parts: bool = True,
    several: bool = False,
) -> argparse.ArgumentParser:
    """The options that every experiment has; one may add its own before `parse`.

    Args:
        description: the module's docstring.
        budgets: names to choose from; "shipped" is the default.
        names: of the networks, where one experiment trains several that do not depend on each other; then `--seed`.
        device: the default; None where an experiment runs on the CPU alone.
        parts: whether it keeps finished parts, and so has `--work`.
        several: whether torchrun may start it in several processes that share the batches.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = list(names)
    if names:
        parser.add_argument("names", nargs="*", metavar="name", help=f"which of {', '.join(names)} (default: all)")
        parser.add_argument("--seed", type=int, default=0, help="of weights and batches (default: 0)")
    parser.add_argument("--budget", choices=list(budgets), default="shipped", help="how much of everything")
    parser.add_argument("--folder", type=Path, help="gets the networks and results (default: in the output folder)")
    if parts:
        parser.add_argument("--work", type=Path, help="keeps finished parts (default: in the output folder)")
    if device is not None:
        parser.add_argument("--device", default=device, help=f"auto, cpu or cuda (default: {device})")
    parser.add_argument("--threads", type=int, default=1, help="of torch; another number rounds otherwise (default: 1)")
    parser.set_defaults(known=names, several=several)
    return parser


def collect_command(description: str | None, collect: Callable[[Path], Any], file: Path) -> None:
    """The command line of what collects an experiment's finished parts: its work folder in, `file` out."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", type=Path, help="work folder of the experiment")
    write_json(file, collect(parser.parse_args().parts))


def parse(parser: argparse.ArgumentParser, words: list[str] | None = None) -> argparse.Namespace:
    """Read the command line, set torch's threads, join torchrun's processes; `names` are all of them if none was given.

    Args:
        parser: of `command_line`.
        words: instead of the command line's.
    """
    chosen = parser.parse_args(words)
    if chosen.threads < 1:
        parser.error(f"--threads is {chosen.threads}, expected 1 or more")
    try:
        resolve_device(getattr(chosen, "device", "cpu"))
    except ValueError as error:
        parser.error(str(error))
    if chosen.known:
        unknown = [name for name in chosen.names if name not in chosen.known]
        if unknown:
            parser.error(f"names {unknown} are unknown, choose from {', '.join(chosen.known)}")
        chosen.names = chosen.names or chosen.known
    if int(os.environ.get("WORLD_SIZE", 1)) > 1 and not chosen.several:
        parser.error("this experiment runs in one process: start it without torchrun")
    torch.set_num_threads(chosen.threads)
    processes.join()
    return chosen


Found = TypeVar("Found", bound=SeedResults)


@dataclass(frozen=True)
class Run:
    """One run of an experiment.

    Attributes:
        budget_name: how much of everything.
        seed: of the trainings.
        folder: gets the networks.
        work: keeps the finished parts.
        device: where to train.
    """

    budget_name: str
    seed: int
    folder: Path
    work: Path
    device: torch.device

    def part(self, name: str) -> Path:
        """Where a part of this budget is kept."""
        return self.work / f"{self.budget_name}-{name}.json"


@dataclass(frozen=True)
class Experiment(Generic[Found]):
    """An experiment of rows: each is trained by seed and kept as a part; a lesson shows what its parts say.

    Attributes:
        about: the module's docstring, which `--help` prints.
        folder: its name where nobody names a folder.
        budgets: their names; "shipped" is among them.
        names: of the rows, in the order in which they are made.
        make: trains and tests rows of a run; parts that are there stay.
        collect: the parts in a folder, as `results.json` keeps them.
        results: makes of them what a lesson shows.
        measured: what ships.
        full: the budget of a lesson's profile "full".
        device: where it trains by default; None where it runs on the CPU alone.
    """

    about: str | None
    folder: str
    budgets: Iterable[str]
    names: Sequence[str]
    make: Callable[[Run, Sequence[Any]], None]
    collect: Callable[[Path], Mapping[str, Any]]
    results: Callable[[Mapping[str, Any]], Found]
    measured: Callable[[], Found]
    full: str = "gpu"
    device: str | None = "auto"

    def run_all(
        self,
        budget_name: str,
        seed: int,
        names: Sequence[str] | None = None,
        folder: Path | None = None,
        work: Path | None = None,
        device: str | None = None,
    ) -> Path:
        """Train and test rows of one seed; parts that are there stay.

        Args:
            budget_name: of `budgets`.
            seed: of the trainings.
            names: of `names`; by default all.
            folder: gets the networks; by default in `output_folder()`.
            work: keeps the parts; by default within `folder`.
            device: where to train.

        Returns:
            The folder of the parts, for `collect`.
        """
        folder = folder or default_folder(self.folder)
        work = work or folder / "work"
        device = device or self.device or "cpu"
        self.make(Run(budget_name, seed, folder, work, resolve_device(device)), names or self.names)
        return work

    def found(self, profile: str, seed: int, device: str | None = None) -> tuple[Found, Path]:
        """What the lesson shows: measured values, and the folder of the networks.

        Args:
            profile: "quick": what ships; otherwise all rows are trained, with the budget `full`.
            seed: of these trainings.
            device: where they run.
        """
        if profile == "quick":
            return self.measured(), checkpoints.FOLDER
        folder = default_folder(self.folder)
        return self.results(self.collect(self.run_all(self.full, seed, folder=folder, device=device))), folder

    def main(self) -> None:
        """The command line."""
        chosen = parse(command_line(self.about, self.budgets, self.names, device=self.device))
        device = getattr(chosen, "device", None)
        self.run_all(chosen.budget, chosen.seed, chosen.names, chosen.folder, chosen.work, device)
