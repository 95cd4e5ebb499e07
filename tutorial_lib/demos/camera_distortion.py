"""The live demos of lesson 05: what a lens does to a grid, to a person, and to a lifter that has never seen one."""

import numpy as np
import plotly.graph_objects as go
import torch

from tutorial_lib import checkpoints
from tutorial_lib.adaptation.lens_test import Score, Studio, score, take
from tutorial_lib.camera import FOCAL, to_screen
from tutorial_lib.datasets.splits import TEST_SEED, TestSite, site
from tutorial_lib.display import figures, stage
from tutorial_lib.display.live import Demo, live, slider
from tutorial_lib.distortion import COEFFICIENTS, PRESETS, RADIAL_LIMIT, TANGENTIAL_LIMIT, distort, folds
from tutorial_lib.metrics import root_relative
from tutorial_lib.motion import builtin

BODY = ((-0.65, 0.65), (-0.8, 0.95), (-0.65, 0.65))
"""Fixed ranges of a root-relative pose in camera axes, metres."""

VISIBLE_RADIUS = 0.8
"""Plane radius at the middle of the image's edge; `FOCAL` times it is 1 on the screen."""


def grid_lines(lens: torch.Tensor, lines: int = 13, points: int = 49, half: float = 1.0) -> torch.Tensor:
    """A square grid seen through a lens: (2 * lines, points, 2) screen coordinates."""
    place = torch.linspace(-half, half, lines) / FOCAL
    along = torch.linspace(-half, half, points) / FOCAL
    across, fine = place[:, None].expand(-1, points), along[None, :].expand(lines, -1)
    vertical, horizontal = torch.stack([across, fine], -1), torch.stack([fine, across], -1)
    return to_screen(distort(torch.cat([vertical, horizontal]), lens))


def radius_curve(lens: torch.Tensor, points: int = 81) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True radius r, and the smallest and largest distorted radius over all directions, in plane units."""
    r = torch.linspace(0, 1.0, points)
    angle = torch.linspace(0, 2 * torch.pi, 49)[:-1]
    rays = torch.stack([r[:, None] * torch.cos(angle), r[:, None] * torch.sin(angle)], -1)
    outward = (distort(rays, lens) * torch.stack([torch.cos(angle), torch.sin(angle)], -1)).sum(-1)
    return r.numpy(), outward.amin(1).numpy(), outward.amax(1).numpy()


def lens_controls(start: dict[str, float] | None = None) -> dict:
    """One slider for each coefficient, in the ranges of the course's task distribution; at zero unless `start` says."""
    start = dict.fromkeys(COEFFICIENTS, 0.0) | (start or {})
    radial = {k: slider(start[k], -RADIAL_LIMIT, RADIAL_LIMIT, 0.02, k) for k in COEFFICIENTS[:3]}
    tangential = {p: slider(start[p], -TANGENTIAL_LIMIT, TANGENTIAL_LIMIT, 0.002, p) for p in COEFFICIENTS[3:]}
    return radial | tangential


def lens_presets() -> dict[str, dict]:
    """Buttons: no lens and the four test lenses."""
    named = {"no lens": torch.zeros(5), **PRESETS}
    titles = {
        "d1": "d1 barrel, heavy",
        "d2": "d2 pincushion, heavy",
        "d3": "d3 barrel",
        "d4": "d4 pincushion",
    }
    return {
        titles.get(key, key): dict(zip(COEFFICIENTS, (round(v, 4) for v in lens.tolist())))
        for key, lens in named.items()
    }


def lens_of(k1: float, k2: float, k3: float, p1: float, p2: float) -> torch.Tensor:
    """The five numbers as a tensor (5,)."""
    return torch.tensor([k1, k2, k3, p1, p2])


def fold_note(lens: torch.Tensor) -> str:
    """A sentence about the fold, if there is one inside the image."""
    if not bool(folds(lens, 1.13)):
        return "one-to-one over the whole image"
    radii = np.linspace(0.05, 1.13, 109)
    first = next(r for r in radii if bool(folds(lens, float(r))))
    place = "inside the picture" if first < VISIBLE_RADIUS else "in the corners"
    return f"this lens FOLDS at radius {first:.2f} ({place}): two rays land on one pixel"


