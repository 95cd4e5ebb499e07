"""What would it be worth to know the lens? Networks that are told it, networks that are not, and one that reads it.

    python -m tutorial_lib.lessons.meta_learning.experiment_oracle [networks] [--budget shipped] [--seed 0]

No gradient step at test time can win more than what exact knowledge of the lens wins. All networks see random lenses,
equally long; all have the same layers and inputs. Who is not told gets zeros in place of the coefficients.
"""

import time
from dataclasses import dataclass
from typing import Any

import torch

from tutorial_lib.adaptation.lens_test import LensTest
from tutorial_lib.datasets.footage import Footage, capture_clips
from tutorial_lib.datasets.splits import adaptation_split, mocap_path, training_split
from tutorial_lib.datasets.windows import draw_windows
from tutorial_lib.distortion import PRESETS, sample_uniform
from tutorial_lib.experiments import command_line, default_folder, once, parse, provenance, settings
from tutorial_lib.lessons.meta_learning.experiment_crooked import places_to_test
from tutorial_lib.lifting import TemporalLifter
from tutorial_lib.metrics import mpjpe, mpjpe_loss
from tutorial_lib.training import fit, resolve_device

FRAMES, CHANNELS, EXTRA = 9, 128, 3
"""The five coefficients ride beside the joints, as three points more in every frame."""


@dataclass(frozen=True)
class Budget:
    """Ordinary training; `test_seeds` people and detectors are tested."""

    steps: int = 12000
    batch: int = 256
    rate: float = 3e-3
    people: int = 40
    viewpoints: int = 2
    test_seeds: int = 8


BUDGETS = {
    "shipped": Budget(),
    "full": Budget(60000, 1024, 1e-3, 200, 4, 20),
    "smoke": Budget(3, 16, people=2, viewpoints=1, test_seeds=1),
}
NETWORKS = {"told": "knows the lens exactly", "untold": "does not know the lens", "reader": "reads k1 from nine frames"}


def beside(keypoints: torch.Tensor, lens: torch.Tensor) -> torch.Tensor:
    """Keypoints (..., frames, 17, 2) with the coefficients (..., 5) beside the joints: (..., frames, 20, 2)."""
    five = torch.nn.functional.pad(lens, (0, 2 * EXTRA - 5)).reshape(*lens.shape[:-1], 1, EXTRA, 2)
    return torch.cat([keypoints, five.expand(*keypoints.shape[:-2], EXTRA, 2)], -2)


def train(name: str, budget_name: str, seed: int, device: str) -> dict[str, Any]:
    """Train one network of `NETWORKS` and test it; errors in mm by place, lens and test seed."""
    if name not in NETWORKS:
        raise ValueError(f"name is {name!r}, expected one of {', '.join(NETWORKS)}")
    budget, where, started = BUDGETS[budget_name], resolve_device(device), time.time()
    generator = torch.Generator().manual_seed(seed + 4000)
    torch.manual_seed(seed)
    split = training_split(mocap_path() if budget_name != "smoke" else None, budget.people)
    footage = capture_clips(split.train, generator, viewpoints=budget.viewpoints).to(where)
    validation = capture_clips(split.validation, torch.Generator().manual_seed(0)).to(where)
    pool = torch.cat([sample_uniform(512, generator=generator) for _ in range(16)]).to(where)
    joints = 17 + EXTRA
    model = TemporalLifter(FRAMES, CHANNELS, joints, dropout=0.05, outputs=1 if name == "reader" else 17).to(where)

    def draw(place: Footage, count: int, gen: torch.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        lens = pool[torch.randint(len(pool), (count,), generator=gen)]
        seen = draw_windows(place, lens, (count,), FRAMES, generator=gen)
        return beside(seen.keypoints, lens * (name == "told")), seen.pose, lens

    def error(seen: tuple[torch.Tensor, torch.Tensor, torch.Tensor]) -> torch.Tensor:
        keypoints, pose, lens = seen
        out = model.windows(keypoints)
        return ((out[:, 0, 0] - lens[:, 0]) ** 2).mean() if name == "reader" else mpjpe_loss(out, pose)

    fixed = draw(validation, 4096, torch.Generator().manual_seed(1))

    def loss(step: int) -> torch.Tensor:
        model.train()
        return error(draw(footage, budget.batch, generator))

    def validate() -> float:
        model.eval()
        return error(fixed).item()

    every = max(1, budget.steps // 12)
    history = fit(
        model, loss, budget.steps, rate=budget.rate, validate=validate, every=every, label=f"{name}, seed {seed}"
    ).whole(name)
    model = model.eval().cpu()
    about = {"network": name, "seed": seed, "budget": settings(budget_name, budget), "validation": history.checks}
    if name == "reader":
        spread = fixed[2][:, 0].var(correction=0).item()
        return about | {"r_squared": 1 - history.best / spread} | provenance(started, where)
    return about | {"errors": examine(model, name, budget)} | provenance(started, where)


@torch.no_grad()
def examine(model: TemporalLifter, name: str, budget: Budget) -> dict[str, dict[str, list[float]]]:
    """MPJPE in mm on people that no training saw."""
    results: dict[str, dict[str, list[float]]] = {}
    for place, motion in places_to_test().items():
        results[place] = {lens: [] for lens in PRESETS}
        for seed in range(budget.test_seeds):
            lens_test = LensTest(adaptation_split(motion, seed), seed, clips=8)
            for lens, errors in results[place].items():
                seen = lens_test.through(PRESETS[lens])
                pose = model.lift(beside(seen.video, PRESETS[lens] * (name == "told")))
                errors.append(round(1000 * mpjpe(pose, seen.truth).item(), 2))
    return results


def main() -> None:
    chosen = parse(command_line(__doc__, BUDGETS, NETWORKS))
    folder = chosen.folder or default_folder(f"oracle-{chosen.budget}")
    for name in chosen.names:
        part = (chosen.work or folder) / f"{chosen.budget}-{name}-s{chosen.seed}.json"
        done = once(part, lambda name=name: train(name, chosen.budget, chosen.seed, chosen.device))
        shown = {p: {k: round(sum(v) / len(v), 1) for k, v in e.items()} for p, e in done.get("errors", {}).items()}
        print(f"{name}, seed {chosen.seed}: {shown or done['r_squared']}", flush=True)


if __name__ == "__main__":
    main()
