"""The stage's Python half: what it sends, and what it refuses."""

import numpy as np
import pytest
import torch

from tutorial_lib.display import stage
from tutorial_lib.skeleton import BONES, LEFT


def body(frames=3, dims=3):
    return np.random.default_rng(0).normal(size=(frames, 17, dims)).astype(np.float32)


def full_picture():
    return stage.panes(
        stage.scene([stage.skeleton3d("truth", body()), stage.skeleton3d("after", torch.tensor(body()[0]))]),
        stage.image(
            skeletons=[stage.skeleton2d("truth", body(dims=2))],
            lines=[stage.polyline("grid", np.zeros((4, 9, 2)))], circles=[stage.circle("limit", 0.9)],
            dots=[stage.dots("argmax", [[0.1, 0.2]])],
            heat=np.eye(4), picture=np.zeros((4, 6, 3)),
        ),
        stage.curve(
            [stage.series("error", [0, 1, 2], [3.0, np.nan, 5.0], band=([1, 1, 1], [6, 6, 6]))],
            x=stage.axis("k1", 0, 2), y=stage.axis("error (mm)", 0, 10),
            lines=[stage.hline("paper", 5.0)], now=1.0,
        ),
        stage.table(["limb", "before", "after"], [["arm", "9.0", "7.5"], ["leg", 3, 4]], best="min"),
    )  # fmt: skip


def test_arrays_travel_as_little_endian_float32_and_come_back():
    points = body()
    packed = stage.skeleton3d("truth", points)["points"]
    assert packed["shape"] == [3, 17, 3] and isinstance(packed["data"], bytes)
    np.testing.assert_array_equal(stage.unpack(packed), points)
    gradient = torch.tensor(points, dtype=torch.float64, requires_grad=True)
    np.testing.assert_array_equal(stage.unpack(stage.skeleton3d("truth", gradient)["points"]), points)


@pytest.mark.parametrize("levels", [(0.0, 1.0), (-2.0, 3.0)])
def test_a_picture_travels_with_a_byte_a_number_and_a_heat_map_whole(levels):
    low, high = levels
    shown = np.random.default_rng(0).uniform(low, high, (4, 6, 3))
    pane = stage.image(picture=shown, heat=shown[..., 0], levels=levels)
    packed = pane["picture"]["cells"]
    assert len(packed["data"]) == shown.size, "one byte each"
    np.testing.assert_allclose(stage.unpack(packed), shown, atol=(high - low) / 255 / 2 + 1e-6)
    beyond = stage.unpack(stage.image(picture=5 * shown, levels=levels)["picture"]["cells"])
    assert beyond.min() >= low - 1e-6 and beyond.max() <= high + 1e-6, "what no screen shows is cut off"
    again = stage.image(picture=stage.unpack(packed), levels=levels)["picture"]["cells"]
    assert again == packed, "packed twice, the same"
    np.testing.assert_array_equal(stage.unpack(pane["heat"]["cells"]), shown[..., 0].astype(np.float32))


def test_a_browser_draws_a_picture_in_its_colours(drawn):
    blue, grey = (0.0, 0.2, 1.0), (0.4, 0.4, 0.4)
    shown = drawn(stage.panes(stage.image(picture=np.array([[blue, grey]]), cross=None)))[..., :3].astype(int)
    for colour in (blue, grey):
        near = (np.abs(shown - 255 * np.array(colour)) < 2).all(-1)
        assert near.sum() > 10_000, colour


def test_every_buffer_leaves_in_one_message():
    widget = stage.Stage()
    sent = []
    widget.comm.send = lambda **message: sent.append(message)
    widget.state = full_picture()
    assert len(sent) == 1
    assert len(sent[0]["buffers"]) == 12
    widget.state = full_picture()
    assert len(sent) == 1, "the same picture is not sent twice"


def test_bones_carry_their_side():
    bones = full_picture()["bones"]
    assert [tuple(b[:2]) for b in bones] == list(BONES)
    assert {child for _, child, side in bones if side == "left"} == set(LEFT)


def test_shared_names_have_shared_colours():
    truth, before, other = (stage.skeleton3d(name, body()) for name in ("truth", "before", "anything"))
    assert truth["colour"] == "ink" != before["colour"] and other["colour"] == "ink"


def test_table_marks_the_best_of_each_row():
    best = stage.table(["", "a", "b"], [["x", "2.0 ± 0.1", "1.0 mm"], ["y", "-", "3"], ["z", "-", "-"]], best="min")
    assert best["best"] == [2, 2, -1]
    assert stage.table(["", "a", "b"], [["x", "\u22122", "1"]], best="max")["best"] == [2]
    assert stage.table(["", "a"], [["x", 1]])["best"] == [-1]


