"""The live demos of lesson 03's second half: a template that learned to find bodies, on photos that it never saw."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import torch
from torch.nn import functional

from tutorial_lib import checkpoints
from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.experiments import default_folder
from tutorial_lib.lessons.shape_templates import experiment
from tutorial_lib.lessons.shape_templates.demo_by_hand import PART_COLOURS
from tutorial_lib.lessons.shape_templates.results import contact_figure
from tutorial_lib.metrics import distances
from tutorial_lib.templates import COVERED, errors, keypoints, learning, part_maps
from tutorial_lib.templates.network import Eye, Regressor, Translator
from tutorial_lib.templates.pairs import Pairs

SIZE = 144
"""Side of the pictures on the stage."""


@dataclass(frozen=True)
class Trained:
    """The networks in eval mode, the album of the training (see `experiment.load`), and photos to try them on."""

    regressor: Regressor
    translator: Translator
    eye: Eye
    album: dict[str, torch.Tensor]
    tests: Pairs


def load(work: Path | None = None, folder: Path = checkpoints.FOLDER, budget_name: str = "shipped") -> Trained:
    """The shipped networks and the test photos, which are drawn on the spot and kept in `work`."""
    budget = experiment.BUDGETS[budget_name]
    work = work or default_folder(f"templates-{budget_name}")
    return Trained(*experiment.load(folder), experiment.pairs_of("test", budget, work))


def enlarge(photo: torch.Tensor) -> torch.Tensor:
    """(3, H, H) to (SIZE, SIZE, 3) in [0, 1]."""
    return functional.interpolate(photo[None].clamp(0, 1), size=SIZE, mode="bilinear")[0].permute(1, 2, 0)


def overlay(photo: torch.Tensor, affines: torch.Tensor) -> torch.Tensor:
    """The coloured parts (18, 2, 3) over the photo (3, H, H): (SIZE, SIZE, 3)."""
    maps = part_maps(affines, SIZE)
    mixed = torch.einsum("prc,pk->rck", maps, PART_COLOURS) / maps.sum(0).clamp_min(1e-6)[..., None]
    cover = 0.8 * maps.amax(0)[..., None]
    return (1 - cover) * enlarge(photo) + cover * mixed


@torch.no_grad()
def look(trained: Trained, photo: torch.Tensor, truth: torch.Tensor) -> dict:
    """What the regressor finds in one photo (3, H, H), beside the true joints (17, 2)."""
    affines = trained.regressor(photo[None])[0]
    found = keypoints(affines)
    return {
        "photo": photo,
        "affines": affines,
        "found": found,
        "truth": truth,
        "error": errors.measured(found[None], truth[None]),
    }


@torch.no_grad()
def repaint(trained: Trained, appearance: torch.Tensor, place: torch.Tensor, affines: torch.Tensor) -> torch.Tensor:
    """The person of one photo (3, H, H) in the pose of the affines (18, 2, 3), in this empty place: (3, H, H)."""
    both = torch.stack([trained.regressor(appearance[None])[0], affines])
    there, here = part_maps(both, appearance.shape[-1] // 2)[:, None]
    return trained.translator(appearance[None], there, place[None], here)[0].clamp(0, 1)


def _plain(title: str, picture: torch.Tensor, *people: dict) -> dict:
    return stage.image(picture=picture, skeletons=list(people), cross=None, title=title)


def _people(arrays: dict) -> tuple[dict, dict]:
    return (
        stage.skeleton2d("truth", arrays["truth"], width=2.5),
        stage.skeleton2d("found", arrays["found"], colour="vermillion", width=2.5),
    )


def _error(arrays: dict) -> str:
    error = arrays["error"]
    return f"joint error {error['all']:.1f} % of the width, {error['flip-tolerant']:.1f} % if sides may be exchanged"


def compute_found(trained: Trained, photo: int) -> dict[str, Any]:
    """What `found_demo` shows for these values of its controls."""
    arrays = look(trained, trained.tests.photos(0)[photo], trained.tests.keypoints[0, photo])
    other, place = trained.tests.photos(1)[photo], trained.tests.places()[photo]
    return arrays | {"other": other, "painted": repaint(trained, other, place, arrays["affines"])}


def view_found(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `found_demo`."""
    return stage.panes(
        _plain("the photo, its joints and what was found", enlarge(arrays["photo"]), *_people(arrays)),
        _plain("18 parts", overlay(arrays["photo"], arrays["affines"])),
        _plain("another moment: the clothes", enlarge(arrays["other"])),
        _plain("painted from parts and clothes", enlarge(arrays["painted"])),
        note=_error(arrays),
        height=260,
    )


