"""The trainings of lesson 03's experiment, each watched on photos that it does not learn from."""

from collections.abc import Callable
from pathlib import Path

import torch

from tutorial_lib.experiments import write_tensors
from tutorial_lib.lessons.shape_templates.recipes import BEGUN, LEAKS, ROWS, THROWN, TRIED, Budget
from tutorial_lib.metrics import mpjpe
from tutorial_lib.skeleton import flip
from tutorial_lib.templates import COVERED, keypoints, vgg
from tutorial_lib.templates.errors import measured
from tutorial_lib.templates.learning import Learner, Row, affines_of, paint_others, train
from tutorial_lib.templates.lift import fit_lifter
from tutorial_lib.templates.network import Eye, Regressor
from tutorial_lib.templates.pairs import Change, Pairs
from tutorial_lib.templates.warp import Pivot
from tutorial_lib.training import fit

ALBUM = 8
"""Test photos of which the album keeps what was found on the way."""
KEPT = (*BEGUN, *LEAKS, "both, thrown out", "no boundary, thrown out")
"""Runs of whose seed 0 the album ships."""


class Curve:
    """What a regressor finds on the way.

    Args:
        regressor: on its way.
        tests: photos that it does not learn from.
        about: the point about which the parts turn.
        steps: of the training.
        count: how often to look.
    """

    def __init__(self, regressor: Regressor, tests: Pairs, about: Pivot, steps: int, count: int) -> None:
        self.regressor, self.about, self.every = regressor, about, max(1, steps // count)
        self.photos, self.truth = tests.photos(0), tests.keypoints[0]
        self.steps: list[int] = []
        self.errors: list[dict[str, float]] = []
        self.album: list[torch.Tensor] = []

    def look(self, step: int, *, last: bool = False) -> None:
        """Look before this step, if it is time or the training is over."""
        if last or step % self.every == 0:
            affines = affines_of(self.regressor, self.photos)
            self.steps.append(step)
            self.errors.append(measured(keypoints(affines, self.about), self.truth))
            self.album.append(affines[:ALBUM])

    def result(self) -> dict:
        """The last errors, and the "curve" of "all" and "hands" that led there."""
        columns = {name: [round(error[name], 3) for error in self.errors] for name in ("all", "hands")}
        return self.errors[-1] | {"curve": {"steps": self.steps, **columns}}


def template(
    name: str, pairs: Pairs, tests: Pairs, eye: Eye | vgg.Vgg, budget: Budget, seed: int, path: Path,
    others: Callable[[], Pairs] | None = None,
) -> dict:  # fmt: skip
    """One training without labels.

    Args:
        name: of `ROWS` or `TRIED`.
        pairs: to learn from.
        tests: to measure on.
        eye: compares photos.
        budget: how long; one that `Budget.changed` has changed.
        seed: of the training.
        path: gets networks, album and what was painted, of "main" and of seed 0 of `KEPT`.
        others: makes people to learn to lift from; None leaves that out.

    Returns:
        Errors in % of the width, their "curve"; "outside", the share of joints outside the picture; "loss", the mean of
        the last tenth; with `others` "lifted", in mm.
    """
    row = ROWS.get(name, Row())
    steps = budget.tried_steps if name in TRIED else budget.steps if name == "main" else budget.short_steps
    looks = budget.looks if name == "main" else budget.few_looks
    if seed == 0 and name in (*BEGUN, *THROWN):
        looks = budget.looks
    learner = Learner(
        pairs, eye, size=budget.size, width=budget.width, batch=budget.batch, seed=seed, blur=budget.blur, row=row,
        augment=budget.augment, half=budget.half,
    )  # fmt: skip
    regressor, translator = learner.regressor, learner.translator
    curve = Curve(regressor, tests, row.about, steps, looks)
    losses = train(learner, steps, budget.rate, f"{name}, seed {seed}", curve.look)
    curve.look(steps, last=True)
    affines = affines_of(regressor, tests.photos(0))
    found = keypoints(affines, row.about)
    outside = (found[:, list(COVERED)].abs() > 1).any(-1).float().mean().item()
    last = losses[-max(1, steps // 10) :]
    result = curve.result() | {"outside": outside, "loss": sum(last) / len(last)}
    tensors = {"album.steps": torch.tensor(curve.steps), "album.affines": torch.stack(curve.album)}
    if name in LEAKS:
        own = paint_others(learner, tests, affines)
        strange = paint_others(learner, tests, affines.roll(1, 0))
        truth = tests.photos(0)
        result |= {
            "painted": 100 * (own - truth).abs().mean().item(), "strange": 100 * (strange - own).abs().mean().item()
        }  # fmt: skip
        both = torch.stack([own[:ALBUM], strange[:ALBUM]])
        tensors |= {"painted.both": (255 * both.clamp(0, 1)).round().to(torch.uint8)}
    if others is not None:
        result |= {"lifted": lifted(regressor, tests, pairs, others())}
    if name == "main":
        tensors |= {f"regressor.{key}": value for key, value in regressor.state_dict().items()}
        tensors |= {f"translator.{key}": value for key, value in translator.state_dict().items()}
    if name == "main" or (seed == 0 and name in KEPT):
        write_tensors(path, tensors)
    return result


def supervised(pairs: Pairs, tests: Pairs, budget: Budget, seed: int) -> dict:
    """The same regressor, told where the joints are."""
    torch.manual_seed(seed)
    generator, regressor = torch.Generator().manual_seed(seed), Regressor(budget.size, budget.width)
    covered, steps = list(COVERED), budget.supervised_steps
    curve = Curve(regressor, tests, "part", steps, budget.looks)

    def loss(step: int) -> torch.Tensor:
        curve.look(step)
        regressor.train()
        index = torch.randint(len(pairs), (2 * budget.batch,), generator=generator)
        which, mirrored = (torch.rand(2, generator=generator) < 0.5).int().tolist()
        photos, truth = pairs.photos(which, index), pairs.keypoints[which, index]
        if mirrored:
            photos, truth = photos.flip(-1), flip(truth)
        if budget.augment:
            change = Change.draw(len(index), generator)
            photos, truth = change.photos(photos), change.joints(truth)
        with torch.autocast(photos.device.type, torch.bfloat16, enabled=budget.half):
            affines = regressor(photos)
        return torch.linalg.vector_norm((keypoints(affines) - truth)[:, covered], dim=-1).mean()

    label = f"supervised, seed {seed}"
    fit(regressor, loss, steps, rate=budget.rate, label=label).whole(label)
    curve.look(steps, last=True)
    return curve.result()


def lifted(regressor: Regressor, tests: Pairs, trained_on: Pairs, others: Pairs) -> dict[str, float]:
    """Found joints lifted to 3D by a linear map, and what to compare it with.

    Args:
        regressor: finds the joints.
        tests: whose photos and poses.
        trained_on: photos whose found joints say how their mean differs; no label of theirs is read.
        others: poses and their projections to learn the map from; people who are in no photo of the other two.

    Returns:
        Mean joint errors in mm by the way the pose was made.
    """
    joints, poses = others.keypoints[0], others.pose[0]
    found = keypoints(affines_of(regressor, tests.photos(0)))
    means = keypoints(affines_of(regressor, trained_on.photos(0, slice(0, 256))))
    target = tests.pose[0] - tests.pose[0][:, :1]
    plain, matched = fit_lifter(joints, poses), fit_lifter(joints, poses, found=means)
    average = (poses - poses[:, :1]).mean(0).expand_as(target)
    answers = {
        "from true 2D joints": plain(tests.keypoints[0]),
        "from the found joints": matched(found),
        "the same, means not matched": plain(found),
        "the average pose": average,
    }
    return {name: 1000 * mpjpe(pose, target).item() for name, pose in answers.items()}
