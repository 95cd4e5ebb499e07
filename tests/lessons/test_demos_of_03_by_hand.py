"""Lesson 03's first demos, in process: move the controls, look at what stands on the stage and in the figures."""

import base64

import numpy as np
import pytest
import torch

from tutorial_lib.display import figures as drawing
from tutorial_lib.display import preview, stage
from tutorial_lib.display.still import png as still_png
from tutorial_lib.lessons.shape_templates import demo_by_hand, demo_gradient, demo_puppet, figures
from tutorial_lib.lessons.shape_templates.demo_by_hand import TOGETHER
from tutorial_lib.lessons.shape_templates.demo_puppet import SHIFTS
from tutorial_lib.templates import fitting, parts, puppet, warp

MAKERS = {
    "parts": demo_by_hand.parts_demo,
    "puppet": demo_puppet.puppet_demo,
    "gradient": demo_gradient.gradient_demo,
}


@pytest.fixture(scope="module")
def made():
    return {name: make() for name, make in MAKERS.items()}


@pytest.fixture(params=MAKERS)
def demo(request, made):
    return made[request.param].reset().check()


@pytest.fixture
def body(made):
    return made["parts"].reset().check()


@pytest.fixture
def doll(made):
    return made["puppet"].reset().check()


@pytest.fixture
def descent(made):
    return made["gradient"].reset().check()


def pane(demo, kind):
    return next(part for part in demo.stage.state["panes"] if part["kind"] == kind)


def bars(demo):
    return {one["name"]: stage.unpack(one["y"]).item() for one in pane(demo, "curve")["series"]}


def picture(demo):
    return stage.unpack(pane(demo, "image")["picture"]["cells"])


def rest(body):
    return body.set(**body.presets["the template"]).check()


def still(demo):
    return {key: value for key, value in demo.stage.state.items() if key != "timing"}


# ------------------------------------------------------------------ every demo
def test_every_preset_draws_and_has_a_still_picture(demo):
    for name in demo.presets:
        demo.set(**demo.presets[name]).check()
        cells = picture(demo)
        assert cells.ndim == 3 and cells.min() >= -1e-5 and cells.max() <= 1 + 1e-5
        assert cells.min() < 0.9  # something stands there
        assert still_png(demo.stage.state).startswith(b"\x89PNG")


def test_same_values_same_picture(demo):
    first = still(demo)
    for name in demo.presets:
        demo.set(**demo.presets[name])
    assert still(demo.reset()) == first


def test_both_ends_of_every_control(demo):
    for name, control in demo.controls.items():
        ends = [control.min, control.max] if hasattr(control, "max") else control.options
        for value in (ends[0], ends[-1]):
            value = value[1] if isinstance(value, tuple) else value  # with its label
            demo.set(**{name: value}).check()
            assert np.isfinite(picture(demo)).all()
        demo.reset()


def test_reader_without_a_kernel_sees_a_picture(demo):
    bundle, _ = demo._repr_mimebundle_()
    assert bundle["image/png"] == base64.b64encode(still_png(demo.stage.state, title=demo.title)).decode()


def test_unknown_values_are_refused_and_the_demo_goes_on(body, descent):
    with pytest.raises(ValueError, match="part is 'tail', expected one of"):
        body.set(part="tail")
    with pytest.raises(ValueError, match="step is 41, expected a whole number from 0 to 40"):
        descent.set(step=41)
    assert not body.set(rotation=10).error


# ------------------------------------------------------------------ what is taken hold of
def grab(demo, name, *at):
    """What the page sends when a handle is dragged; returns where the handle then lies."""
    demo.stage.grabbed = {"name": name, "at": list(at), "count": demo.runs}
    demo.check()
    held = [one for part in demo.stage.state["panes"] for one in part.get("handles", ()) if one["name"] == name]
    return held[0]["at"]


@pytest.mark.parametrize("about", demo_by_hand.ABOUT)
@pytest.mark.parametrize("piece", ["left foot", "left arm, forearm and hand", TOGETHER])
def test_a_part_lies_where_it_was_dragged_also_when_it_is_turned(body, piece, about):
    rest(body).set(part=piece, rotation=30, shear=0.2, about=about)
    assert grab(body, piece, 0.4, -0.3) == pytest.approx([0.4, -0.3], abs=0.0101)
    assert grab(body, piece, 0.1, 0.2) == pytest.approx([0.1, 0.2], abs=0.0101)


@pytest.mark.parametrize("pose", ["T-pose", "wave", "sit"])
@pytest.mark.parametrize("name", demo_puppet.ENDS)
def test_a_hand_or_foot_goes_where_it_is_dragged_within_reach(doll, name, pose):
    limb = demo_puppet.ENDS[name]
    doll.set(**doll.presets[pose])
    hinge = limb.replace("arm", "elbow").replace("leg", "knee")
    there = {**{key: doll.params[key] for key in puppet.ANGLES}, limb: -20, hinge: 50}
    place = puppet.pose(there)[puppet.end_of(limb)].tolist()
    assert grab(doll, name, *place) == pytest.approx(place, abs=0.015)
    for angle in set(puppet.ANGLES) - {limb, hinge}:
        assert doll.params[angle] == doll.presets[pose][angle]


