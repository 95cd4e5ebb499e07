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


def milliseconds(model: KeypointNet, batch: int, repeats: int = 15) -> float:
    """CPU time a photo from the picture to the joints, on this machine: the median of `repeats`."""
    images = torch.rand(batch, 3, model.size, model.size, generator=torch.Generator().manual_seed(0))
    taken = []
    with torch.no_grad():
        for _ in range(repeats):
            start = time.process_time()
            model.predict(images)
            taken.append(time.process_time() - start)
    return 1000 * float(np.median(taken)) / batch


def cost_table(models: Mapping[str, KeypointNet], batches: Sequence[int] = (1, 32)) -> str:
    """Markdown: what one photo costs, counted: forwards, and what training keeps for the way back; and timed here."""
    columns = ("parameters", "multiply-adds (millions)", "numbers that leave the network", "training memory (kB)")
    lines = []
    for name, model in models.items():
        one = cost(model)
        counts = [f"{one.parameters:,}", f"{one.multiply_adds / 1e6:.2f}", f"{one.output:,}"]
        times = [f"{milliseconds(model, batch):.2f}" for batch in batches]
        lines.append([name, *counts, f"{training_kb(model):,.0f}", *times])
    timed = (f"ms a photo, batch of {batch}" for batch in batches)
    return markdown(["head", *columns, *timed], lines, numbers=True)
