"""The live demos of lesson 03's second half: a template that learned to find bodies, on photos that it never saw."""

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
    both = torch.stack([trained.regressor(appearance[None])[0], affines])
    there, here = part_maps(both, appearance.shape[-1] // 2)[:, None]
    return trained.translator(appearance[None], there, place[None], here)[0].clamp(0, 1)


def _plain(title: str, picture: torch.Tensor, *people: dict) -> dict:
    return stage.image(picture=picture, skeletons=list(people), cross=None, title=title)


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
    """The photo with its joints, the parts, the other moment, and the painted photo."""
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
    names = {"pose": "whose pose", "clothes": "whose clothes", "swapped": "the swap", "back": "and back again"}
    return stage.panes(
        *(_plain(title, enlarge(arrays[name])) for name, title in names.items()),
        note=f"there and back: the grey values differ by {arrays['cycle']:.1f} % on average",
        height=260,
    )


def swap_demo(trained: Trained) -> Demo:
    """The pose of one person, the clothes and the place of another; and back again."""
    last = len(trained.tests) - 1
    controls = {"pose": slider(1, 0, last, 1, "pose of photo"), "clothes": slider(0, 0, last, 1, "clothes of photo")}
    return live(partial(compute_swap, trained), view_swap, controls, title="Pose and appearance come apart")


def compute_album(trained: Trained, moment: int, photo: int) -> dict[str, Any]:
    """What the network answered at one moment of its training, and its error at all of them.

    Args:
        trained: album and test photos.
        moment: index in the album.
        photo: index of the test photo.

    Returns:
        As of `look`; "step" of the moment; "steps" and "errors" (moments,) over the photos of the album.
    """
    steps, album = trained.album["steps"].tolist(), trained.album["affines"]
    answers = keypoints(album)
    wrong = errors.PER_CENT * distances(answers, trained.tests.keypoints[0, : album.shape[1]].expand_as(answers))
    now = compared(trained.tests.photos(0)[photo], album[moment, photo], trained.tests.keypoints[0, photo])
    return now | {"errors": wrong[..., list(COVERED)].mean((-1, -2)), "step": steps[moment], "steps": steps}


def view_album(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """Parts and joints at that moment, and the error on the way."""
    steps, top = arrays["steps"], float(arrays["errors"].max()) * 1.1
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
    moments, photos = trained.album["affines"].shape[:2]
    controls = {
        "moment": slider(moments - 1, 0, moments - 1, 1, "moment"),
        "photo": slider(0, 0, photos - 1, 1, "test photo"),
    }
    presets = {"before training": {"moment": 0}, "after training": {"moment": moments - 1}}
    title = "Watch the parts find the body"
    return live(partial(compute_album, trained), view_album, controls, presets=presets, title=title)


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
        _plain("joints", enlarge(arrays["photo"]), *_people(arrays)),
        _plain("18 parts", overlay(arrays["photo"], arrays["affines"])),
        stage.table(["error in % of the width", *columns], rows),
        note=_error(arrays),
        height=320,
    )


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


@dataclass(frozen=True)
class LinearCode:
    """The linear auto-encoder that loses least of some photos.

    Attributes:
        mean: (P,) the mean photo, as one row of numbers.
        axes: (codes, P) what each number of a code adds to it, of length 1.
        spread: (codes,) standard deviation of each number over the photos.
    """

    mean: torch.Tensor
    axes: torch.Tensor
    spread: torch.Tensor

    @classmethod
    def of(cls, photos: torch.Tensor, codes: int) -> "LinearCode":
        """Fitted to photos (B, 3, H, H), which are squeezed into so many numbers."""
        flat = photos.flatten(1)
        _, spread, axes = torch.linalg.svd(flat - flat.mean(0), full_matrices=False)
        return cls(flat.mean(0), axes[:codes], spread[:codes] / len(flat) ** 0.5)


def compute_code(
    photos: torch.Tensor, coder: LinearCode, photo: int, number: int, turn: float
) -> dict[str, torch.Tensor]:
    """One photo, squeezed and unfolded, with one number of its code changed.

    Args:
        photos: (B, 3, H, H).
        coder: the auto-encoder.
        photo: index of the photo.
        number: which number of the code.
        turn: how far it is changed, in standard deviations.

    Returns:
        "code" (codes,); "photo", "decoded" and "changed" (3, H, H).
    """
    code = coder.axes @ (photos[photo].flatten() - coder.mean)
    changed = code.clone()
    changed[number] += turn * coder.spread[number]
    decoded = [(coder.mean + one @ coder.axes).reshape(photos.shape[1:]) for one in (code, changed)]
    return {"code": code, "photo": photos[photo], "decoded": decoded[0], "changed": decoded[1]}


def view_code(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The photo, what its code keeps of it, and what one number does."""
    return stage.panes(
        _plain("the photo", enlarge(arrays["photo"])),
        _plain(f"from {len(arrays['code'])} numbers", enlarge(arrays["decoded"])),
        _plain("one number changed", enlarge(arrays["changed"])),
        height=300,
    )


def code_demo(trained: Trained, codes: int = 24) -> Demo:
    """A linear auto-encoder of the test photos: turn two of its numbers, and see what they mean.

    Args:
        trained: whose test photos.
        codes: numbers that a photo is squeezed into.
    """
    photos = trained.tests.photos(0)
    controls = {
        "photo": slider(0, 0, len(photos) - 1, 1, "test photo"),
        "number": slider(3, 0, codes - 1, 1, "which number"),
        "turn": slider(2.0, -3.0, 3.0, 0.1, "turned by (standard deviations)"),
    }
    compute = partial(compute_code, photos, LinearCode.of(photos, codes))
    return live(compute, view_code, controls, title="An auto-encoder's numbers have no names")


def continue_training(
    trained: Trained, pairs: Pairs, steps: int, seed: int = 0, *, anew: bool = False
) -> tuple[list[float], torch.Tensor, torch.Tensor]:
    """Train for a moment, on copies: nothing that other demos use is changed.

    Args:
        trained: where it begins, and the test photos.
        pairs: photos to train on.
        steps: how many.
        seed: of the training.
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
