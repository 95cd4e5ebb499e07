"""How the template learns from photos alone: the losses of one step, and the steps.

Source: section 3 of Schmidtke et al. (CVPR 2021). Ours: the eye in place of VGG, pixels beside features, each
photo of a pair painted from the other, a blur that fades, and where a training begins.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch.nn import functional
from tqdm.auto import tqdm

from tutorial_lib.locking import MODEL_LOCK, gradients_on, interrupts_later
from tutorial_lib.templates.losses import ANCHOR_WEIGHT, BOUNDARY_WEIGHT, anchor_loss, boundary_loss
from tutorial_lib.templates.network import START, Eye, Regressor, Translator, soft_maps
from tutorial_lib.templates.pairs import Pairs
from tutorial_lib.templates.warp import Pivot, from_screen_maps, identity, to_screen_maps
from tutorial_lib.training import fit


@dataclass(frozen=True)
class Row:
    """One way to train.

    Attributes:
        anchor: weight of the anchor loss.
        boundary: weight of the boundary loss.
        about: the point about which parts turn, see `warp.to_screen_maps`; the released code has "corner".
        start: an adult who stands, or the template as it was published, an infant in a T-pose.
        aside: how far right of that the template begins, in half widths.
        leak: as for `network.Translator`.
        same: each photo takes its appearance from itself, as in a video whose frames hardly differ.
    """

    anchor: float = ANCHOR_WEIGHT
    boundary: float = BOUNDARY_WEIGHT
    about: Pivot = "part"
    start: Literal["standing", "T-pose"] = "standing"
    aside: float = 0.0
    leak: int = 0
    same: bool = False

    def first(self) -> torch.Tensor:
        """(18, 2, 3) what an untrained regressor answers, about the point of this row."""
        upright = START if self.start == "standing" else identity()
        beside = upright + self.aside * torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
        return beside if self.about == "part" else from_screen_maps(to_screen_maps(beside), self.about)


def reconstruction_loss(eye: Callable, painted: torch.Tensor, photos: torch.Tensor) -> torch.Tensor:
    """Mean |difference| of the features, plus that of the pixels. Source: section 3 of the paper (features alone).

    Args:
        eye: (B, 3, H, H) to features: `network.Eye` or `vgg.Vgg`.
        painted: (B, 3, H, H) in [0, 1], by the translator.
        photos: (B, 3, H, H) in [0, 1].
    """
    return (eye(painted) - eye(photos)).abs().mean() + (painted - photos).abs().mean()


@torch.no_grad()
def affines_of(regressor: Regressor, photos: torch.Tensor) -> torch.Tensor:
    """What the regressor answers to photos (B, 3, H, H), in eval mode and in chunks: (B, 18, 2, 3)."""
    training = regressor.training
    regressor.eval()
    affines = torch.cat([regressor(part) for part in photos.split(128)])
    regressor.train(training)
    return affines


def train_eye(pairs: Pairs, width: int, batch: int, steps: int, seed: int, progress: bool = True) -> Eye:
    """Teach an eye to fill holes and to remove noise; then scale its features to a spread of 1 and freeze it.

    Args:
        pairs: the photos it sees.
        width: as for `network.Eye`.
        batch: photos for each step.
        steps: of Adam.
        seed: of its weights, of the holes and of the noise.
        progress: whether to show a bar.

    Raises:
        KeyboardInterrupt: if somebody stopped it.
    """
    torch.manual_seed(seed)
    generator, eye = torch.Generator().manual_seed(seed), Eye(width)

    def loss(step: int) -> torch.Tensor:
        photos = pairs.draw(batch, generator)[0]
        holes = (torch.rand(len(photos), 1, 8, 8, generator=generator) < 0.15).float()
        holes = functional.interpolate(holes, size=photos.shape[-1])
        spoilt = photos * (1 - holes) + 0.5 * holes + 0.05 * torch.randn(photos.shape, generator=generator)
        return (eye.repaired(spoilt) - photos).abs().mean()

    fit(eye, loss, steps, rate=3e-3, label="eye", progress=progress).whole("eye")
    with torch.no_grad():
        eye.standardise(pairs.photos(0, slice(0, 256)))
    return eye.requires_grad_(False)


class Learner:
    """Regressor and translator on the way: `step` numbers in, the weighted loss out.

    Args:
        pairs: the photos to learn from.
        eye: compares photos, see `reconstruction_loss`.
        size: side of the photos in pixels.
        width: as for `network.Translator`.
        batch: pairs of photos for each step; both photos of a pair are learned from.
        seed: of the weights, and of the pairs that are drawn.
        blur: half widths by which parts are widened at first; nothing is left after 60 % of the steps.
        row: weights and start; None takes the usual ones.
        augment: see `pairs.Pairs.draw`.
        half: convolve in bfloat16, which some processors do twice as fast; losses and maps stay in single precision.
    """

    def __init__(
        self, pairs: Pairs, eye: Callable, *, size: int, width: int, batch: int, seed: int, blur: float = 0.06,
        row: Row | None = None, augment: bool = False, half: bool = False,
    ) -> None:  # fmt: skip
        torch.manual_seed(seed)
        self.pairs, self.eye, self.batch, self.blur, self.row = pairs, eye, batch, blur, row or Row()
        self.augment, self.half = augment, half
        self.size, self.generator = size, torch.Generator().manual_seed(seed)
        self.regressor, self.translator = Regressor(size, width), Translator(width, leak=self.row.leak)
        self.networks = torch.nn.ModuleList([self.regressor, self.translator])
        with torch.no_grad():
            self.regressor.answer.bias.copy_((self.row.first() - identity()).flatten())

    def loss(self, step: int, steps: int) -> torch.Tensor:
        """The loss of one fresh batch, each photo painted from the other; the parts are blurred less and less."""
        one, two, place = self.pairs.draw(self.batch, self.generator, self.augment)
        photos, places = torch.cat([one, two]), torch.cat([place, place])
        with torch.autocast(photos.device.type, torch.bfloat16, enabled=self.half):
            affines = self.regressor(photos)
        blur = self.blur * max(0.0, 1 - step / (0.6 * steps))
        maps = soft_maps(affines, self.size // 2, blur, self.row.about)
        others, there = (value if self.row.same else value.roll(len(one), 0) for value in (photos, maps))
        with torch.autocast(photos.device.type, torch.bfloat16, enabled=self.half):
            painted = self.translator(others, there, places, maps)
            different = reconstruction_loss(self.eye, painted, photos)
        return (
            different
            + self.row.anchor * anchor_loss(affines, self.row.about).mean()
            + self.row.boundary * boundary_loss(affines, self.row.about).mean()
        )


@torch.no_grad()
def paint_others(learner: Learner, pairs: Pairs, affines: torch.Tensor) -> torch.Tensor:
    """First photos painted from these parts and the other photos (see `Row.same`), in eval mode: (B, 3, H, H).

    Args:
        learner: whose networks.
        pairs: B of them.
        affines: (B, 18, 2, 3), parts of the first photos, or of others.
    """
    other, about = 0 if learner.row.same else 1, learner.row.about
    there = affines_of(learner.regressor, pairs.photos(other))
    half, chunks = learner.size // 2, torch.arange(len(pairs)).split(64)
    return torch.cat(
        [
            learner.translator(
                pairs.photos(other, i), soft_maps(there[i], half, 0.0, about), pairs.places(i),
                soft_maps(affines[i], half, 0.0, about),
            )
            for i in chunks
        ]
    )  # fmt: skip


def train(
    learner: Learner, steps: int, rate: float, label: str, before: Callable[[int], None] | None = None
) -> list[float]:
    """Adam with a warm-up and a cosine schedule; the regressor at half the translator's rate.

    Not `training.fit`, which has one rate for all and no warm-up.

    Args:
        learner: whose networks are trained, in place.
        steps: of Adam.
        rate: the translator's, after the warm-up.
        label: what the progress bar says.
        before: called with the number of every step before it is taken.

    Returns:
        The loss of every step.

    Raises:
        ValueError: if the loss is infinite or no number.
    """
    regressor, translator = learner.regressor, learner.translator
    groups = [{"params": regressor.parameters(), "lr": rate / 2}, {"params": translator.parameters(), "lr": rate}]
    with interrupts_later():  # the first optimiser of a process imports torch's compiler
        optimiser = torch.optim.Adam(groups, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / 50) * (0.05 + 0.475 * (1 + math.cos(math.pi * step / steps)))
    )
    losses = []
    for step in tqdm(range(steps), desc=label, mininterval=0.5):
        if before is not None:
            before(step)
        MODEL_LOCK.let_others()
        with MODEL_LOCK, gradients_on():
            learner.networks.train()
            loss = learner.loss(step, steps)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(regressor.parameters(), 1.0)
            optimiser.step()
            schedule.step()
        losses.append(loss.item())
        if not math.isfinite(losses[-1]):
            raise ValueError(f"{label}: the loss is {losses[-1]} at step {step}; lower the rate, now {rate}")
    return losses
