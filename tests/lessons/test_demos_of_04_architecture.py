"""The two architecture demos of lesson 04, in process: move the controls, look at what stands on the stage."""

import math

import numpy as np
import plotly.graph_objects as go
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from tutorial_lib import checkpoints
from tutorial_lib.display import preview, stage
from tutorial_lib.lessons.temporal_lifting import demo_architecture as demos
from tutorial_lib.lessons.temporal_lifting import demo_forms
from tutorial_lib.lessons.temporal_lifting import figures_architecture as twins
from tutorial_lib.lifting import TemporalLifter

needs_plain = pytest.mark.skipif(
    not all((checkpoints.FOLDER / f"plain-{frames}f.safetensors").is_file() for frames in (9, 27)),
    reason="no checkpoints plain-9f, plain-27f: run `make checkpoints`",
)


@pytest.fixture(scope="module")
def shared_network():
    return demos.architecture_demo()


@pytest.fixture(scope="module")
def shared_forms():
    return demo_forms.two_forms_demo()


@pytest.fixture
def network(shared_network):
    return shared_network.reset().check()


@pytest.fixture
def forms(shared_forms):
    return shared_forms.reset().check()


@pytest.fixture(params=["network", pytest.param("forms", marks=needs_plain)])
def demo(request):
    return request.getfixturevalue(request.param)


def picture(demo):
    return {key: value for key, value in demo.stage.state.items() if key != "timing"}


def panes(demo, kind):
    return [part for part in demo.stage.state["panes"] if part["kind"] == kind]


def drawn(pane, name):
    """x and y of a series, and where they are finite."""
    (part,) = (part for part in pane["series"] if part["name"] == name)
    return np.stack([stage.unpack(part["x"]), stage.unpack(part["y"])], -1)


def strokes(pane, name):
    """(lines, 2 ends, 2) of a series that lifts its pen."""
    return drawn(pane, name).reshape(-1, 3, 2)[:, :2]


# ------------------------------------------------------------------ both
def test_the_same_values_give_the_same_picture(demo):
    first, start = picture(demo), dict(demo.params)
    preset = next(params for params in demo.presets.values() if any(start[key] != params[key] for key in params))
    demo.set(**preset).check()
    assert picture(demo) != first
    assert picture(demo.set(**start).check()) == first


def test_presets_and_reset_do_what_they_say(demo):
    start = dict(demo.params)
    buttons = {button.description: button for button in demo.children[-2].children}
    for name, params in demo.presets.items():
        buttons[name].click()
        assert not demo.error and {key: demo.params[key] for key in params} == params
    buttons["reset"].click()
    assert demo.params == start


def test_readers_without_a_kernel_see_a_picture(demo):
    bundle, _ = demo._repr_mimebundle_()
    assert len(bundle["image/png"]) > 5000 and demo.title in bundle["text/plain"]


# ------------------------------------------------------------------ which frames
EVERY = [
    (layers, width, dilated, causal)
    for layers in (1, 4)
    for width in (1, 3, 7)
    for dilated in (True, False)
    for causal in (False, True)
]


@pytest.mark.parametrize("layers, width, dilated, causal", EVERY)
def test_every_setting_shows_the_field_that_the_gradient_finds(network, layers, width, dilated, causal):
    network.set(layers=layers, width=width, dilated=dilated, causal=causal, channels=64).check()
    field = width**layers if dilated else 1 + layers * (width - 1)
    future = 0 if causal else field // 2
    arrays, (diagram, weights) = network.arrays, panes(network, "curve")
    assert (arrays["field"], arrays["formula"], arrays["future"]) == (field, field, future)
    assert arrays["past"] + arrays["future"] + 1 == field
    assert panes(network, "table")[0]["rows"][0][1:3] == [str(field), str(field)]
    low, high = diagram["x"]["range"]
    seen = strokes(diagram, "seen")[:, 0, 0]
    assert low < seen.min() and seen.max() < high and weights["x"] == diagram["x"]
    if field < 2000:
        assert seen.tolist() == list(range(future + 1 - field, future + 1))
        taps = strokes(diagram, "convolution")
        assert set(taps[taps[:, 0, 1] == 0][:, 0, 0]) <= set(seen)
        assert len(seen) + len(strokes(diagram, "not seen")) == round(high - low)
    assert [mark for mark, _ in diagram["y"]["ticks"]][1:] == list(range(1, layers + 1))


