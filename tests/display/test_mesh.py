"""Surfaces on the stage: what is sent, what is painted without a kernel, and what a real browser draws."""

import io

import numpy as np
import PIL.Image
import pytest

from tutorial_lib.display import stage, still

BOX = ((-1, 1), (-1, 1), (-1, 1))
CORNERS = 0.4 * np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=np.float32)
FACES = np.array(
    [(0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1), (2, 3, 7), (2, 7, 6), (0, 2, 6), (0, 6, 4),
     (1, 5, 7), (1, 7, 3)]
)  # fmt: skip
"""A die, its faces counter-clockwise seen from outside."""


def die(at=(0.0, 0.0, 0.0), faces=FACES, name="a die", **options):
    return stage.mesh3d(name, CORNERS + np.array(at, dtype=np.float32), faces, **options)


def scene(*meshes, **options):
    return stage.panes(stage.scene(meshes=meshes, extent=BOX, view=(0.0, 20.0), **options))


def coloured(array):
    """Which pixels are rather blue, and which rather red: shades of the palette's blue and vermillion."""
    red, green, blue = np.moveaxis(array[..., :3].astype(int), -1, 0)
    return blue > red + 40, red > blue + 40


def seen(array):
    """How many pixels are rather blue, and rather red."""
    return tuple(part.sum() for part in coloured(array))


def painted(picture):
    return np.asarray(PIL.Image.open(io.BytesIO(still.png(picture))).convert("RGB"))


def test_faces_travel_once_and_vertices_frame_by_frame():
    frames = np.stack([CORNERS, 2 * CORNERS])
    mesh = stage.mesh3d("after", frames, FACES, values=np.linspace(0, 1, 8))
    np.testing.assert_array_equal(stage.unpack(mesh["points"]), frames)
    np.testing.assert_array_equal(stage.unpack(mesh["faces"]), FACES)
    assert mesh["values"]["shape"] == [1, 8]
    assert mesh["colour"] == stage.skeleton3d("after", np.zeros((17, 3)))["colour"]


@pytest.mark.parametrize(
    "options, says",
    [
        ({"vertices": CORNERS[:, :2]}, r"vertices has shape \(1, 8, 2\)|vertices has shape"),
        ({"faces": FACES + 1}, "from 0 to 7"),
        ({"faces": FACES + 0.5}, "whole numbers"),
        ({"values": np.ones(7)}, r"expected \(8,\)"),
        ({"values": 2 * np.ones(8)}, "from 0 to 1"),
    ],
)
def test_refuses_with_the_argument_and_the_expectation(options, says):
    with pytest.raises(ValueError, match=says):
        stage.mesh3d("a die", **{"vertices": CORNERS, "faces": FACES, **options})


def test_a_scene_takes_meshes_alone():
    with pytest.raises(ValueError, match="meshes holds dict"):
        stage.scene(meshes=[stage.skeleton3d("truth", np.zeros((17, 3)))])


FAR = die((0, 1.2, 0), colour="vermillion", name="far")
TELLS = {
    "its own colour": (scene(die(colour="blue")), "blue"),
    "the colour of its values": (scene(die(colour="blue", values=np.ones(8))), "red"),
    "what is near before what is far": (scene(die(colour="blue"), FAR), "more blue"),
    "the same in another order": (scene(FAR, die(colour="blue")), "more blue"),
    "a scene with y down": (scene(die(colour="blue"), up="-y"), "blue"),
}


def assert_shows(array, which):
    blue, red = seen(array)
    assert {"blue": blue > 2000 and red < 100, "red": red > 2000 and blue < 100, "more blue": blue > 2 * red > 0}[which]


@pytest.mark.parametrize("case", TELLS)
def test_the_still_shows(case):
    picture, which = TELLS[case]
    assert_shows(painted(picture)[:290], which)  # above the legend


@pytest.mark.parametrize("case", TELLS)
def test_a_browser_shows(case, drawn):
    picture, which = TELLS[case]
    assert_shows(drawn(picture), which)


@pytest.mark.parametrize("up", ["z", "-y", "y"])
@pytest.mark.parametrize("view", [(-35.0, 14.0), (60.0, 30.0), (150.0, 14.0)])
def test_the_still_and_the_browser_look_from_the_same_side(view, up, drawn):
    """From a blue die in the middle to a red one further on: the same way, left or right."""
    small, forward = 0.25 * CORNERS, (0, 0.9, 0) if up == "z" else (0, 0, 0.9)
    blue, red = (
        stage.mesh3d(colour, small + np.array(place, dtype=np.float32), FACES, colour=colour)
        for colour, place in (("blue", (0, 0, 0)), ("vermillion", forward))
    )
    picture = stage.panes(stage.scene(meshes=[blue, red], extent=BOX, view=view, up=up))
    ways = []
    for array in (painted(picture)[20:290], drawn(picture)):
        marked = coloured(array[..., :3])
        ways.append(np.subtract(*(np.mean(np.nonzero(part), axis=1) for part in reversed(marked))))
    ways = np.array(ways)
    assert (np.sign(ways[:, 1]) == np.sign(ways[0, 1])).all() and np.abs(ways[:, 1]).min() > 20, ways


def test_a_browser_draws_no_face_from_inside(drawn):
    """Turned inside out, the die's far walls are drawn in place of the near ones: their shading differs."""
    right, inside_out = (drawn(scene(die(colour="blue", faces=faces))) for faces in (FACES, FACES[:, ::-1]))
    assert seen(right)[0] > 2000 and seen(inside_out)[0] > 2000
    assert (right != inside_out).any(-1).sum() > 2000
