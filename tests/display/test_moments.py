"""Moments in process: set the value, as a click does, and look at what the demo computes and shows."""

import base64
import io

import numpy as np
import PIL.Image
import pytest

from tutorial_lib.display import rerun, stage, still
from tutorial_lib.display.live import live, slider
from tutorial_lib.display.moments import ASPECT, moments

POSES = np.random.default_rng(0).uniform(-0.3, 0.3, (3, 10, 17, 2)).astype(np.float32) + (0.5, 0.2)


def control(**changes):
    return moments(**{"poses": POSES, "value": (4, 25), "label": "labelled", **changes})


def demo(**changes):
    def compute(size, chosen):
        return np.full((17, 3), size * len(chosen), np.float32)

    def view(arrays, params):
        return stage.panes(stage.scene([stage.skeleton3d("truth", arrays)]))

    controls = {"size": slider(1, 0, 3, 1), "chosen": control()}
    presets = {"none": {"chosen": ()}, "many": {"chosen": range_of(8)}}
    return live(compute, view, controls, **{"presets": presets, **changes})


def range_of(count):
    return tuple(range(count))


def drawn(a_demo):
    return stage.unpack(a_demo.stage.state["panes"][0]["skeletons"][0]["points"])[0, 0, 0]


def picture(a_demo):
    data = base64.b64decode(a_demo._repr_mimebundle_()[0]["image/png"])
    return np.asarray(PIL.Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def marks(array):
    """Pixels in the colour of the marks."""
    return np.argwhere(np.abs(array - (0, 114, 178)).max(-1) < 40)


def test_choosing_moments_moves_the_demo():
    d = demo()
    assert drawn(d) == 2 and d.stage.state["caption"] == "size 1, labelled 2"
    d.controls["chosen"].value = [4, 25, 11]
    assert drawn(d) == 3 and d.params["chosen"] == (4, 11, 25) and d.runs == 2
    d.set(chosen=(), size=2)
    assert d.stage.state["caption"] == "size 2, labelled none"
    d.reset()
    assert d.params == {"size": 1, "chosen": (4, 25)}


def test_presets_choose_moments_too():
    d = demo()
    buttons = {button.description: button for button in d.children[1].children}
    buttons["many"].click()
    assert drawn(d) == 8 and d.controls["chosen"].value == range_of(8)


@pytest.mark.parametrize("value", [(30,), (-1,), (1, 1), (1.5,), "all", 3, (True, False, 2.0), range_of(11)])
def test_what_is_no_choice_is_refused(value):
    c = control(most=10)
    expected = "at most 10 different whole numbers from 0 to 29"
    with pytest.raises(ValueError, match=expected):
        live(lambda chosen: 0, lambda arrays, params: {"panes": []}, {"chosen": c}).set(chosen=value)
    if isinstance(value, tuple):
        with pytest.raises(ValueError, match=f"value is .*, expected {expected}"):
            c.value = value
    assert c.value == (4, 25)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"poses": POSES[0]}, r"poses has shape \(10, 17, 2\), expected \(clips, frames, 17, 2\)"),
        ({"poses": POSES[:0]}, r"poses has shape \(0, 10, 17, 2\)"),
        ({"poses": POSES * np.nan}, "poses holds nan"),
        ({"names": ["walk"]}, "names has 1 entries, expected 3: one a clip"),
        ({"fps": 0}, "fps is 0, expected a finite number above 0"),
        ({"value": (77,)}, r"value is \(77,\), expected at most 30 different"),
    ],
)
def test_refuses_with_the_argument_and_the_expectation(changes, says):
    with pytest.raises(ValueError, match=says):
        control(**changes)


def test_moments_cannot_be_folded():
    with pytest.raises(ValueError, match=r"folded names \['chosen'\], expected no moments"):
        demo(folded=["chosen"])


def test_every_clip_is_drawn_as_large_as_its_box_allows():
    packed = control(poses=POSES * np.array([1, 0.1, 30]).reshape(3, 1, 1, 1)).recording["poses"]
    poses = stage.unpack(packed).reshape(3, 10, 17, 2)
    assert np.abs(poses[..., 0, 0]).max() < 1e-6, "the root is in the middle"
    reach = np.maximum(np.abs(poses[..., 0]).max((1, 2)) / ASPECT, np.abs(poses[..., 1]).max((1, 2)))
    np.testing.assert_allclose(reach, 1, rtol=1e-5)


def test_a_choice_travels_alone():
    c, sent = control(), []
    c.comm.send = lambda data=None, buffers=None, **_: sent.append((data, buffers))
    c.value = (1, 2)
    assert [data["state"] for data, _ in sent] == [{"value": (1, 2)}] and sent[0][1] == []


def test_the_strip_stands_right_above_the_stage_and_the_still_shows_what_is_chosen():
    d = demo()
    assert d.children[-2] is d.controls["chosen"] and d.children[-1] is d.stage
    plain = still.png(d.stage.state)
    two = picture(d)
    assert len(two) - np.asarray(PIL.Image.open(io.BytesIO(plain))).shape[0] == pytest.approx(100 * still.STRIP, abs=2)
    columns = marks(two)[:, 1]
    places = 10 + 780 * (np.array([4, 25]) + 0.5) / 30
    for place in places:
        assert np.abs(columns - place).min() < 3
    assert np.abs(columns[:, None] - places).min(1).max() < 6, "and nowhere else"
    assert not len(marks(picture(d.set(chosen=()))))


def test_what_was_chosen_is_still_chosen_when_the_demo_is_shown_again(monkeypatch):
    monkeypatch.setattr(rerun, "_SHOWN", {})
    runs = iter("12")
    monkeypatch.setattr(rerun, "_running", lambda: ("A", next(runs)))
    d = demo().set(chosen=(3,))
    views = [d._repr_mimebundle_()[0]["application/vnd.jupyter.widget-view+json"] for _ in range(2)]
    assert views[0] == views[1] and d.controls["chosen"].value == (3,) and d.controls["chosen"].comm is not None
