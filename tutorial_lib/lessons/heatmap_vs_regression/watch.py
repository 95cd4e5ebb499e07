"""A training that is watched: its curve and one wrist, drawn again and again in one output."""

from typing import Any

import numpy as np
import torch
from IPython.display import Image, display

from tutorial_lib.datasets.photos import PhotoSet
from tutorial_lib.display import stage, still
from tutorial_lib.heatmaps import KeypointNet
from tutorial_lib.lessons.heatmap_vs_regression.demo_look import WRIST, belief
from tutorial_lib.lessons.heatmap_vs_regression.measures import mean_error, outputs


class Watch:
    """Draws how a training goes on, in place of the picture before.

    Args:
        photos: to measure on; none of them is trained on.
        one: which of them is shown, with its left wrist.
        blind_px: the mean error of an answer that looks at nothing.
        steps: of the whole training.

    Attributes:
        points: (step, mean error in pixels) of every picture so far.
        wrist: (step, error of the one wrist in pixels).
    """

    def __init__(self, photos: PhotoSet, one: int, blind_px: float, steps: int):
        self.photos, self.one, self.blind_px, self.steps = photos, one, blind_px, steps
        self.points: list[tuple[int, float]] = []
        self.wrist: list[tuple[int, float]] = []
        self.output: Any = None

    def show(self, step: int, network: KeypointNet) -> None:
        """Measure the network and draw; the first call makes the output, the others change it."""
        training = network.training
        said = outputs(network, self.photos.image)
        network.train(training)
        points = network.decode(said)
        self.points.append((step, mean_error(points, self.photos)))
        off = (points - self.photos.keypoints)[self.one, WRIST].norm() * self.photos.pixels.shape[-1] / 2
        self.wrist.append((step, off.item()))
        drawn = still.png(self.picture(network, said[self.one], points[self.one]))
        picture = Image(drawn, alt=f"one wrist and the mean error, {self.points[-1][1]:.2f} px after {step} steps")
        if self.output is None:
            self.output = display(picture, display_id=True)
        else:
            self.output.update(picture)

    def picture(self, network: KeypointNet, said: torch.Tensor, points: torch.Tensor) -> dict[str, Any]:
        """The photo with what the network believes of the wrist, beside the errors so far."""
        photo = self.photos.select(slice(self.one, self.one + 1))
        heat = belief(network, said, WRIST)
        steps, errors = np.array(self.points).T
        return stage.panes(
            stage.image(
                picture=photo.image[0].permute(1, 2, 0), heat=None if heat is None else 0.85 * heat,
                heat_name="what the network believes", heat_colour="sky", cross=None, margin=0.02,
                dots=[
                    stage.dots("its answer", points[WRIST].clamp(-1, 1)[None], colour="blue", size=8),
                    stage.dots("truth", photo.keypoints[0, WRIST][None], colour="ink", symbol="diamond", size=6),
                ],
                title=f"the left wrist after {steps[-1]:.0f} steps",
            ),
            stage.curve(
                [stage.series("this training", steps, errors, colour="blue", mode="line+markers")],
                x=stage.axis("steps", 0, self.steps), y=stage.axis("mean error on other photos (px)", 0, 10),
                lines=[stage.hline("mean pose, looks at nothing", self.blind_px)],
            ),
        )  # fmt: skip
