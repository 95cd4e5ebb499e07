"""The live demos of lesson 03's second half: a template that learned to find bodies, on photos that it never saw."""

import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from tutorial_lib import checkpoints
from tutorial_lib.datasets.photos import clips_of
from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.experiments import default_folder
from tutorial_lib.lessons.shape_templates import experiment
from tutorial_lib.lessons.shape_templates.demo_by_hand import PART_COLOURS
from tutorial_lib.templates import errors, keypoints, learning, part_maps
from tutorial_lib.templates.network import Eye, Regressor, Translator
from tutorial_lib.templates.pairs import Pairs, front_pairs

SIZE = 112
"""Side of the pictures on the stage."""


@dataclass(frozen=True)
class Trained:
    """The networks in eval mode, what was kept of the trainings (see `experiment.load`), and photos to try them on."""

    regressor: Regressor
    translator: Translator
    eye: Eye
    kept: dict[str, torch.Tensor]
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
def look(trained: Trained, photo: torch.Tensor, truth: torch.Tensor) -> dict[str, Any]:
    """What the regressor finds in one photo.

    Args:
        trained: the networks.
        photo: (3, H, H).
        truth: (17, 2), the true joints.

    Returns:
        "photo" and "truth"; "affines" (18, 2, 3); "found" (17, 2), the joints; "error" by body part, in % of the width.
    """
    return compared(photo, trained.regressor(photo[None])[0], truth)


def compared(photo: torch.Tensor, affines: torch.Tensor, truth: torch.Tensor) -> dict[str, Any]:
    """An answer beside the truth: shapes and names as of `look`."""
    found = keypoints(affines)
    error = errors.measured(found[None], truth[None])
    return {"photo": photo, "affines": affines, "found": found, "truth": truth, "error": error}


@torch.no_grad()
def repaint(trained: Trained, appearance: torch.Tensor, place: torch.Tensor, affines: torch.Tensor) -> torch.Tensor:
    """The person of one photo (3, H, H) in the pose of the affines (18, 2, 3), in this empty place: (3, H, H)."""
    return painted_by(trained, appearance, place, affines[None])[0]


@torch.no_grad()
def painted_by(trained: Trained, appearance: torch.Tensor, place: torch.Tensor, affines: torch.Tensor) -> torch.Tensor:
    """`repaint` in several poses (B, 18, 2, 3) at once: (B, 3, H, H)."""
    half, count = appearance.shape[-1] // 2, len(affines)
    there = part_maps(trained.regressor(appearance[None]), half).expand(count, -1, -1, -1)
    looks, places = appearance.expand(count, -1, -1, -1), place.expand(count, -1, -1, -1)
    return trained.translator(looks, there, places, part_maps(affines, half)).clamp(0, 1)


def plain(title: str, picture: torch.Tensor, *people: dict) -> dict:
    """A picture without a cross, with skeletons."""
    return stage.image(picture=picture, skeletons=list(people), cross=None, title=title)


def side_by_side(title: str, *photos: torch.Tensor) -> dict:
    """Photos (3, H, H) in one pane: a fourth pane would not fit beside three."""
    picture = torch.cat([enlarge(photo) for photo in photos], 1)
    return stage.image(picture=picture, aspect=float(len(photos)), cross=None, title=title, weight=1.6)


def _people(arrays: dict[str, Any]) -> tuple[dict, dict]:
    return (
        stage.skeleton2d("truth", arrays["truth"], width=2.5),
        stage.skeleton2d("found", arrays["found"], colour="vermillion", width=2.5),
    )


def _error(arrays: dict[str, Any]) -> str:
    error = arrays["error"]
    return f"joint error {error['all']:.1f} % of the width, {error['flip-tolerant']:.1f} % if sides may be exchanged"


def compute_found(trained: Trained, photo: int) -> dict[str, Any]:
    """One test photo: what `look` finds, "other", the person at another moment, and "painted", put together again."""
    arrays = look(trained, trained.tests.photos(0)[photo], trained.tests.keypoints[0, photo])
    other, place = trained.tests.photos(1)[photo], trained.tests.places()[photo]
    return arrays | {"other": other, "painted": repaint(trained, other, place, arrays["affines"])}


