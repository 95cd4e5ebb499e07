"""Trains lesson 12's networks on twins, one by day and one in the dark, in the ways that the paper's table compares.

    python -m tutorial_lib.lessons.low_light.experiment [rows] [--budget shipped] [--seed 0]

All rows but one start from lesson 01's network, see as many pictures a step and take as many steps at one rate. Rate
and weights are searched on validation people by day and at night. `results` collects the finished parts.
"""

import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch

from tutorial_lib import checkpoints
from tutorial_lib.adaptation.rate_search import widened_search
from tutorial_lib.datasets.photos import PhotoSet, PhotoSplit, photo_set
from tutorial_lib.experiments import Experiment, Run, once, once_tensors, provenance, settings
from tutorial_lib.heatmaps import KeypointNet
from tutorial_lib.lessons.low_light.examination import as_seen, blind, judge, load_start, start_architecture
from tutorial_lib.lessons.low_light.recipes import BUDGETS, DAY, EXPOSURES, ROWS, SHIPPED, TRAINED, Row
from tutorial_lib.lessons.low_light.results import Results, collect, measured
from tutorial_lib.low_light import LEVELS, LowLightNet, Recipe, Twins, dark_twins, draw_exposures, lime, train

RATES = (1e-3, 3e-3, 9e-3)
LUPI = (0.03, 0.1, 0.3)
DANN = (0.03, 0.1, 0.3)
"""First grids: of the rate of all rows, the weight of the Gram loss, and the strength of the reversed gradient."""
SEARCH_SEED = 100


class World:
    """All twins of one budget, drawn once and kept in the work folder.

    Args:
        name: of `recipes.BUDGETS`.
        work: keeps the parts.
        folder: gets the networks.
        device: where to train.
    """

    def __init__(self, name: str, work: Path, folder: Path, device: torch.device):
        self.name, self.budget, self.device = name, BUDGETS[name], device
        self.work, self.folder = work, folder
        self.photos, self.dark = cache(self._photos), cache(self._dark)

    def _photos(self, part: PhotoSplit) -> PhotoSet:
        count = {"train": self.budget.photos, "validation": self.budget.validation, "test": self.budget.test}[part]
        return photo_set(part, count)

    def _dark(self, part: PhotoSplit, exposure: float | None = None, enhanced: bool = False) -> torch.Tensor:
        """(B, 3, H, W) uint8: dark twins of a part, at an exposure or at random ones; through LIME if enhanced."""

        def draw() -> dict[str, torch.Tensor]:
            if enhanced:
                plain = self.dark(part, exposure).split(500)
                return {"dark": torch.cat([(255 * lime(some.float() / 255)).round().to(torch.uint8) for some in plain])}
            pixels, generator = self.photos(part).pixels, torch.Generator().manual_seed(12)
            every = draw_exposures(len(pixels), generator)
            light = every if exposure is None else torch.full_like(every, exposure)
            return {"dark": dark_twins(pixels, light, generator)}

        how = f"{'random' if exposure is None else f'{exposure:g}'}{'-lime' if enhanced else ''}"
        return once_tensors(self.work / f"{self.name}-dark-{part}-{how}.safetensors", draw)["dark"]

    def twins(self, part: PhotoSplit, enhanced: bool = False) -> Twins:
        """Pairs to train on."""
        photos = self.photos(part)
        dark = self.dark(part, None, enhanced)
        return Twins(photos.pixels, dark, photos.keypoints, photos.inside).to(self.device)

    def judged(self, net: LowLightNet, part: PhotoSplit, enhanced: bool = False) -> dict[str, dict[str, float]]:
        """What a network is worth at every level and by day."""
        photos = self.photos(part)
        pixels = {level: self.dark(part, exposure, enhanced) for level, exposure in LEVELS.items()}
        lights = dict.fromkeys(LEVELS, 0.0) | {DAY: 1.0}
        return {
            test: judge(net, as_seen(pixels.get(test, photos.pixels), light), light, photos)
            for test, light in lights.items()
        }

    def curve(self, net: LowLightNet, enhanced: bool = False) -> list[float]:
        """PCK in per cent over `EXPOSURES`."""
        photos = self.photos("test")
        seen = [photos.pixels if light == 1 else self.dark("test", light, enhanced) for light in EXPOSURES]
        return [judge(net, as_seen(pixels, light), light, photos)["pck"] for light, pixels in zip(EXPOSURES, seen)]


def recipe_of(row: Row, chosen: dict[str, float]) -> Recipe:
    """What a row learns from, with the settings that were chosen."""
    if row in ("bright", "dark", "scratch"):
        return Recipe("bright" if row == "bright" else "dark")
    lupi = {"ours": 1, "strong": 10}.get(row, 0) * chosen["lupi"]
    return Recipe("both", row in ("lsbn", "ours", "strong"), lupi, chosen["dann"] if row == "dann" else 0.0)


