"""A simulated 2D detector: what a frozen keypoint network would report instead of the true projection.

Real detectors err by joint (wrists more than hips), keep an error for many frames, sometimes exchange left and
right, and sometimes lose a joint for a while. All numbers here are ours; the typical error of a good detector on
Human3.6M is about 0.01 of the image's width.
"""

from dataclasses import dataclass

import torch

from tutorial_lib.skeleton import LEFT, MIRROR, RIGHT, check_joints, pick

JOINT_NOISE = torch.tensor(
    [0.7, 0.8, 1.0, 1.3, 0.8, 1.0, 1.3, 0.7, 0.7, 0.8, 1.0, 0.8, 1.2, 1.6, 0.8, 1.2, 1.6]
)  # fmt: skip
"""Relative error of each joint."""

SIGMA = 0.008
"""Standard deviation of a joint of relative error 1, in screen units (half-widths of the image)."""


def _coloured(
    frames: int, correlation: float, shape: tuple[int, ...], generator: torch.Generator | None
) -> torch.Tensor:
    """Unit-variance AR(1) noise along axis 0: neighbours correlate by `correlation`."""
    white = torch.randn(frames, *shape, generator=generator)
    noise = torch.empty_like(white)
    noise[0] = white[0]
    fresh = (1 - correlation**2) ** 0.5
    for t in range(1, frames):
        noise[t] = correlation * noise[t - 1] + fresh * white[t]
    return noise


def _episodes(
    frames: int, rate: float, length: int, shape: tuple[int, ...], generator: torch.Generator | None
) -> torch.Tensor:
    """Bool (frames, *shape): true during random episodes that begin with probability `rate` a frame."""
    begins = torch.rand(frames, *shape, generator=generator) < rate
    active = begins.clone()
    for shift in range(1, length):
        active[shift:] |= begins[:-shift]
    return active


@dataclass(frozen=True)
class Defects:
    """What a detector gets wrong in one video, whatever the lens: drawn once, applied to any picture.

    Attributes:
        error: (..., frames, 17, 2) screen units, to be added.
        legs, arms: (..., frames, 1, 1) bool, frames in which left and right are exchanged.
    """

    error: torch.Tensor
    legs: torch.Tensor
    arms: torch.Tensor

    def apply(self, screen: torch.Tensor) -> torch.Tensor:
        """True projections (..., frames, 17, 2) to "predicted 2D keypoints", same dtype and device."""
        for side, swapped in ((LEFT[:3] + RIGHT[:3], self.legs), (LEFT[3:] + RIGHT[3:], self.arms)):
            order = tuple(MIRROR[j] if j in side else j for j in range(17))
            screen = torch.where(swapped.to(screen.device), pick(screen, order, -2), screen)
        return screen + self.error.to(screen)

    def to(self, device: torch.device | str) -> "Defects":
        """The same on another device."""
        return Defects(self.error.to(device), self.legs.to(device), self.arms.to(device))

    def __getitem__(self, clips: slice) -> "Defects":
        """The defects of some clips."""
        return Defects(self.error[clips], self.legs[clips], self.arms[clips])


def draw_defects(
    shape: tuple[int, ...],
    noise: float = 1.0,
    *,
    correlation: float = 0.8,
    swap_rate: float = 0.0008,
    miss_rate: float = 0.0008,
    generator: torch.Generator | None = None,
) -> Defects:
    """Draw a detector's errors for videos of `shape` (..., frames); arguments as in `detect`.

    Raises:
        ValueError: no frames, negative noise, a rate or correlation outside [0, 1).
    """
    if not shape or shape[-1] < 1:
        raise ValueError(f"shape is {shape}, expected (..., frames >= 1)")
    if not noise >= 0:
        raise ValueError(f"noise is {noise}, expected a number >= 0")
    for name, value in (("correlation", correlation), ("swap_rate", swap_rate), ("miss_rate", miss_rate)):
        if not 0 <= value < 1:
            raise ValueError(f"{name} is {value}, expected a number in [0, 1)")
    *leading, frames = shape
    error = _coloured(frames, correlation, (*leading, 17, 2), generator) * (SIGMA * noise * JOINT_NOISE[:, None])
    missed = _episodes(frames, min(miss_rate * noise, 0.5), 6, (*leading, 17, 1), generator)
    error = torch.where(missed, error * 8, error)
    swapped = [_episodes(frames, min(swap_rate * noise, 0.5), 5, (*leading, 1, 1), generator) for _ in range(2)]
    return Defects(*(part.movedim(0, -3) for part in (error, *swapped)))


def detect(
    screen: torch.Tensor,
    noise: float = 1.0,
    *,
    correlation: float = 0.8,
    swap_rate: float = 0.0008,
    miss_rate: float = 0.0008,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    """Turn true projections into "predicted 2D keypoints".

    Args:
        screen: (..., frames, 17, 2) true screen coordinates.
        noise: scales every defect; 0 returns the truth.
        correlation: of a joint's error between neighbouring frames.
        swap_rate: probability a frame that the legs (or the arms) are exchanged for the next 5 frames.
        miss_rate: probability a frame and joint that it is lost: for 6 frames its error is 8 times as large.
        generator: of the draws.

    Returns:
        (..., frames, 17, 2), same dtype and device.

    Raises:
        ValueError: joints other than 17, negative noise, a rate or correlation outside [0, 1).
    """
    check_joints(screen, 2, "screen")
    if screen.ndim < 3 or screen.shape[-3] < 1:
        raise ValueError(f"screen has shape {tuple(screen.shape)}, expected (..., frames >= 1, 17, 2)")
    defects = draw_defects(
        tuple(screen.shape[:-2]),
        noise,
        correlation=correlation,
        swap_rate=swap_rate,
        miss_rate=miss_rate,
        generator=generator,
    )
    return screen.clone() if noise == 0 else defects.apply(screen)


def outside(screen: torch.Tensor) -> torch.Tensor:
    """(..., 17) bool: which joints (..., 17, 2) lie beyond the square image, x and y in [-1, 1], where no sensor is."""
    return (screen.abs() > 1).any(-1)


def lose_outside(screen: torch.Tensor) -> torch.Tensor:
    """What is reported of joints that leave the image, by a tracker that waits for them.

    Args:
        screen: (..., frames, joints, 2) detections, simulated as if the sensor had no edge.

    Returns:
        The same shape. A joint outside stays where it was last seen; until it is first seen, at the nearest point of
        the image's edge.

    Raises:
        ValueError: no axis of frames.
    """
    if screen.ndim < 3 or screen.shape[-1] != 2:
        raise ValueError(f"screen has shape {tuple(screen.shape)}, expected (..., frames, joints, 2)")
    frame = torch.arange(screen.shape[-3], device=screen.device)[:, None]
    last = torch.where(outside(screen), -1, frame).cummax(-2).values
    held = screen.gather(-3, last.clamp_min(0)[..., None].expand_as(screen))
    return torch.where((last >= 0)[..., None], held, screen.clamp(-1, 1))