def test_a_hand_out_of_reach_points_there(doll):
    doll.set(**doll.presets["T-pose"])
    place = torch.tensor(grab(doll, "right hand", 0.3, -3.0))
    shoulder = puppet.pose({})[puppet.JOINTS.index("left_shoulder")]
    assert abs(doll.params["right_elbow"]) <= 1, "stretched"
    way = place - shoulder
    assert torch.atan2(*(torch.tensor([0.3, -3.0]) - shoulder)) == pytest.approx(torch.atan2(*way).item(), abs=0.03)


def test_the_line_of_the_descent_is_dragged(descent):
    assert grab(descent, "steps", 17.3, 0.5)[0] == 17 and descent.params["step"] == 17


# ------------------------------------------------------------------ parts
def test_template_costs_nothing(body):
    rest(body)
    assert set(body.arrays["losses"].values()) == {0.0}
    assert bars(body) == pytest.approx(dict.fromkeys(bars(body), demo_by_hand.LOSS_FLOOR))
    assert body.stage.state["note"] == "every spring is closed"


def test_torn_arm_is_the_anchor_losss_business(body):
    body.set(**body.presets["a forearm torn off"]).check()
    cost = bars(body)
    assert cost["anchor"] == pytest.approx(0.5 * (0.1**2 + 0.4**2) / 4 / 3, rel=1e-4)
    assert cost["boundary"] == pytest.approx(demo_by_hand.LOSS_FLOOR)
    springs = stage.unpack(pane(body, "image")["lines"][0]["points"])
    lengths = np.linalg.norm(springs[:, 0] - springs[:, 1], axis=-1)
    assert (lengths > 1e-3).sum() == 1  # the hand goes with its forearm
    assert (
        body.stage.state["note"] == f"longest spring: left arm to left forearm, {lengths.max() * 50:.0f} % of the width"
    )


def test_sliding_out_together_is_the_boundary_losss_business(body):
    body.set(**body.presets["all slide out together"]).check()
    assert body.arrays["losses"]["anchor"] == pytest.approx(0, abs=1e-10)
    assert body.arrays["losses"]["boundary"] > 2 > body.arrays["losses"]["boundary, core only"] > 0
    assert picture(body).mean() > 0.97  # hardly anything is left in the picture
    outside = (body.arrays["anchors"].abs() > 1).any(-1).sum().item()
    assert pane(body, "table")["rows"][0][-1] == f"{outside} of 32 anchors" and outside > 20


def test_foot_outside_is_free_in_the_released_code(body):
    body.set(**body.presets["a foot leaves"]).check()
    assert body.arrays["losses"]["boundary"] > 0 == body.arrays["losses"]["boundary, core only"]


def test_turning_a_round_part_changes_no_pixel_but_opens_a_spring(body):
    before = picture(rest(body))
    body.set(**body.presets["a turn that nobody sees"]).check()
    np.testing.assert_allclose(picture(body), before, atol=1e-3)
    assert body.arrays["losses"]["anchor"] > 1e-4


def test_pivot_decides_how_far_a_turn_carries(body):
    preset = body.presets["turned about the corner"]
    far = body.set(**preset).check().arrays["lengths"].max()
    near = body.set(about="its own centre").check().arrays["lengths"].max()
    assert far > 4 * near


def test_moving_all_parts_by_one_map_opens_no_spring(body):
    for about in demo_by_hand.ABOUT:
        rest(body).set(part=TOGETHER, about=about, rotation=25, scale_x=1.3, shear=0.4, shift_y=0.1).check()
        assert body.arrays["lengths"].max() < 1e-3


@pytest.mark.parametrize("part", parts.NAMES)
def test_shift_moves_the_chosen_part_only(body, part):
    rest(body).set(part=part, shift_x=0.1).check()
    moved = (body.arrays["maps"] - warp.part_maps(warp.identity(), demo_by_hand.SIZE)).abs().amax((1, 2)) > 1e-3
    assert moved.nonzero().flatten().tolist() == [parts.NAMES.index(part)]
    mean = body.arrays["outline"][0, :-1].mean(0)
    torch.testing.assert_close(mean, parts.CENTRES[parts.NAMES.index(part)].float() + torch.tensor([0.1, 0.0]))


def test_paint_shows_a_lone_part_in_its_colour_on_white():
    maps = torch.zeros(18, 4, 4)
    maps[0, 1, 2] = 1
    cells = demo_by_hand.paint(maps)
    torch.testing.assert_close(cells[1, 2], demo_by_hand.PART_COLOURS[0])
    assert (cells[0] == 1).all()