def lens_demo() -> Demo:
    """A grid, a circle and the radius curve under one lens."""
    straight = grid_lines(torch.zeros(5))
    circle = torch.linspace(0, 2 * torch.pi, 97)
    ring = 0.5 * torch.stack([torch.cos(circle), torch.sin(circle)], -1)

    def compute(**coefficients):
        lens = lens_of(**coefficients)
        return {
            "lens": lens,
            "grid": grid_lines(lens),
            "ring": to_screen(distort(ring, lens)),
            "radius": radius_curve(lens),
            "note": fold_note(lens),
        }

    def view(arrays, params):
        r, low, high = arrays["radius"]
        return stage.panes(
            stage.image(
                lines=[
                    stage.polyline("without lens", straight, dash="dot", width=1.0),
                    stage.polyline("through the lens", arrays["grid"], colour="blue", width=2.0),
                    stage.polyline("a circle, r = 0.5", arrays["ring"], colour="vermillion", width=3.0),
                ],
                margin=0.35,
                title="the image",
            ),
            stage.curve(
                [
                    stage.series("pinhole", r, r, colour="grey", dash="dot"),
                    stage.series("through the lens", r, (low + high) / 2, colour="blue", band=(low, high)),
                ],
                x=stage.axis("true radius r", 0, 1),
                y=stage.axis("distorted radius", 0, 1.6),
                title="radius: mean and range over directions",
            ),
            note=arrays["note"],
        )

    def twin(arrays, params):
        return figures.image_plane(grid=arrays["grid"], margin=0.35, title="A grid through the lens")

    return live(compute, view, lens_controls(), presets=lens_presets(), twin=twin, title="Bend the light")


def score_row(name: str, value: Score) -> list[str]:
    """A row of the score table: joint errors in mm, PCKh in per cent."""
    return [name, f"{value.mpjpe:.0f}", f"{value.p_mpjpe:.0f}", f"{value.pckh:.0f}"]


SCORE_COLUMNS = ["", "MPJPE (mm)", "P-MPJPE (mm)", "PCKh (%)"]


def walker(motion: str, seed: int) -> TestSite:
    """Somebody walking whom no training saw; or whoever is in the motion file."""
    if motion != "builtin":
        return site(motion, seed)
    walk = builtin(TEST_SEED, [10 * seed], ["walk"], 200)
    return TestSite(walk, walk)


def lifter_demo(motion: str = "builtin", seed: int = 0, model_name: str = "plain-9f") -> Demo:
    """A walking person through a lens, and the skeleton that a lifter without a clue makes of it.

    Args:
        motion: "builtin" or a motion file; its first test clip is shown.
    """
    model = checkpoints.load(model_name)
    studio = Studio(walker(motion, seed), seed, shots=1, recordings=1)
    ideal = studio.exam(torch.zeros(5))
    clean = take(model, ideal)

    def compute(**coefficients):
        lens = lens_of(**coefficients)
        exam = studio.exam(lens)
        with torch.no_grad():
            lifted = root_relative(model.lift(exam.video))
        return {
            "lens": lens,
            "grid": grid_lines(lens),
            "seen": exam.video[0],
            "lifted": lifted[0],
            "truth": exam.truth[0],
            "score": score(lifted, exam.truth),
            "note": fold_note(lens),
        }

    def view(arrays, params):
        return stage.panes(
            stage.image(
                skeletons=[
                    stage.skeleton2d("without lens", ideal.video[0], colour="grey", dash="dot", width=2.5),
                    stage.skeleton2d("detected", arrays["seen"], colour="vermillion"),
                ],
                lines=[stage.polyline("grid", arrays["grid"])],
                margin=0.2,
                title="what the detector reports",
            ),
            stage.scene(
                [
                    stage.skeleton3d("truth", arrays["truth"]),
                    stage.skeleton3d("lifted, un-adapted", arrays["lifted"], colour="vermillion"),
                ],
                extent=BODY,
                up="-y",
                title="3D, seen from beside the camera",
            ),
            stage.table(SCORE_COLUMNS, [score_row("no lens", clean), score_row("this lens", arrays["score"])]),
            note=f"error × {arrays['score'].mpjpe / clean.mpjpe:.2f}; {arrays['note']}",
        )

    def twin(arrays, params):
        return side_by_side(
            figures.image_plane(
                skeletons={"without lens": ideal.video[0][40], "detected": arrays["seen"][40]},
                grid=arrays["grid"],
                margin=0.2,
                colours={"without lens": "grey", "detected": "vermillion"},
            ),
            figures.skeletons_3d(
                {"truth": arrays["truth"][40], "lifted": arrays["lifted"][40]},
                extent=BODY,
                up="-y",
                colours={"lifted": "vermillion"},
            ),
            title=f"MPJPE {clean.mpjpe:.0f} mm without lens, {arrays['score'].mpjpe:.0f} mm with it",
        )

    controls = lens_controls(lens_presets()["d2 pincushion, heavy"])
    return live(compute, view, controls, presets=lens_presets(), twin=twin, title="The lifter meets a lens")


def side_by_side(image: go.Figure, scene: go.Figure, title: str) -> go.Figure:
    """An image plane and a 3D scene in one figure."""
    both = go.Figure(data=[*image.data, *scene.data], layout=image.layout)
    both.update_layout(
        scene=scene.layout.scene,
        title={"text": title},
        width=None,
        xaxis={"domain": [0, 0.46]},
        yaxis={"domain": [0, 1]},
    )
    both.update_layout(scene_domain={"x": [0.5, 1], "y": [0, 1]})
    return both