def test_every_line_hangs_on_the_output_and_ends_at_a_frame_that_is_seen(network):
    network.set(**network.presets["243 frames (paper)"]).check()
    pane = panes(network, "curve")[0]
    lines = strokes(pane, "convolution")
    assert len(lines) == 3 * (1 + 3 + 9 + 27 + 81)
    for height in range(5):
        here, above = lines[lines[:, 0, 1] == height], lines[lines[:, 0, 1] == height + 1]
        assert set(here[:, 1, 0]) == (set(above[:, 0, 0]) if height < 4 else {0.0})
    assert set(lines[lines[:, 0, 1] == 0][:, 0, 0]) == set(strokes(pane, "seen")[:, 0, 0])
    residuals = strokes(pane, "residual")
    assert (residuals[:, 0, 0] == residuals[:, 1, 0]).all() and residuals[:, 0, 1].min() == 1


def test_a_causal_residual_ends_at_the_newest_tap(network):
    network.set(**network.presets["causal"]).check()
    pane = panes(network, "curve")[0]
    assert strokes(pane, "seen")[:, 0, 0].max() == 0 and strokes(pane, "convolution")[..., 0].max() == 0
    residuals = {tuple(end) for end in strokes(pane, "residual")[:, 1].tolist()}
    for node, height in residuals:
        ends = [low for low, top in strokes(pane, "convolution").tolist() if top == [node, height]]
        assert max(frame for frame, _ in ends) == node and len(ends) == 3


def test_parameters_and_work_are_those_of_the_paper(network):
    network.set(**network.presets["243 frames (paper)"]).check()
    assert network.arrays["parameters"] == 16_952_371 and network.arrays["flops"] / 1e6 == pytest.approx(
        33.87, abs=5e-3
    )
    row = dict(zip(panes(network, "table")[0]["columns"], panes(network, "table")[0]["rows"][0]))
    assert (row["parameters (M)"], row["at 50 Hz (s)"], row["future (s)"]) == ("16.95", "4.86", "2.42")


def test_without_dilation_the_same_weights_see_less_and_mostly_the_middle(network):
    halves = {}
    for name in ("243 frames (paper)", "no dilation"):
        arrays = network.set(**network.presets[name]).check().arrays
        halves[name] = (arrays["field"], arrays["half"], arrays["parameters"])
    assert halves["no dilation"][0] == 11 and halves["no dilation"][1] <= 3
    assert halves["243 frames (paper)"][1] > 20 * halves["no dilation"][1]
    assert halves["no dilation"][2] == halves["243 frames (paper)"][2]


def test_half_of_the_paths_is_the_smallest_such_set():
    assert demos.half_of_paths(np.array([0, 1, 4, 2, 1, 0])) == 1
    assert demos.half_of_paths(np.array([1, 1, 1, 1])) == 2
    assert demos.half_of_paths(np.array([1, 1, 1])) == 2
    assert demos.half_of_paths(np.array([0, 7, 0])) == 1


def test_channels_change_the_cost_and_nothing_that_is_seen(network):
    small, large = (network.set(channels=c).check().arrays for c in (64, 512))
    assert large["flops"] > 50 * small["flops"] and np.array_equal(small["count"], large["count"])
    with torch.device("meta"):
        expected = sum(p.numel() for p in TemporalLifter(27, 64).parameters())
    assert small["parameters"] == expected


def test_a_huge_field_is_thinned_but_stays_a_picture(network):
    network.set(layers=5, width=7).check()
    pane = panes(network, "curve")[0]
    assert network.arrays["field"] == 7**5
    assert "only some are drawn" in network.stage.state["note"]
    points = sum(math.prod(part["x"]["shape"]) for part in pane["series"])
    assert points < 30_000


# ------------------------------------------------------------------ two forms
@needs_plain
@pytest.mark.parametrize("frames", [9, 27])
@pytest.mark.parametrize("length", [1, 2, 30, 80])
def test_both_forms_give_the_same_poses(forms, frames, length):
    forms.set(frames=frames, length=length).check()
    poses = forms.arrays["poses"]
    assert poses["sequence"].shape == poses["windows"].shape == (length, 17, 3)
    assert forms.arrays["difference"] < 1e-5
    assert torch.equal(poses["sequence"], checkpoints.load(f"plain-{frames}f").lift(forms.arrays["clip"]).detach())
    assert len(forms.arrays["padded"]) == length + frames - 1


