"""Synthetic tasks of meta-learning: support and query seen through one lens that was never there."""

import torch

from tutorial_lib.datasets.footage import Footage
from tutorial_lib.datasets.windows import Source, Windows, draw_windows


def draw_tasks(
    footage: Footage,
    lenses: torch.Tensor,
    frames: int,
    *,
    support: int,
    query: int,
    generator: torch.Generator,
    source: Source = "detector",
    one_video: bool = False,
) -> tuple[Windows, Windows]:
    """Support and query sets of one task per lens: the same distortion, other frames.

    Args:
        footage: where the windows are cut from.
        lenses: (tasks, 5).
        frames: receptive field F.
        support: windows a task that the inner step sees.
        query: windows a task that the outer loss sees.
        generator: decides clips and frames.
        source: as `draw_windows`.
        one_video: false for scenario 1 (a small but varied recording, tested on other people); true for scenario 2
            (support and query are frames of one and the same video, because there the test video adapts to itself).

    Returns:
        Two `Windows` with the leading axis tasks.

    Raises:
        ValueError: no lenses, no clips, support or query below 1; otherwise as `draw_windows`.
    """
    if lenses.ndim != 2 or lenses.shape[0] < 1:
        raise ValueError(f"lenses has shape {tuple(lenses.shape)}, expected (tasks >= 1, 5)")
    for name, value in (("support", support), ("query", query)):
        if value < 1:
            raise ValueError(f"{name} is {value}, expected at least 1")
    if len(footage) < 1:
        raise ValueError("footage has no clips: select at least one")
    tasks = len(lenses)
    clips = torch.randint(len(footage), (tasks, 1 if one_video else support + query), generator=generator)
    clips = clips.expand(tasks, support + query)
    drawn = draw_windows(
        footage, lenses, (tasks, support + query), frames, generator=generator, source=source, clips=clips
    )
    return (
        Windows(drawn.keypoints[:, :support], drawn.pose[:, :support]),
        Windows(drawn.keypoints[:, support:], drawn.pose[:, support:]),
    )
