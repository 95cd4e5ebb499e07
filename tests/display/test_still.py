"""The picture for readers without a kernel is the stage's own: what is described is what is painted."""

import io

import numpy as np
import PIL.Image
import pytest

from tutorial_lib.display import stage, still

POSE = np.random.default_rng(0).uniform(-0.5, 0.5, (5, 17, 3)).astype(np.float32)
FLAT = POSE[..., :2]
BOX = ((-1, 1), (-1, 1), (-1, 1))


def painted(*parts, **options):
    """The picture as an array (rows, columns, 3), 0 to 255."""
    bytes_ = still.png(stage.panes(*parts, **{k: v for k, v in options.items() if k == "note"}), options.get("frame"))
    return np.asarray(PIL.Image.open(io.BytesIO(bytes_)).convert("RGB")).astype(int)


def near(array, colour):
    """How many pixels have this colour, nearly: the palette may shift it a little."""
    return (np.abs(array - np.array(colour)).max(-1) < 24).sum()


def axes():
    return {"x": stage.axis("steps", 0, 10), "y": stage.axis("error (mm)", 0, 100)}


PANES = {
    "scene": stage.scene([stage.skeleton3d("after", POSE)], extent=BOX, up="-y"),
    "image": stage.image(skeletons=[stage.skeleton2d("after", FLAT)], title="a picture"),
    "curve": stage.curve([stage.series("a line", [0, 5, 10], [10, 90, 50], colour="blue")], **axes()),
    "bars": stage.curve([stage.series("bars", [1, 2], [10, 90], colour="blue", mode="bars")], **axes()),
    "dots": stage.image(dots=[stage.dots("a dot", [[0.2, 0.3]], colour="blue", size=12)]),
    "circle": stage.image(circles=[stage.circle("a circle", 0.5, colour="blue", width=6)]),
    "polyline": stage.image(lines=[stage.polyline("a line", [[-0.5, 0], [0.5, 0.2]], colour="blue", width=6)]),
    "heat": stage.image(heat=np.eye(8), heat_name="a map", heat_colour="blue"),
}
BLUE = (0, 114, 178)


@pytest.mark.parametrize("name", PANES)
def test_everything_that_the_stage_draws_is_painted_in_its_colour(name):
    assert near(painted(PANES[name]), BLUE) > 30


def test_dots_on_a_photo_keep_their_colours_however_many_the_photo_has():
    y, x = np.mgrid[0:64, 0:64] / 63
    photo = np.stack([x, y, 0.5 + 0.4 * np.sin(9 * x * y)], -1)
    wanted = {"vermillion": (213, 94, 0), "orange": (230, 159, 0), "blue": BLUE, "green": (0, 158, 115)}
    marks = [stage.dots(name, [[0.2, 0.3]], colour=name, size=3) for name in wanted]
    picture = painted(stage.image(picture=photo), stage.image(dots=marks[::-1]), stage.image(dots=marks))
    legend = picture[-70:]
    for name, colour in wanted.items():
        assert near(legend, colour) >= 4, name


def test_the_same_picture_has_the_same_bytes():
    picture = stage.panes(*PANES.values(), stage.table(["", "mm"], [["a", 1.0]]), note="a remark")
    assert still.png(picture) == still.png(picture)


def test_it_is_small_and_at_most_eight_hundred_pixels_wide():
    picture = stage.panes(*list(PANES.values())[:3], stage.table(["", "mm"], [["a", 1.0]] * 5))
    made = still.png(picture)
    assert len(made) < 60_000 and PIL.Image.open(io.BytesIO(made)).width == 800


@pytest.mark.parametrize("name", ["scene", "image"])
def test_another_frame_is_another_picture(name):
    pictures = [painted(PANES[name], frame=frame) for frame in (0, 2, 4)]
    assert np.array_equal(painted(PANES[name]), pictures[1]), "the middle one by default"
    assert not any(np.array_equal(pictures[0], other) for other in pictures[1:])


def test_y_points_down_in_an_image_and_up_in_a_curve():
    low = np.argwhere(
        np.abs(painted(stage.image(dots=[stage.dots("", [[0, 0.8]], colour="blue")])) - BLUE).max(-1) < 24
    )
    high = np.argwhere(
        np.abs(painted(stage.image(dots=[stage.dots("", [[0, -0.8]], colour="blue")])) - BLUE).max(-1) < 24
    )
    assert low[:, 0].min() > high[:, 0].max()
    curves = [
        painted(stage.curve([stage.series("", [4, 6], [y, y], colour="blue", width=6)], **axes())) for y in (5, 95)
    ]
    rows = [np.argwhere(np.abs(one - BLUE).max(-1) < 24)[:, 0] for one in curves]
    assert rows[0].min() > rows[1].max()


def test_a_person_who_stands_has_the_head_above_the_feet_whichever_axis_is_up():
    for up, axis, sign in (("z", 2, 1), ("-y", 1, -1), ("y", 1, 1)):
        heights = np.zeros((17, 3), np.float32)
        heights[10, axis], heights[3, axis] = 0.9 * sign, -0.9 * sign
        picture = painted(stage.scene([stage.skeleton3d("after", heights)], extent=BOX, up=up, view=(0, 5)))
        rows = np.argwhere(np.abs(picture - BLUE).max(-1) < 24)[:, 0]
        assert np.ptp(rows) > 60, up


def test_a_long_table_makes_a_taller_picture():
    short, long = (painted(PANES["curve"], stage.table(["", "mm"], [["a", 1.0]] * rows)) for rows in (1, 8))
    assert len(long) - len(short) == pytest.approx(7 * 100 * still.ROW, abs=3)
    alone = painted(stage.table(["model", "mm"], [["a", 1.0]]))
    assert len(alone) < 150, "a table alone has no room for canvases"


def test_long_titles_labels_and_legends_stay_on_the_paper():
    long = stage.axis("the joint's offset from the centre of its own cell (cells)", 0, 10)
    lines = [stage.series(f"the {i}th of several lines", [0, 10], [0, 100], colour="blue") for i in range(5)]
    one = stage.curve(lines, x=long, y=axes()["y"], title="what one number is rewarded for, and what it is not")
    drawn = painted(one, one, one, note="a remark")
    edges = [drawn[0], drawn[-1], drawn[:, 0], drawn[:, -1]]
    assert all((edge > 250).all() for edge in edges)


def test_a_scene_stays_in_its_own_part_of_the_row():
    wide = stage.scene([stage.skeleton3d("", POSE + (0, 0, 3))], extent=((-1.5, 1.5), (-1.4, 1.2), (0, 6)), up="-y")
    drawn = painted(wide, wide, wide)
    for border in (267, 533):
        assert (drawn[:, border - 3 : border + 3] > 250).all(), "labels of one pane reach into the next"


def test_the_legend_of_a_heat_map_names_it_as_the_live_one_does():
    clear = np.zeros((8, 8))
    assert near(painted(stage.image(heat=clear, heat_name="a map", heat_colour="blue")), BLUE) > 30
    assert near(painted(stage.image(heat=clear, heat_name="", heat_colour="blue")), BLUE) == 0
