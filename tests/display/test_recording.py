"""Recordings: what a page without a kernel shows is what the kernel would compute, within what a picture can show."""

import base64
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tutorial_lib.display import packing, recording, stage
from tutorial_lib.display.live import choice, live, slider, steps
from tutorial_lib.display.moments import moments

BODY = np.random.default_rng(0).normal(size=(5, 17, 3))
SAID = "live demo 'a walk': size 0.50"


def compute(size, turn, kind, marks=()):
    if size > 0.95:
        raise ArithmeticError("too large")
    return BODY * size + (len(kind) + len(marks)) * np.cos(turn)


def view(arrays, params):
    line = stage.series("error", [0, 1, 2], [params["size"], np.nan, 1e-4])
    log = stage.axis("e", 1e-5, 1, log=True)
    return stage.panes(
        stage.scene([stage.skeleton3d("truth", arrays)], title=params["kind"]),
        stage.image(picture=np.full((6, 5, 3), params["size"]), lines=[stage.polyline("g", [[0, np.nan], [1, 2]])]),
        stage.curve([line], x=stage.axis("x", 0, 2), y=log),
        note=f"{arrays.mean():.3f}",
    )


def demo(**changes):
    controls = {
        "size": slider(0.5, 0.0, 1.0, 0.05, "size"),
        "turn": slider(0, -9, 9, 1, "turn"),
        "kind": choice(["one", "three"], label="kind"),
        "marks": moments(np.random.default_rng(0).uniform(-1, 1, (2, 5, 17, 2)), [1], "marks"),
    }
    presets = {"half turn": {"turn": 3, "size": 0.25}, "three": {"kind": "three"}, "marked": {"marks": (1, 2)}}
    return live(**{"compute": compute, "view": view, "controls": controls, "presets": presets, **changes})


def content(path):
    return packing.read(base64.b64decode(re.search(r'= "([\w+/=]+)";', path.read_text())[1]))


def arrays_of(value):
    if isinstance(value, dict):
        if {"shape", "data"} <= set(value):
            return [stage.unpack(value)]
        value = list(value.values())
    return [array for part in value for array in arrays_of(part)] if isinstance(value, list) else []


def words_of(value):
    if isinstance(value, dict):
        return {key: words_of(part) for key, part in value.items() if key not in ("data", "levels", "timing")}
    return [words_of(part) for part in value] if isinstance(value, (list, tuple)) else value


@given(
    hnp.arrays(
        np.float32,
        hnp.array_shapes(max_dims=3, max_side=6),
        elements=st.one_of(st.floats(-1e3, 1e3, width=32), st.just(np.nan)),
    )
)
def test_every_array_comes_back_within_half_a_step_of_16_bits(array):
    packer = packing.Packer()
    rounded, exact = (packer.state(stage.pack(array), exact=exact) for exact in (False, True))
    back = packing.read(packer.finish({"rounded": rounded, "exact": exact}))
    np.testing.assert_array_equal(stage.unpack(back["exact"]), array)
    wide = np.ptp(array[~np.isnan(array)]) if (~np.isnan(array)).any() else 0
    np.testing.assert_allclose(stage.unpack(back["rounded"]), array, rtol=1e-6, atol=1e-6 + 0.51 * wide / 65534)


def test_every_recorded_state_is_what_the_demo_computes(tmp_path):
    one = demo(recorded=("size", "turn"), folded=("kind",))
    found = content(recording.record(one, tmp_path, SAID))
    settings = [{}, {"kind": "three"}, {"marks": (1, 2)}]
    assert len(found["scenes"]) == len(settings), "the first preset moves what moves anyway"
    rng = np.random.default_rng(1)
    for scene, others in zip(found["scenes"], settings):
        for _ in range(6):
            at = [rng.integers(len(texts)) for texts in scene["stops"]]
            size, turn = (float(text[i].replace("\u2212", "-")) for text, i in zip(scene["stops"], at))
            shown = found["states"][scene["first"] + at[0] * len(scene["stops"][1]) + at[1]]
            expected = one.state(size=round(size, 12), turn=int(turn), **others)
            assert words_of(shown) == words_of(expected) and shown["timing"] == "computed beforehand"
            for got, wanted in zip(arrays_of(shown), arrays_of(expected), strict=True):
                wide = max(np.ptp(wanted[~np.isnan(wanted)]), 1 if got.shape == (6, 5, 3) else 0)
                np.testing.assert_allclose(got, wanted, atol=1e-6 + wide / (510 if got.shape == (6, 5, 3) else 65534))
    largest = found["states"][found["scenes"][1]["first"] - len(found["scenes"][0]["stops"][1])]
    assert largest["error"] == "ArithmeticError: too large (at size 1.00, turn \u22129, kind one, marks 1)"


