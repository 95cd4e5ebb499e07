"""What lesson 10's trainings and fits measured: `results.json`, read by the lesson.

    python -m tutorial_lib.lessons.mesh_recovery.results PARTS

collects the finished parts of `experiment` into that file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tutorial_lib.display.claims import plus_minus
from tutorial_lib.display.tables import markdown
from tutorial_lib.experiments import collect_command, read_json
from tutorial_lib.lessons.mesh_recovery.recipes import ASKED, FITS, FITTED, NOISES, ROWS, TESTS

FILE = Path(__file__).with_name("results.json")
KEPT = ("rate", "validation", "errors", "fits", "noise", "seconds_of_this_run")
"""What is taken over from a part."""

HEADS = {"mpjpe": "MPJPE (mm)", "p_mpjpe": "P-MPJPE (mm)", "pve": "PVE (mm)", "edge": "edges (mm)"}
STATIC = tuple(row for row in ROWS if row not in ("seen", "unseen", "frame", "clip"))

PAPER = {
    "HMR": (130.0, 76.7, None), "GraphCMR": (None, 70.2, None), "SPIN": (96.9, 59.2, 116.4),
    "PyMAF": (92.8, 58.9, 110.1), "I2L-MeshNet": (100.0, 60.0, None), "ROMP": (89.3, 53.5, 105.6),
    "HMR-EFT": (None, 54.2, None), "PARE": (82.9, 52.3, 99.7), "ImpHMR": (81.8, 49.8, 96.4),
    "ImpHMR, trained on 3DPW too": (74.3, 45.4, 87.1), "VIBE (video)": (93.5, 56.5, 113.4),
    "TCMR (video)": (95.0, 55.8, 111.3), "MPS-Net (video)": (91.6, 54.0, 109.6),
}  # fmt: skip
"""3DPW, mm: MPJPE, P-MPJPE, PVE; from ImpHMR's table, as the seminar copied it."""

CORRECTED = {
    "I2L-MeshNet, its lixels": (93.15, 58.50, None),
    "I2L-MeshNet, its second, parametric stage": (100.04, 60.74, None),
    "Pose2Mesh, from true 2D joints": (63.10, 35.37, None),
}
"""3DPW, from the authors' repositories; the table above shows the second of them, and no Pose2Mesh."""