def run(
    world: World, row: Row, recipe: Recipe, seed: int, rate: float, steps: int, checks: int = 4
) -> tuple[LowLightNet, list[tuple[int, dict[str, Any]]]]:
    """Train one row: the network, and what it was worth on validation people on the way.

    Raises:
        KeyboardInterrupt: somebody stopped it: half a training must not be taken for finished.
    """
    enhanced, looks, label = row == "enhanced", [], f"{row}, seed {seed}, rate {rate:g}"
    torch.manual_seed(seed)
    start = load_start()
    if row == "scratch":
        start = KeypointNet(**start_architecture())
    net, history = train(
        world.twins("train", enhanced), start, recipe, steps=steps, rate=rate, pictures=world.budget.pictures,
        generator=torch.Generator().manual_seed(seed), every=max(1, steps // checks), label=label,
        look=lambda net, step: looks.append((step, world.judged(net, "validation", enhanced))),
    )  # fmt: skip
    history.whole(label)
    return net, looks


def search(world: World) -> dict[str, Any]:
    """One rate for all rows, then the weights of LUPI and of DANN: the best PCK of validation people, night and day.

    Night is the mean of its levels, and counts as much as day.
    """
    if not world.budget.searched:
        return {"rate": 3e-3, "lupi": 0.1, "dann": 0.1, "tried": {}}

    def missed(row: Row, rate: float, chosen: dict[str, float], what: str) -> float:
        def tried() -> float:
            looks = run(world, row, recipe_of(row, chosen), SEARCH_SEED, rate, world.budget.search_steps, 1)[1]
            return 100 - balance(looks[-1][1])

        return once(world.work / f"{world.name}-tried-{row}-{what}.json", tried)

    rows: Sequence[Row] = ("all", "lsbn")
    none = {"lupi": 0.0, "dann": 0.0}
    rates = widened_search(lambda rate: sum(missed(row, rate, none, f"{rate:g}") for row in rows) / len(rows), RATES)
    rate = min(rates, key=rates.__getitem__)
    tried: dict[str, dict[float, float]] = {"rate": rates}
    for name, row, grid in (("lupi", "ours", LUPI), ("dann", "dann", DANN)):
        tried[name] = widened_search(
            lambda value, name=name, row=row: missed(row, rate, none | {name: value}, f"{value:g}"), grid
        )
    best = {name: min(found, key=found.__getitem__) for name, found in tried.items()}
    return best | {
        "tried": {
            name: {f"{value:g}": round(100 - e, 2) for value, e in found.items()} for name, found in tried.items()
        }
    }


def balance(found: dict[str, dict[str, float]]) -> float:
    """PCK in per cent, the mean of night (the mean of its levels) and day."""
    night = sum(found[level]["pck"] for level in LEVELS) / len(LEVELS)
    return (night + found[DAY]["pck"]) / 2


def train_row(row: Row, world: World, seed: int, chosen: dict[str, float]) -> dict[str, Any]:
    """Train one row and test it; networks that the lesson shows are kept."""
    started, enhanced = time.time(), row == "enhanced"
    steps = world.budget.scratch_steps if row == "scratch" else world.budget.steps
    net, looks = run(world, row, recipe_of(row, chosen), seed, chosen["rate"], steps)
    found = {
        "row": row, "seed": seed, "budget": settings(world.name, world.budget), "validation": looks,
        "errors": world.judged(net, "test", enhanced), **provenance(started, world.device),
    }  # fmt: skip
    if seed == 0:
        found["curve"] = world.curve(net, enhanced)
    if row in SHIPPED and (seed == 0 or world.name == "gpu"):
        about = {"row": row, "seed": seed, "errors": found["errors"]}
        made = {"net": start_architecture(), "two_sided": net.two_sided}
        checkpoints.store(net.cpu().state_dict(), f"dark/{row}", made, about, world.folder)
    return found


def untouched(world: World) -> dict[str, Any]:
    """Lesson 01's network as it is, by day and in the dark, and who does not look."""
    net = LowLightNet(load_start()).eval().to(world.device)
    return {
        "errors": world.judged(net, "test"), "enhanced": world.judged(net, "test", enhanced=True),
        "validation": world.judged(net, "validation"), "curve": world.curve(net),
        "blind": blind(world.photos("train"), world.photos("test")),
    }  # fmt: skip


def make(run: Run, names: Sequence[Row]) -> None:
    """Train and test rows."""
    world = World(run.budget_name, run.work, run.folder, run.device)
    once(run.part("well"), lambda: untouched(world))
    chosen = once(run.part("search-all"), lambda: search(world))
    for row in names:
        done = once(run.part(f"{row}-s{run.seed}"), lambda row=row: train_row(row, world, run.seed, chosen))
        print(f"{ROWS[row]}, seed {run.seed}: {done['errors']}", flush=True)


EXPERIMENT = Experiment(__doc__, "low_light", BUDGETS, TRAINED, make, collect, Results, measured)
run_all, found = EXPERIMENT.run_all, EXPERIMENT.found

if __name__ == "__main__":
    EXPERIMENT.main()