def test_presets_and_reset_lie_on_the_recorded_positions(tmp_path):
    one = demo(recorded=("size", "turn"))
    found = content(recording.record(one, tmp_path, SAID))
    assert [preset["label"] for preset in found["presets"]] == [*one.presets, "reset"]
    for preset in found["presets"]:
        scene = found["scenes"][preset["scene"]]
        shown = found["states"][scene["first"] + preset["at"][0] * len(scene["stops"][1]) + preset["at"][1]]
        assert shown["caption"] == one.state(**one.presets.get(preset["label"], {}))["caption"]
    assert found["scenes"][2]["others"] == {"kind": ["one", 0.0], "marks": [1, 2]}


def test_the_first_slider_in_sight_moves_unless_the_demo_says_otherwise(tmp_path):
    found = content(recording.record(demo(), tmp_path, SAID))
    assert found["moving"] == ["size"] and len(found["scenes"][0]["stops"][0]) == 21, "all of its stops"
    hidden = demo(folded=("size", "turn"))
    assert content(recording.record(hidden, tmp_path, SAID))["moving"] == ["kind"]
    with pytest.raises(ValueError, match=r"recorded names \['speed'\], expected some of size, turn"):
        demo(recorded=("speed",))


def test_a_demo_of_large_pictures_has_fewer_positions_and_keeps_to_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "BYTES", 120_000)

    def picture(side):
        def drawn(arrays, params):
            noise = np.random.default_rng(round(100 * params["size"])).uniform(size=(side, side))
            return stage.panes(stage.image(picture=noise))

        return drawn

    controls = {"size": slider(0.5, 0.0, 1.0, 0.01, "size")}
    path = recording.record(
        demo(controls=controls, presets={}, compute=lambda size: 0, view=picture(60)), tmp_path, SAID
    )
    assert 60_000 < path.stat().st_size <= 120_000
    (scene,) = content(path)["scenes"]
    assert {"0.00", "0.50", "1.00"} <= set(scene["stops"][0]) and len(scene["stops"][0]) < 40
    assert recording.record(
        demo(controls=controls, presets={}, compute=lambda size: 0, view=picture(400)), tmp_path, SAID
    ) is None  # fmt: skip


def test_showing_a_demo_records_it_where_a_folder_is_named_and_moves_nothing(tmp_path, monkeypatch):
    one = demo(title="a walk")
    one._repr_mimebundle_()
    monkeypatch.setenv(recording.VARIABLE, str(tmp_path / "07_mine"))
    runs, state = one.runs, one.stage.state
    said = one._repr_mimebundle_()[0]["text/plain"]
    assert (one.runs, one.stage.state) == (runs, state)
    (path,) = (tmp_path / "07_mine").iterdir()
    assert path.stem == recording.name_of(said) and path.stem.startswith("a-walk-")
    assert path.read_text().startswith(f'(window.COURSE_DEMOS ||= {{}})["07_mine/{path.stem}"] = "')
    assert recording.name_of(said) != recording.name_of(said + "0")


def test_steps_over_one_value_do_not_move(tmp_path):
    still = live(lambda of: BODY, lambda a, p: view(a, {"size": 0, "kind": ""}), {"of": steps([("one", 1)])})
    assert recording.record(still, tmp_path, SAID) is None