def view_found(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The photo with its parts and joints, the other moment, and the painted photo."""
    return stage.panes(
        plain("joints: true and found", overlay(arrays["photo"], arrays["affines"]), *_people(arrays)),
        plain("another moment: the clothes", enlarge(arrays["other"])),
        plain("painted from parts and clothes", enlarge(arrays["painted"])),
        note=_error(arrays),
        height=240,
    )


def found_demo(trained: Trained) -> Demo:
    """One test photo after the other: parts, joints beside the truth, and the photo painted from the parts."""
    controls = {"photo": slider(0, 0, len(trained.tests) - 1, 1, "test photo")}
    return live(partial(compute_found, trained), view_found, controls, title="A body that nobody pointed at")


def compute_swap(trained: Trained, pose: int, clothes: int) -> dict[str, Any]:
    """The person of one photo in the pose of another, and painted back.

    Args:
        trained: networks and test photos.
        pose: index of the photo that gives the pose.
        clothes: index of the photo that gives the clothes and the place.

    Returns:
        "pose", "clothes", "swapped" and "back" (3, H, H); "cycle", how far back and clothes differ, in %.
    """
    affines = look(trained, trained.tests.photos(0)[pose], trained.tests.keypoints[0, pose])["affines"]
    wearer, place = trained.tests.photos(0)[clothes], trained.tests.places()[clothes]
    own = look(trained, wearer, trained.tests.keypoints[0, clothes])["affines"]
    swapped = repaint(trained, wearer, place, affines)
    back = repaint(trained, swapped, place, own)
    return {
        "pose": trained.tests.photos(0)[pose], "clothes": wearer, "swapped": swapped, "back": back,
        "cycle": 100 * (back - wearer).abs().mean().item(),
    }  # fmt: skip


def view_swap(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """Both photos, the swap, and the way back."""
    return stage.panes(
        side_by_side("whose pose, whose clothes", arrays["pose"], arrays["clothes"]),
        plain("the swap", enlarge(arrays["swapped"])),
        plain("and back again", enlarge(arrays["back"])),
        note=f"there and back: the grey values differ by {arrays['cycle']:.1f} % on average",
        height=260,
    )


def swap_demo(trained: Trained) -> Demo:
    """The pose of one person, the clothes and the place of another; and back again."""
    last = len(trained.tests) - 1
    controls = {"pose": slider(1, 0, last, 1, "pose of photo"), "clothes": slider(0, 0, last, 1, "clothes of photo")}
    return live(partial(compute_swap, trained), view_swap, controls, title="Pose and appearance come apart")


def compute_break(
    trained: Trained, worlds: dict[str, Pairs], everything: dict[str, dict[str, float]], world: str, photo: int
) -> dict[str, Any]:
    """One photo of one kind.

    Args:
        trained: the networks.
        worlds: as for `break_demo`.
        everything: by kind, the errors over all its photos.
        world: which kind.
        photo: index of the photo.

    Returns:
        As of `look`, and "everything".
    """
    arrays = look(trained, worlds[world].photos(0)[photo], worlds[world].keypoints[0, photo])
    return arrays | {"everything": everything}


def view_break(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """Joints and parts of the photo, and a table of all photos of every kind."""
    columns = ("all", "flip-tolerant", "hands")
    rows = [[name, *(f"{error[key]:.1f}" for key in columns)] for name, error in arrays["everything"].items()]
    return stage.panes(
        plain("joints: true and found", overlay(arrays["photo"], arrays["affines"]), *_people(arrays)),
        stage.table(["error in % of the width", *columns], rows),
        note=_error(arrays),
        height=235,
    )


def other_worlds(trained: Trained, seed: int, count: int = 64) -> dict[str, Pairs]:
    """Test photos from the front, from behind, and behind things: name -> photos of that kind.

    Args:
        trained: the networks, and their own test photos.
        seed: of the photos that are drawn anew.
        count: photos of each kind.
    """
    taken = partial(front_pairs, clips_of("test"), count, size=trained.regressor.size)
    return {
        "from the front": trained.tests.select(slice(0, count)),
        "from behind": taken(generator=torch.Generator().manual_seed(seed), towards=math.pi),
        "behind things": taken(generator=torch.Generator().manual_seed(seed), occluders=3.0),
    }


def break_demo(trained: Trained, worlds: dict[str, Pairs]) -> Demo:
    """Photos of another kind than those of the training.

    Args:
        trained: the networks.
        worlds: name -> photos of that kind, equally many.
    """
    everything = {
        name: errors.measured(keypoints(learning.affines_of(trained.regressor, pairs.photos(0))), pairs.keypoints[0])
        for name, pairs in worlds.items()
    }
    count = min(map(len, worlds.values()))
    controls = {"world": choice(list(worlds), label="photos"), "photo": slider(0, 0, count - 1, 1, "photo")}
    compute = partial(compute_break, trained, worlds, everything)
    return live(compute, view_break, controls, title="What the template cannot know")
