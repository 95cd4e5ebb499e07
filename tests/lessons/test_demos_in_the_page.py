"""Demos of lessons 00 and 06 without a kernel: what the page's graphs compute is what the demos compute, to 1 mm."""

import base64

import numpy as np
import pytest
import torch

from tutorial_lib.adaptation import in_page
from tutorial_lib.adaptation.race import OWN
from tutorial_lib.course import recorded
from tutorial_lib.display import packing, recording, stage
from tutorial_lib.lessons.meta_learning.demo_adapt import crooked_demo
from tutorial_lib.lessons.start_here.demo_first_look import first_demo, lens_at


@pytest.fixture(scope="module", params=[first_demo, crooked_demo], ids=["00", "06"])
def demo(request):
    return request.param()


def plain(in_page):
    """The functions themselves, with the numbers that a page has: rounded to 16 bits."""
    packer = packing.Packer()
    stored = {name: packer.array(value.numpy()) for name, value in in_page.data().items()}
    data = packing.read(packer.finish(stored))
    parts = in_page.arguments()

    def run(name, given):
        function, inputs, outputs = parts[name]
        with torch.set_grad_enabled(name in ("step", "last")):
            values = [torch.tensor(given[key]) for key in inputs]
            return dict(zip(outputs, (value.detach().numpy() for value in function(*values))))

    return run, {name: stage.unpack(value) for name, value in data.items()}


def in_the_page(in_page, run, data, params):
    """in_page.js, in Python: (errors by network before the first and after every step, mm; poses by network)."""
    test, frames = in_page.lens_test, 9
    length, moments = test.tests.pose.shape[1], params.get("moments")
    if moments is None:
        clip, centre = test.picks[: in_page.moments].unbind(-1)
        moments = (clip * length + centre).tolist()
    count, used = (params["count"], len(moments)) if moments else (0, 1)
    moments = [*moments, *[(moments or [0])[0]] * in_page_windows()][: in_page_windows()]

    def around(moment):
        near = np.clip(moment % length + np.arange(frames) - frames // 2, 0, length - 1)
        return (moment // length * length + near).astype(np.int32)

    shown = params.get("clip", 0) * length + length // 2
    lens = lens_at(params["strength"]) if "strength" in params else [params[k] for k in ("k1", "k2", "k3", "p1", "p2")]
    angles = [params.get("tilt", 0), params.get("roll", params.get("lean"))]
    seen = run("see", data | {
        "lens": np.asarray([float(k) for k in lens], np.float32), "angles": np.array(angles, np.float32),
        "support": np.stack([around(m) for m in moments]), "centres": np.array(moments, np.int32),
        "shown": np.array([shown, *around(shown)], np.int32),
    })  # fmt: skip
    share = np.where(np.arange(len(moments)) < used, 1 / used, 0).astype(np.float32)
    errors, poses = {}, {}
    for title, network in in_page.networks.items():
        lifter = in_page.lifters()[title]
        weights, measured = (vector.numpy() for vector in flat(lifter))
        rate = params.get("rate", OWN) or network.rates["labelled"]
        errors[title], poses[title] = [], []
        for at in range(count + 1):
            found = []
            for windows, truth in zip(
                np.split(seen["windows"], in_page.phases), np.split(seen["truth"], in_page.phases), strict=True
            ):
                looked = run("look", {"weights": weights, "measured": measured, "first": seen["first"],
                                      "windows": windows, "truth": truth, "rotation": seen["rotation"]})  # fmt: skip
                found.append(looked["error"])
            errors[title].append(1000 * np.mean(found))
            poses[title].append(looked["pose"])
            if at < count:
                weights = run(in_page.graph(lifter), {
                    "weights": weights, "measured": measured, "rate": np.array([rate], np.float32),
                    "keypoints": seen["keypoints"], "target": seen["target"], "share": share,
                })["next"]  # fmt: skip
    return errors, poses, seen


def in_page_windows():
    return in_page.WINDOWS


def flat(lifter):
    return in_page.Flat(lifter).vectors(lifter)


def params_of(demo, number):
    rng = np.random.default_rng(number)
    if "strength" in demo.controls:
        return {"strength": float(rng.integers(-20, 21)) / 20, "lean": int(rng.integers(-25, 26)), "count": 3}
    params = {
        name: float(rng.uniform(-1, 1)) * (0.5 if name[0] == "k" else 0.1) for name in ("k1", "k2", "k3", "p1", "p2")
    }
    moments = tuple(sorted(rng.choice(2592, int(rng.integers(1, 65)), replace=False).tolist())) if number else ()
    return params | {
        "tilt": float(rng.integers(-25, 26)), "roll": float(rng.integers(-25, 26)), "count": 2, "moments": moments,
        "rate": (OWN, 0.01)[number % 2], "clip": int(rng.integers(8)),
    }  # fmt: skip


def compare(demo, run, data, params):
    arrays = demo.compute(**params)
    errors, poses, seen = in_the_page(demo.in_page, run, data, params)
    for title in demo.in_page.networks:
        result = arrays.get("networks", {}).get(title) or {key: arrays[key][title] for key in ("errors", "poses")}
        np.testing.assert_allclose(errors[title], result["errors"], atol=1)  # mm
        np.testing.assert_allclose(poses[title], result["poses"], atol=1e-3)  # metres
    np.testing.assert_allclose(seen["seen"], arrays["seen"], atol=1e-4)
    np.testing.assert_allclose(seen["level"], arrays["truth"], atol=1e-4)
    np.testing.assert_allclose(seen["grid"], arrays["grid"], atol=1e-4)


@pytest.mark.parametrize("number", range(3))
def test_the_page_s_functions_give_the_demo_s_poses_and_errors(demo, number):
    compare(demo, *plain(demo.in_page), params_of(demo, number))


@pytest.mark.timeout(1200)  # seconds of an idle machine; the exporter is no quick one
def test_the_exported_graphs_give_the_demo_s_poses_and_errors(monkeypatch):
    monkeypatch.syspath_prepend(str(recorded.EXPORTERS))
    pytest.importorskip("onnxscript", reason="what exports graphs is not there: `make page-tools`")
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not there: `make page-tools`")
    demo, options = crooked_demo(), runtime.SessionOptions()
    options.intra_op_num_threads = 1
    parts = demo.in_page.arguments()
    sessions = {name: runtime.InferenceSession(in_page.exported(*part), options) for name, part in parts.items()}
    _, data = plain(demo.in_page)

    def run(name, given):
        inputs, outputs = parts[name][1:]
        return dict(zip(outputs, sessions[name].run(list(outputs), {key: given[key] for key in inputs})))

    for number in range(3):
        compare(demo, run, data, params_of(demo, number))


def test_without_what_exports_graphs_the_page_has_the_recording_alone(tmp_path, monkeypatch):
    def missing(store):
        raise ImportError("no onnx")

    demo = first_demo()
    monkeypatch.setattr(type(demo.in_page), "content", lambda self, store: missing(store))
    monkeypatch.setattr(recording, "STATES", 4)
    with pytest.warns(UserWarning, match="no onnx: the page of .* shows recorded states alone"):
        path = recording.record(demo, tmp_path, "live demo 'x': y")
    text = path.read_text().partition('] = "')[2].partition('"')[0]
    assert "live" not in packing.read(base64.b64decode(text)) and not list(tmp_path.glob("*.net.js"))