def test_nan_lifts_the_pen_in_lines_but_never_stands_in_a_skeleton():
    hole = np.zeros((5, 2))
    hole[2] = np.nan
    assert np.isnan(stage.unpack(stage.polyline("grid", hole)["points"])[0, 2]).all()
    broken = body()
    broken[1, 4, 2] = np.nan
    with pytest.raises(ValueError, match=r"points holds nan at index \(1, 4, 2\)"):
        stage.skeleton3d("after", broken)
    with pytest.raises(ValueError, match="inf"):
        stage.polyline("grid", hole + np.inf)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: stage.skeleton3d("a", body(dims=2)), r"points has shape \(3, 17, 2\), expected"),
        (lambda: stage.skeleton2d("a", body(dims=3)), r"points has shape \(3, 17, 3\), expected"),
        (lambda: stage.skeleton3d("a", body()[None]), "pick one person"),
        (lambda: stage.skeleton3d("a", body(), colour="pink"), "colour is 'pink', expected one of 'blue'"),
        (lambda: stage.skeleton3d("a", body(), dash="wavy"), "dash is 'wavy', expected one of 'solid'"),
        (lambda: stage.scene([body()]), r"skeletons holds ndarray, expected what skeleton3d"),
        (lambda: stage.scene([stage.skeleton2d("a", body(dims=2))]), "expected what skeleton3d"),
        (lambda: stage.scene(extent=((1, 0), (0, 1), (0, 1))), "extent is"),
        (lambda: stage.scene(up="x"), "up is 'x', expected one of 'z'"),
        (lambda: stage.image(aspect=0), "aspect is 0, expected a finite number above 0"),
        (lambda: stage.image(heat=np.zeros(3)), r"heat has shape \(3,\), expected"),
        (lambda: stage.image(picture=np.zeros((3, 3, 2))), r"picture has shape \(3, 3, 2\), expected"),
        (lambda: stage.image(heat=np.zeros((3, 3)), levels=(1, 1)), "levels is"),
        (lambda: stage.series("e", [0, 1], [0, 1, 2]), "expected one shape"),
        (lambda: stage.series("e", [0], [0], mode="steps"), "mode is 'steps', expected one of 'line'"),
        (lambda: stage.dots("d", [[0, 0]], symbol="star"), "symbol is 'star', expected one of 'circle'"),
        (lambda: stage.axis("k", 1, 0), "axis 'k' runs from 1 to 0"),
        (lambda: stage.axis("k", 0, 1, log=True), "above 0 if log"),
        (lambda: stage.circle("c", -1), "radius is -1"),
        (lambda: stage.table(["a"], [["x", "y"]]), r"rows have \[2\] cells, expected 1"),
        (lambda: stage.panes(), "no parts"),
        (lambda: stage.panes({"kind": "movie"}), "expected what scene, image, curve or table returns"),
    ],
)
def test_refuses_with_the_argument_and_the_expectation(make, says):
    with pytest.raises(ValueError, match=says):
        make()


def test_signed_numbers_have_the_minus_of_the_read_outs_and_are_compared_by_it():
    assert [stage.signed(value) for value in (0.126, np.float32(-0.5), 0.0)] == ["+0.13", "\u22120.50", "+0.00"]
    assert stage.signed(-7.4, 0) == "\u22127"
    assert stage.table(["", "a", "b"], [["error", stage.signed(0.1), stage.signed(-0.2)]], best="min")["best"] == [2]


def test_handles_lie_in_their_panes_units_and_say_what_they_lack():
    held = stage.handle("wrist", (0.5, -0.25), axis="y", colour="blue")
    for pane in (
        stage.image(handles=[held]),
        stage.curve([], x=stage.axis("x", 0, 1), y=stage.axis("y", 0, 1), handles=[held]),
    ):
        assert pane["handles"] == [held] and held["at"] == [0.5, -0.25] and held["axis"] == "y"
    deep = stage.handle("wrist", torch.tensor([0.1, 0.2, 0.3]), along=(0, 1, 0))
    assert stage.scene([], handles=[deep])["handles"][0]["along"] == [0.0, 1.0, 0.0]
    with pytest.raises(ValueError, match="needs a line to follow"):
        stage.handle("wrist", (0.1, 0.2, 0.3))
    with pytest.raises(ValueError, match="place of 3 numbers"):
        stage.scene([], handles=[held])
    with pytest.raises(ValueError, match="at holds nan"):
        stage.handle("wrist", (float("nan"), 0.0))


def test_an_upright_line_can_be_taken_hold_of_where_one_control_moves_it():
    axes = {"x": stage.axis("step", 0, 40), "y": stage.axis("loss", 1e-4, 1e4, log=True)}
    (held,) = stage.curve([], **axes, now=12, grab="steps")["handles"]
    assert held["name"] == "steps" and held["axis"] == "x"
    assert held["at"][0] == 12 and 1e2 < held["at"][1] < 1e4, "high up on the line, inside the axes"
    for now in (None, [0, 1, 2]):
        with pytest.raises(ValueError, match="grab is 'steps', expected one place as `now`"):
            stage.curve([], **axes, now=now, grab="steps")


def test_the_name_of_a_line_is_read_above_bars(drawn):
    bars = stage.series("bars", torch.arange(3.0), [1.0, 1.0, 1.0], mode="bars", colour="blue", bar=1.0)
    pane = stage.curve([bars], x=stage.axis("", -0.5, 2.5), y=stage.axis("mm", 0, 1),
                       lines=[stage.hline("a flat person's error", 0.5)])  # fmt: skip
    named, nameless = (drawn(stage.panes(one)) for one in (pane, pane | {"lines": [pane["lines"][0] | {"name": ""}]}))
    changed = named[(named != nameless).any(-1)][:, :3].astype(int)
    colourless = changed.max(-1) - changed.min(-1) < 20  # letters and their rim; the bars are blue
    assert colourless.sum() > 500, f"{colourless.sum()} of {len(changed)}"