def found_demo(trained: Trained) -> Demo:
    """One test photo after the other: parts, joints beside the truth, and the photo painted from the parts."""

    controls = {"photo": slider(0, 0, len(trained.tests) - 1, 1, "test photo")}
    return live(partial(compute_found, trained), view_found, controls, title="A body that nobody pointed at")


def compute_swap(trained: Trained, pose: int, clothes: int) -> dict[str, Any]:
    """What `swap_demo` shows for these values of its controls."""
    affines = look(trained, trained.tests.photos(0)[pose], trained.tests.keypoints[0, pose])["affines"]
    wearer, place = trained.tests.photos(0)[clothes], trained.tests.places()[clothes]
    own = look(trained, wearer, trained.tests.keypoints[0, clothes])["affines"]
    swapped = repaint(trained, wearer, place, affines)
    back = repaint(trained, swapped, place, own)
    return {
        "pose": trained.tests.photos(0)[pose], "clothes": wearer, "swapped": swapped, "back": back,
        "cycle": 100 * (back - wearer).abs().mean().item(),
    }  # fmt: skip


def view_swap(names: Mapping[str, str], arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `swap_demo`."""
    return stage.panes(
        *(_plain(title, enlarge(arrays[name])) for name, title in names.items()),
        note=f"there and back: the grey values differ by {arrays['cycle']:.1f} % on average",
        height=260,
    )


def swap_demo(trained: Trained) -> Demo:
    """The pose of one person, the clothes and the place of another; and back again."""

    names = {
        "pose": "whose pose", "clothes": "whose clothes", "swapped": "the swap", "back": "and back again",
    }  # fmt: skip

    last = len(trained.tests) - 1
    controls = {"pose": slider(1, 0, last, 1, "pose of photo"), "clothes": slider(0, 0, last, 1, "clothes of photo")}
    return live(
        partial(compute_swap, trained), partial(view_swap, names), controls, title="Pose and appearance come apart"
    )


def compute_album(trained: Trained, steps: Any, album: Any, moment: int, photo: int) -> dict[str, Any]:
    """What `album_demo` shows for these values of its controls."""
    affines, truth = album[moment, photo], trained.tests.keypoints[0, photo]
    answers = keypoints(album)
    wrong = errors.PER_CENT * distances(answers, trained.tests.keypoints[0, : album.shape[1]].expand_as(answers))
    found = keypoints(affines)
    return {
        "photo": trained.tests.photos(0)[photo], "affines": affines, "found": found, "truth": truth,
        "errors": wrong[..., list(COVERED)].mean((-1, -2)),
        "error": errors.measured(found[None], truth[None]), "step": steps[moment],
    }  # fmt: skip


def view_album(steps: Any, arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `album_demo`."""
    top = float(arrays["errors"].max()) * 1.1
    return stage.panes(
        _plain("18 parts", overlay(arrays["photo"], arrays["affines"])),
        _plain("joints", enlarge(arrays["photo"]), *_people(arrays)),
        stage.curve(
            [stage.series("these eight photos", steps, arrays["errors"], colour="vermillion")],
            x=stage.axis("steps of training", 0, steps[-1]), y=stage.axis("joint error (% of the width)", 0, top),
            now=arrays["step"],
        ),
        note=_error(arrays),
        height=300,
    )  # fmt: skip


def album_demo(trained: Trained) -> Demo:
    """What the network answered on the way: recorded while the shipped network was trained."""
    steps, album = trained.album["steps"].tolist(), trained.album["affines"]

    controls = {
        "moment": slider(len(steps) - 1, 0, len(steps) - 1, 1, "moment"),
        "photo": slider(0, 0, album.shape[1] - 1, 1, "test photo"),
    }
    presets = {"before training": {"moment": 0}, "after training": {"moment": len(steps) - 1}}
    return live(
        partial(compute_album, trained, steps, album),
        partial(view_album, steps),
        controls,
        presets=presets,
        title="Watch the parts find the body",
    )


def compute_break(
    trained: Trained, worlds: dict[str, Pairs], everything: Any, world: str, photo: int
) -> dict[str, Any]:
    """What `break_demo` shows for these values of its controls."""
    arrays = look(trained, worlds[world].photos(0)[photo], worlds[world].keypoints[0, photo])
    return arrays | {"everything": everything}


def view_break(everything: Any, arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `break_demo`."""
    rows = [[name, *(f"{e[key]:.1f}" for key in ("all", "flip-tolerant", "hands"))] for name, e in everything.items()]
    return stage.panes(
        _plain("joints", enlarge(arrays["photo"]), *_people(arrays)),
        _plain("18 parts", overlay(arrays["photo"], arrays["affines"])),
        stage.table(["error in % of the width", "all", "flip-tolerant", "hands"], rows),
        note=_error(arrays),
        height=320,
    )


def break_demo(trained: Trained, worlds: dict[str, Pairs]) -> Demo:
    """Photos of another kind than those of the training.

    Args:
        worlds: name -> photos of that kind, equally many.
    """
    everything = {
        name: errors.measured(keypoints(learning.affines_of(trained.regressor, pairs.photos(0))), pairs.keypoints[0])
        for name, pairs in worlds.items()
    }

    count = min(map(len, worlds.values()))
    controls = {"world": choice(list(worlds), label="photos"), "photo": slider(0, 0, count - 1, 1, "photo")}
    return live(
        partial(compute_break, trained, worlds, everything),
        partial(view_break, everything),
        controls,
        title="What the template cannot know",
    )


def compute_code(
    photos: torch.Tensor,
    flat: torch.Tensor,
    mean: torch.Tensor,
    spread: torch.Tensor,
    axes: torch.Tensor,
    photo: int,
    number: int,
    turn: float,
) -> dict[str, Any]:
    """What `code_demo` shows for these values of its controls."""
    code = axes @ (flat[photo] - mean)
    changed = code.clone()
    changed[number] += turn * spread[number]
    pictures = [(mean + c @ axes).reshape(photos.shape[1:]) for c in (code, changed)]
    return {"photo": photos[photo], "decoded": pictures[0], "changed": pictures[1]}


def view_code(codes: int, arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `code_demo`."""
    return stage.panes(
        _plain("the photo", enlarge(arrays["photo"])),
        _plain(f"from {codes} numbers", enlarge(arrays["decoded"])),
        _plain("one number changed", enlarge(arrays["changed"])),
        height=300,
    )


def code_demo(trained: Trained, codes: int = 24) -> Demo:
    """A linear auto-encoder of the test photos: turn two of its numbers, and see what they mean.

    Args:
        codes: numbers that a photo is squeezed into.
    """
    photos = trained.tests.photos(0)
    flat = photos.flatten(1)
    mean = flat.mean(0)
    _, spread, axes = torch.linalg.svd(flat - mean, full_matrices=False)
    axes, spread = axes[:codes], spread[:codes] / len(flat) ** 0.5

    controls = {
        "photo": slider(0, 0, len(photos) - 1, 1, "test photo"),
        "number": slider(3, 0, codes - 1, 1, "which number"),
        "turn": slider(2.0, -3.0, 3.0, 0.1, "turned by (standard deviations)"),
    }
    return live(
        partial(compute_code, photos, flat, mean, spread, axes),
        partial(view_code, codes),
        controls,
        title="An auto-encoder's numbers have no names",
    )


def continue_training(
    trained: Trained, pairs: Pairs, steps: int, seed: int = 0, *, anew: bool = False
) -> tuple[list[float], torch.Tensor, torch.Tensor]:
    """Train for a moment, on copies: nothing that other demos use is changed.

    Args:
        anew: begin with untrained networks instead of the shipped ones, at the rate of the shipped training.

    Returns:
        The loss of every step; the affines of all test photos before and after, (B, 18, 2, 3) each.
    """
    size, width = trained.regressor.size, trained.regressor.width
    learner = learning.Learner(pairs, trained.eye, size=size, width=width, batch=8, seed=seed, blur=0.0)
    if not anew:
        learner.regressor.load_state_dict(trained.regressor.state_dict())
        learner.networks[1].load_state_dict(trained.translator.state_dict())
    photos = trained.tests.photos(0)
    before = learning.affines_of(learner.regressor, photos)
    losses = learning.train(learner, steps, 2e-3 if anew else 3e-4, "trained anew" if anew else "trained on")
    return losses, before, learning.affines_of(learner.regressor, photos)


def slid_figure(trained: Trained, before: torch.Tensor, after: torch.Tensor, count: int = 3) -> go.Figure:
    """The parts over the first test photos, before (upper row) and after (lower row) a training."""
    photos = trained.tests.photos(0, slice(0, count))
    rows = [[overlay(photo, one) for photo, one in zip(photos, affines)] for affines in (before, after)]
    return contact_figure(rows, "above: before, below: after")
