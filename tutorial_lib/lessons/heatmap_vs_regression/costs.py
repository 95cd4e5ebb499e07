"""What a head costs: counted for one photo, and timed on this machine."""

import time
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import torch

from tutorial_lib.display.tables import markdown
from tutorial_lib.heatmaps import KeypointNet, cost
from tutorial_lib.training import kept_bytes


def training_kb(model: KeypointNet, batch: int = 16) -> float:
    """What autograd keeps of one photo for the way back, in kB; RLE's flow is in it."""
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(batch, 3, model.size, model.size, generator=generator)
    keypoints = torch.rand(batch, model.joints, 2, generator=generator) - 0.5
    step = partial(model.loss, images, keypoints, torch.ones(batch, model.joints))
    return kept_bytes(step, without=model.parameters()) / batch / 1000


def cost_table(models: Mapping[str, KeypointNet]) -> str:
    """Markdown: what one photo costs, counted: the way forward, and what training keeps for the way back."""
    columns = ("parameters", "multiply-adds (millions)", "numbers that leave the network", "training memory (kB)")
    lines = []
    for name, model in models.items():
        one = cost(model)
        counts = [f"{one.parameters:,}", f"{one.multiply_adds / 1e6:.2f}", f"{one.output:,}"]
        lines.append([name, *counts, f"{training_kb(model):,.0f}"])
    return markdown(["head", *columns], lines, numbers=True)


def speed_table(models: Mapping[str, KeypointNet], batches: Sequence[int] = (1, 32), repeats: int = 15) -> str:
    """Markdown: milliseconds of CPU time a photo, from picture to joints on this machine, the median of `repeats`."""
    lines = []
    for name, model in models.items():
        cells = [name]
        for batch in batches:
            images = torch.rand(batch, 3, model.size, model.size, generator=torch.Generator().manual_seed(0))
            taken = []
            with torch.no_grad():
                for _ in range(repeats):
                    start = time.process_time()
                    model.predict(images)
                    taken.append(time.process_time() - start)
            cells.append(f"{1000 * np.median(taken) / batch:.2f}")
        lines.append(cells)
    return markdown(["head", *(f"batch of {batch}: ms a photo" for batch in batches)], lines, numbers=True)