@needs_plain
def test_windows_cost_the_same_per_pose_and_a_sequence_less_and_less(forms):
    short, middle, long = (dict(forms.set(frames=27, length=n).check().arrays["work"]) for n in (1, 20, 80))
    assert short["windows"] == pytest.approx(middle["windows"]) == pytest.approx(long["windows"])
    assert short["sequence"] > short["windows"] > middle["sequence"] > long["sequence"] > forms.arrays["steady"]


@pytest.mark.parametrize("form", demo_forms.FORMS)
@pytest.mark.parametrize("length", [1, 30])
def test_the_work_is_what_torch_counts(form, length):
    model, clip = TemporalLifter(widths=(3, 5), channels=8).eval(), torch.randn(length, 17, 2)
    with FlopCounterMode(display=False) as counter:
        demo_forms.lift_as(model, clip, form)
    assert demo_forms.work(model, clip, form)[1] == counter.get_total_flops() / 2e6 / length


@needs_plain
def test_the_counted_work_of_a_window_is_every_layers_positions_times_its_weights(forms):
    c = 128
    expected = 9 * 3 * 34 * c + 3 * (3 * c * c + c * c) + 1 * (3 * c * c + c * c) + 51 * c
    assert forms.set(frames=27, length=5).arrays["work"]["windows"] == pytest.approx(expected / 1e6)


@needs_plain
def test_the_padding_repeats_the_ends(forms):
    forms.set(frames=27, length=10).check()
    x = drawn(panes(forms, "curve")[0], "copies of the ends")
    assert x[0, 0] == -13 and x[-1, 0] == 22
    assert (x[:14, 1] == x[13, 1]).all() and (x[-14:, 1] == x[-14, 1]).all()


# ------------------------------------------------------------------ static figures
FIGURES = {
    "growth": twins.growth_figure,
}


@pytest.mark.parametrize("make", FIGURES.values(), ids=FIGURES.keys())
def test_every_figure_can_be_painted(make):
    figure = make()
    assert isinstance(figure, go.Figure) and preview.png(figure).startswith(b"\x89PNG")


def test_the_growth_is_exponential_with_dilation_and_linear_without():
    dilated, ordinary = (list(map(int, trace.y)) for trace in twins.growth_figure().data)
    assert dilated == [3, 9, 27, 81, 243] and ordinary == [3, 5, 7, 9, 11]


def test_the_cost_table_has_the_papers_numbers():
    rows = twins.cost_table().splitlines()
    assert rows[2] == "| single frame | 1 | 0.02 | 4.30 | 8.56 |"
    assert rows[5] == "| 3 layers | 27 | 0.54 | 8.56 | 17.09 |" and len(rows) == 8


# ------------------------------------------------------------------ figure 2
@pytest.mark.parametrize(
    "frames, sizes",
    [
        (243, [241, 235, 235, 217, 217, 163, 163, 1, 1, 1]),  # as the paper prints them
        (27, [25, 19, 19, 1, 1, 1]),
    ],
)
def test_tensor_sizes_are_those_of_the_papers_figure(frames, sizes):
    model = TemporalLifter(frames, 8)
    found = twins.tensor_sizes(model)
    assert found == [(length, 8) for length in sizes[:-1]] + [(1, 51)]
    assert model.training


def test_the_diagram_names_blocks_and_the_tensors_behind_them(network):
    network.set(layers=5, width=3, dilated=True, causal=False, channels=1024).check()
    marks = [text for _, text in panes(network, "curve")[0]["y"]["ticks"]]
    assert marks[0] == "in: (243, 34)" and marks[1] == "first: 3×1 → (241, 1024)"
    assert marks[-1] == "block 4: 3×81 → (1, 1024)"
    note = [note.text for note in twins.block_figure(243, 1024).layout.annotations]
    assert {"(243, 34)", "(217, 1024)", "(1, 51)", "3d81", "34 → 1024", "slice 81, add"} <= set(note)


# ------------------------------------------------------------------ what is taken hold of
def test_the_output_is_pulled_up_by_layers_and_the_clip_longer(network, forms):
    for demo, name, at, control, value in (
        (network.reset(), "how many layers", (0.0, 4.3), "layers", 4),
        (forms.reset(), "how long the clip is", (33.4, 1.0), "length", 33),
    ):
        demo.stage.grabbed = {"name": name, "at": list(at), "count": demo.runs}
        assert demo.check().params[control] == value
        demo.reset()