@dataclass(frozen=True)
class Results:
    """Errors by row and training seed, and fits.

    Attributes:
        content: as `collect` returns it.
    """

    content: Mapping[str, Any]

    def seeds(self, *rows: str) -> list[str]:
        """The training seeds that all of these rows have.

        Raises:
            ValueError: a row that was not trained.
        """
        known = self.content["rows"]
        if missing := [row for row in rows if row not in known]:
            raise ValueError(f"rows has {missing}, which were not trained: run the experiment")
        return sorted(set.intersection(*(set(known[row]) for row in rows)), key=int)

    def values(self, row: str, metric: str = "mpjpe", test: str = "invented") -> np.ndarray:
        """(training seeds,) of a row."""
        return np.array([self.content["rows"][row][seed]["errors"][test][metric] for seed in self.seeds(row)])

    def difference(self, row: str, other: str, metric: str = "mpjpe", test: str = "invented") -> np.ndarray:
        """(training seeds,) `row` minus `other`, paired by seed: the same people, the same errors of the dots."""
        rows, seeds = self.content["rows"], self.seeds(row, other)
        return np.array([
            rows[row][seed]["errors"][test][metric] - rows[other][seed]["errors"][test][metric] for seed in seeds
        ])  # fmt: skip

    def fit_steps(self, way: str = "net, prior") -> list[int]:
        """The steps at which a way of fitting was measured."""
        seed = self.seeds("fits")[0]
        return self.content["rows"]["fits"][seed]["fits"]["invented"][f"{FITTED[0]:g}"][way]["steps"]

    def fits(self, way: str, noise: float, metric: str = "mpjpe", test: str = "invented") -> np.ndarray:
        """(training seeds, steps) of one way of fitting, of `recipes.FITS`."""
        rows = self.content["rows"]["fits"]
        return np.array([rows[seed]["fits"][test][f"{noise:g}"][way][metric] for seed in self.seeds("fits")])

    def at(self, way: str, noise: float, step: int, metric: str = "mpjpe", test: str = "invented") -> np.ndarray:
        """(training seeds,) of one way of fitting at one of the measured steps."""
        return self.fits(way, noise, metric, test)[:, self.fit_steps(way).index(step)]

    def fitted(self) -> int:
        """How many people of each test bodies were fitted to, after every training."""
        return self.content["budget"]["fitted"]

    def noisy(self, row: str, noise: float) -> np.ndarray:
        """(training seeds,) PVE of one of `recipes.ASKED`, asked with dots of this noise, one of `recipes.NOISES`."""
        parts = self.content["rows"]["noise"]
        return np.array([parts[seed]["noise"][row][f"{noise:g}"] for seed in self.seeds("noise")])

    def blind(self, who: str, metric: str = "mpjpe", test: str = "invented") -> float:
        """What one gets without looking, or by knowing all but one thing."""
        return self.content["blind"][test][who][metric]

    def halves(self, row: str, other: str) -> tuple[np.ndarray, np.ndarray]:
        """(training seeds,) the MPJPE of two rows' difference on validation people, at half time and at the end."""
        rows, seeds = self.content["rows"], self.seeds(row, other)
        ends: list[list[float]] = [[], []]
        for seed in seeds:
            one, two = (rows[which][seed]["validation"] for which in (row, other))
            for end, at in zip(ends, (len(one) // 2 - 1, len(one) - 1), strict=True):
                end.append(one[at][1] - two[at][1])
        return np.array(ends[0]), np.array(ends[1])


def collect(folder: Path) -> dict[str, Any]:
    """The parts in a folder, by row and training seed; what was searched; who does not look.

    Raises:
        ValueError: a folder without parts, or with parts of several budgets.
    """
    rows: dict[str, Any] = {}
    budgets = {}
    for path in sorted(folder.glob("*-part-*-s[0-9]*.json")):
        part = read_json(path)
        budgets[part["budget"]["name"]] = part["budget"]
        rows.setdefault(part["row"], {})[str(part["seed"])] = {key: part[key] for key in KEPT if key in part}
    if len(budgets) != 1:
        raise ValueError(f"folder is {folder}, with parts of the budgets {sorted(budgets)}, expected those of one")
    (name,) = budgets
    searched = {path.stem.split("-", 2)[2]: read_json(path) for path in sorted(folder.glob(f"{name}-search-*.json"))}
    return {
        "budget": budgets[name], "searched": searched, "blind": read_json(folder / f"{name}-blind.json"), "rows": rows,
    }  # fmt: skip


@cache
def measured() -> Results:
    """The file, read once."""
    return Results(read_json(FILE))


def main_table(found: Results, test: str = "invented") -> str:
    """Markdown: every row between those who do not look, mean and half the 95 % interval."""
    rows = [
        [ROWS[row], str(len(found.seeds(row))), *(plus_minus(found.values(row, metric, test)) for metric in HEADS)]
        for row in STATIC
    ]
    rows += [
        [f"*{who}*", "–", *(f"{found.blind(who, metric, test):.1f}" for metric in HEADS)]
        for who in found.content["blind"][test]
    ]
    return markdown([TESTS[test], "trainings", *HEADS.values()], rows, numbers=True)


def actors_table(found: Results) -> str:
    """Markdown: `main_table` of real actors, or that there were none."""
    if "actors" not in found.content["blind"]:
        return "The optional motion capture was not at hand."
    return main_table(found, "actors")


def noise_table(found: Results) -> str:
    """Markdown: PVE of three rows over the noise of the dots that they are asked with."""
    rows = [[ROWS[row], *(plus_minus(found.noisy(row, noise)) for noise in NOISES)] for row in ASKED]
    return markdown(["PVE (mm), dots off by", *(f"{100 * noise:g} %" for noise in NOISES)], rows, numbers=True)


def time_table(found: Results) -> str:
    """Markdown: 27 frames, one, and their paired difference."""
    heads = {"mpjpe": "MPJPE (mm)", "pve": "PVE (mm)", "acceleration": "acceleration (m/s²)"}
    rows = [[ROWS[row], *(plus_minus(found.values(row, metric)) for metric in heads)] for row in ("frame", "clip")]
    rows.append(["difference", *(plus_minus(found.difference("clip", "frame", metric)) for metric in heads)])
    return markdown(["invented motion", *heads.values()], rows, numbers=True)


def fits_table(found: Results, noise: float, test: str = "invented") -> str:
    """Markdown: errors of the joints and, behind the stroke, of the dots, over the steps of every way of fitting."""
    steps = found.fit_steps()

    def cell(way: str, step: int) -> str:
        if step not in found.fit_steps(way):
            return "–"
        joints, dots = (found.at(way, noise, step, metric, test).mean() for metric in ("mpjpe", "dots"))
        return f"{joints:.1f} / {dots:.1f}"

    rows = [[title, *(cell(way, step) for step in steps)] for way, title in FITS.items()]
    return markdown([f"MPJPE (mm) / dots, noise {noise:g}", *(f"step {step}" for step in steps)], rows, numbers=True)


def paper_table() -> str:
    """Markdown: the seminar's table, and what sets it right."""

    def row(name: str, values: tuple[float | None, ...]) -> list[str]:
        return [name, *("–" if value is None else f"{value:g}" for value in values)]

    rows = [row(name, values) for name, values in PAPER.items()]
    rows += [row(f"*{name}*", values) for name, values in CORRECTED.items()]
    return markdown(["3DPW", "MPJPE", "P-MPJPE", "PVE"], rows, numbers=True)


def searched_table(found: Results) -> str:
    """Markdown: the rates that were tried on validation people, and what was taken."""
    rows = [
        [ROWS[row], f"{one['rate']:g}", ", ".join(f"{rate}: {e:.0f}" for rate, e in one["tried"].items()) or "–"]
        for row, one in found.content["searched"].items()
        if row in ROWS
    ]  # fmt: skip
    return markdown(["", "rate", "tried (MPJPE, mm)"], rows)


def halves_table(found: Results) -> str:
    """Markdown: would more training change a verdict? MPJPE on validation people at half time and at the end."""
    pairs = (
        ("lixels", "parameters"),
        ("joints", "parameters"),
        ("loop", "dots"),
        ("clip", "frame"),
        ("unseen", "seen"),
    )
    rows = [
        [f"{ROWS[one]} − {ROWS[two]}", *(plus_minus(values) for values in found.halves(one, two))] for one, two in pairs
    ]
    return markdown(["MPJPE (mm), difference", "after half the training", "at its end"], rows, numbers=True)


if __name__ == "__main__":
    collect_command(__doc__, collect, FILE)