def test_a_piece_moves_as_one_upon_what_its_parts_do_already(body):
    begin = warp.identity()
    begin[:, :, 2] = 0.1
    turn = demo_by_hand.linear_map(30, 1, 1, 0)
    moved = demo_by_hand.moved_piece(begin, "left arm, forearm and hand", turn, torch.tensor([0.2, 0.0]))
    ends = demo_by_hand.measure(moved)["lengths"]
    assert (ends > 1e-3).sum() == 1  # the shoulder's; elbow and wrist stay closed
    arm, foot = parts.NAMES.index("left arm"), parts.NAMES.index("left foot")
    torch.testing.assert_close(warp.moved(moved)[0][arm], warp.moved(begin)[0][arm] + torch.tensor([0.2, 0.0]))
    torch.testing.assert_close(moved[foot], begin[foot])


# ------------------------------------------------------------------ puppet
def puppet_pane(doll):
    return [part for part in doll.stage.state["panes"] if part["kind"] == "image"][1]


@pytest.mark.parametrize("name", puppet.POSES)
def test_puppet_shows_the_pose(doll, name):
    doll.set(**doll.presets[name]).check()
    drawn = stage.unpack(puppet_pane(doll)["skeletons"][0]["points"])[0]
    np.testing.assert_allclose(drawn, puppet.pose(puppet.POSES[name]), atol=0.05)  # the spine is the core's middle
    assert doll.arrays["losses"]["anchor"] < 1e-9 and doll.stage.state["note"].startswith("every spring is closed")


def test_turns_alone_do_not_carry_the_limbs_along(doll):
    doll.set(**doll.presets["wave"]).check()
    turned = doll.arrays["affines"][..., :2]
    doll.set(shifts=SHIFTS[1]).check()
    assert torch.equal(doll.arrays["affines"][..., :2], turned) and (doll.arrays["affines"][..., 2] == 0).all()
    assert doll.arrays["losses"]["anchor"] > 1e-3
    assert not puppet_pane(doll)["skeletons"]


def test_lifting_an_arm_moves_its_hand_up(doll):
    doll.set(**doll.presets["T-pose"])
    before = doll.arrays["joints"][13].clone()  # the person's left wrist, on the image's right
    doll.set(right_arm=45).check()
    assert doll.arrays["joints"][13, 1] < before[1] - 0.2


# ------------------------------------------------------------------ gradient
def test_gradient_walks_in_closed_form_and_stands_still_in_copied_pixels(descent):
    for way in fitting.WAYS:
        start = descent.set(way=way, start="near and turned", step=0).check().arrays["current"]
        end = descent.set(step=40).check().arrays["current"]
        gap = (end - descent.arrays["target"]).abs().max()
        if way == "copied pixels":
            assert torch.equal(start, end)
        else:
            assert gap < 0.05 < (start - descent.arrays["target"]).abs().max()


def test_cursor_and_note_follow_the_step(descent):
    descent.set(step=8).check()
    assert stage.unpack(pane(descent, "curve")["now"]) == 8
    assert descent.stage.state["note"] == f"loss {descent.arrays['losses'][fitting.WAYS[0]][8]:.3g}"


def test_far_target_is_not_felt(descent):
    descent.set(**descent.presets["too far to feel"]).check()
    assert descent.arrays["current"].max() < 0.2 and abs(descent.arrays["losses"][fitting.WAYS[0]][-1] - 1) < 0.01


# ------------------------------------------------------------------ static figures
def test_copied_pixels_leave_holes_and_the_other_two_ways_do_not():
    painted, looked_up, copied = np.split(np.asarray(figures.holes_figure().data[0].z, dtype=float), 3, axis=1)
    middle = slice(14, 18), slice(14, 18)
    assert painted[middle].min() > 100 and looked_up[middle].min() > 100
    holes = (copied == 0) & (painted > 50)
    assert holes.sum() > 20
    assert preview.png(figures.holes_figure()).startswith(b"\x89PNG")


def test_about_the_corner_the_same_turn_carries_parts_farther():
    apart = {}
    for about in ("part", "corner"):
        (springs,) = (trace for trace in figures.pivot_figure(about).data if trace.name == "springs")
        ends = np.stack([springs.x, springs.y], -1).reshape(-1, 3, 2)
        apart[about] = np.linalg.norm(ends[:, 0] - ends[:, 1], axis=-1).max()
    assert apart["corner"] > 5 * apart["part"]


def values(figure, name):
    (trace,) = (trace for trace in figure.data if trace.name == name)
    return np.asarray(trace.y)


def test_boundary_figure_shows_jump_hinge_and_slip():
    figure = figures.boundary_figure()
    assert values(figure, "core only (released code)").max() == 0
    assert (
        np.diff(values(figure, "jump (the paper)")).max() > 0.33 > 0.01 > np.diff(values(figure, "hinge (ours)")).max()
    )


def test_stairs_are_flat_almost_everywhere():
    figure = figures.staircase_figure()
    assert (np.diff(values(figure, "copied pixels")) == 0).mean() > 0.9
    assert (np.diff(values(figure, "closed form")) == 0).mean() < 0.1
    assert values(figure, "closed form").min() < 1e-3


def test_colours_are_the_courses(body):
    names = {line["colour"] for line in pane(body, "image")["lines"]}
    assert names <= {*drawing.COLOURS.values(), "ink", "grey"}
