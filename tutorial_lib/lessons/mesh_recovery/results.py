"""What lesson 10's trainings and fits measured: `results.json`, read by the lesson.

    python -m tutorial_lib.lessons.mesh_recovery.results PARTS

collects the finished parts of `experiment` into that file.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tutorial_lib.display.claims import plus_minus
from tutorial_lib.display.tables import markdown
from tutorial_lib.experiments import SeedResults, collect_command, collect_parts, read_json
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


class Results(SeedResults):
    """Errors by row and training seed, and fits."""

    def values(self, row: str, metric: str = "mpjpe", test: str = "invented") -> np.ndarray:
        """(training seeds,) of a row."""
        return self.each(row, lambda part: part["errors"][test][metric])

    def difference(self, row: str, other: str, metric: str = "mpjpe", test: str = "invented") -> np.ndarray:
        """(training seeds,) `row` minus `other`, paired by seed: the same people, the same errors of the dots."""
        return self.paired(row, other, lambda part: part["errors"][test][metric])

    def fit_steps(self, way: str = "net, prior") -> list[int]:
        """The steps at which a way of fitting was measured."""
        seed = self.seeds("fits")[0]
        return self.content["rows"]["fits"][seed]["fits"]["invented"][f"{FITTED[0]:g}"][way]["steps"]

    def fits(self, way: str, noise: float, metric: str = "mpjpe", test: str = "invented") -> np.ndarray:
        """(training seeds, steps) of one way of fitting, of `recipes.FITS`."""
        return self.each("fits", lambda part: part["fits"][test][f"{noise:g}"][way][metric])

    def at(self, way: str, noise: float, step: int, metric: str = "mpjpe", test: str = "invented") -> np.ndarray:
        """(training seeds,) of one way of fitting at one of the measured steps."""
        return self.fits(way, noise, metric, test)[:, self.fit_steps(way).index(step)]

    def fitted(self) -> int:
        """How many people of each test bodies were fitted to, after every training."""
        return self.content["budget"]["fitted"]

    def noisy(self, row: str, noise: float) -> np.ndarray:
        """(training seeds,) PVE of one of `recipes.ASKED`, asked with dots of this noise, one of `recipes.NOISES`."""
        return self.each("noise", lambda part: part["noise"][row][f"{noise:g}"])

    def blind(self, who: str, metric: str = "mpjpe", test: str = "invented") -> float:
        """What one gets without looking, or by knowing all but one thing."""
        return self.content["blind"][test][who][metric]


def collect(folder: Path) -> dict[str, Any]:
    """The parts in a folder, by row and training seed; what was searched; who does not look.

    Raises:
        ValueError: a folder without parts, or with parts of several budgets.
    """
    made = collect_parts(folder, KEPT, "*-part-*-s[0-9]*.json")
    return made | {"blind": read_json(folder / f"{made['budget']['name']}-blind.json")}


@cache
def measured() -> Results:
    """The file, read once."""
    return Results(read_json(FILE))


def main_table(found: Results, test: str = "invented", rows: Sequence[str] = STATIC) -> str:
    """Markdown: rows between those who do not look, mean and half the 95 % interval."""
    lines = [
        [ROWS[row], str(len(found.seeds(row))), *(plus_minus(found.values(row, metric, test)) for metric in HEADS)]
        for row in rows
    ]
    lines += [
        [f"*{who}*", "–", *(f"{found.blind(who, metric, test):.1f}" for metric in HEADS)]
        for who in found.content["blind"][test]
    ]
    return markdown([TESTS[test], "trainings", *HEADS.values()], lines, numbers=True)


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


def fits_table(found: Results, noise: float, metric: Literal["mpjpe", "dots"] = "mpjpe") -> str:
    """Markdown: errors of the joints, or of the dots, over the steps of every way of fitting."""
    steps = found.fit_steps()

    def cell(way: str, step: int) -> str:
        if step not in found.fit_steps(way):
            return "–"
        return f"{found.at(way, noise, step, metric).mean():.1f}"

    rows = [[title, *(cell(way, step) for step in steps)] for way, title in FITS.items()]
    name = {"mpjpe": "MPJPE (mm)", "dots": "dots (1/1000)"}[metric]
    return markdown([f"{name}, noise {100 * noise:g} %", *(f"step {step}" for step in steps)], rows, numbers=True)


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
    rows = [[f"{ROWS[one]} − {ROWS[two]}", *map(plus_minus, found.halves(one, two, float))] for one, two in pairs]
    return markdown(["MPJPE (mm), difference", "after half the training", "at its end"], rows, numbers=True)


if __name__ == "__main__":
    collect_command(__doc__, collect, FILE)
