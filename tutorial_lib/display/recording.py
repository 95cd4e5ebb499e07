"""A demo's states computed beforehand: what moves on a page that has no kernel.

One or two controls move (`live(..., recorded=("k1", "k2"))`, by default the first slider in sight). Of the others a
page shows what they are set to: at the start, and by each preset. Such a setting is a *scene* here, and in every scene
all positions of the moving controls are computed, as many as `STATES` and `BYTES` allow. Where the environment's
`COURSE_RECORD` names a folder, showing a demo writes its recording there (`python -m tutorial_lib.course.record`).
"""

import base64
import hashlib
import itertools
import re
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np

from tutorial_lib.display.controls import readout, stops
from tutorial_lib.display.moments import Moments
from tutorial_lib.display.packing import Packer

VARIABLE = "COURSE_RECORD"
"""The environment variable that names the folder."""

STATES, SECOND, BYTES, SECONDS = 120, 7, 1_500_000, 60
"""States of a demo at most, positions of the second moving control at most, bytes of its file, time for its states."""

FEWEST, PROBES = 5, 4
"""Positions that a scene is worth recording with, and states from which the size of all is foretold."""


def name_of(said: str) -> str:
    """The file name, without ending, of a demo's recording.

    Args:
        said: its output's text, "live demo 'Bend the light': k1 0.00, ...".
    """
    title = re.match(r"live demo (['\"])(.*?)\1: ", said)
    words = re.sub(r"[^a-z0-9]+", "-", title[2].lower()).strip("-")[:40] if title else "demo"
    return f"{words}-{hashlib.sha256(said.encode()).hexdigest()[:8]}"


def record(demo: Any, folder: Path, said: str) -> Path | None:
    """Write the recording of a `live.Demo`; None where nothing of it can move, or where it would be too large.

    Args:
        demo: as it stands.
        folder: is made.
        said: the output's text, which names the file.
    """
    moving = _moving(demo)
    if not moving:
        return None
    scenes, states = _scenes(demo, moving), {}
    allowed = _allowed(demo, moving, scenes, states)
    name = name_of(said)
    computes = demo.in_page is not None and _write_network(demo.in_page, folder, name)
    while allowed >= 2:
        scenes = scenes[: max(1, allowed // FEWEST)]
        share = max(2, allowed // len(scenes))
        counts = [share] if len(moving) == 1 else [max(2, share // SECOND), min(SECOND, share)]
        more = _every_stop(demo) if computes else {}
        text = base64.b64encode(_packed(demo, moving, scenes, counts, states, more)).decode()
        if len(text) < BYTES - 200:
            return _write(folder, name, text)
        allowed = int(min(0.75, BYTES / len(text)) * allowed)
    return None


def _write(folder: Path, name: str, text: str) -> Path:
    """A script, since a page that was opened from disk may fetch nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.js"
    path.write_text(f'(window.COURSE_DEMOS ||= {{}})["{folder.name}/{name}"] = "{text}";\n', encoding="utf-8")
    return path


def _write_network(in_page: Any, folder: Path, name: str) -> bool:
    """Write what computes in the page; False where the packages that export it are not there."""
    packer = Packer()
    try:
        content = in_page.content(lambda tensor, exact: packer.array(tensor.numpy(), exact=exact))
    except ImportError as missing:
        warnings.warn(f"{missing}: the page of {name} shows recorded states alone", stacklevel=2)
        return False
    _write(folder, f"{name}.net", base64.b64encode(packer.finish(content)).decode())
    return True


def _every_stop(demo: Any) -> dict[str, Any]:
    """What a page needs that can compute any state: all values of all controls, by place; of moments, themselves."""
    known = {name: stops(control) for name, control in demo.controls.items()}

    def places(params: dict[str, Any]) -> dict[str, Any]:
        return {
            name: _index([value for _, value in known[name]], value) if known[name] else list(value)
            for name, value in params.items()
        }

    presets = {label: places(params) for label, params in demo.presets.items()}
    return {"live": {"stops": known, "first": places(demo.first), "presets": presets | {"reset": places(demo.first)}}}


def _allowed(demo: Any, moving: Sequence[str], scenes: Sequence[dict], states: dict[tuple, dict]) -> int:
    """How many states a few of them promise room and time for."""
    start = time.perf_counter()
    few, one = (
        len(_packed(demo, moving[:1], [scenes[0] | {"wanted": []}], [count], states, {})) for count in (PROBES, 1)
    )  # fmt: skip
    took = (time.perf_counter() - start) / PROBES
    each = max(few - one, 1) / (PROBES - 1) * 4 / 3  # as base64
    return int(min(STATES, max(BYTES / each, 2), max(SECONDS / took, FEWEST)))


def _moving(demo: Any) -> list[str]:
    able = [name for name, control in demo.controls.items() if len(stops(control)) > 1]
    if demo.recorded:
        return [name for name in demo.recorded if name in able]
    sliders = (ipywidgets.IntSlider, ipywidgets.SelectionSlider)
    wishes = [
        [name for name in able if name not in demo.folded and isinstance(demo.controls[name], sliders)],
        [name for name in able if name not in demo.folded],
        able,
    ]
    return next((wish[:1] for wish in wishes if wish), [])


def _scenes(demo: Any, moving: Sequence[str]) -> list[dict[str, Any]]:
    """The settings that are recorded, the start first; presets that differ in the moving controls alone share one."""
    scenes: list[dict[str, Any]] = []
    for params in [{}, *demo.presets.values()]:
        values = demo.first | params
        for scene in scenes:
            if all(scene["values"][name] == value for name, value in values.items() if name not in moving):
                scene["wanted"].append(values)
                break
        else:
            scenes.append({"values": values, "wanted": [values]})
    return scenes


def _positions(control: Any, count: int, wanted: Sequence[Any]) -> list[int]:
    """Which of the control's stops are recorded: evenly spaced ones, and those that are wanted."""
    values = [value for _, value in stops(control)]
    even = np.linspace(0, len(values) - 1, min(count, len(values))).round().astype(int).tolist()
    return sorted({*even, *(_index(values, value) for value in wanted)})


def _index(values: Sequence[Any], value: Any) -> int:
    if value in values:
        return values.index(value)
    return int(np.argmin([abs(known - value) for known in values]))  # a slider's decimal numbers


def _packed(
    demo: Any,
    moving: Sequence[str],
    scenes: Sequence[dict],
    counts: Sequence[int],
    states: dict[tuple, dict],
    more: dict[str, Any],
) -> bytes:
    """The file's content, and `more`. `states` keeps what was computed, for a second, thinner try."""
    packer, taken, described, presets = Packer(), [], [], []
    for number, scene in enumerate(scenes):
        values = scene["values"]
        places = [
            _positions(demo.controls[name], count, [wanted[name] for wanted in scene["wanted"]])
            for name, count in zip(moving, counts)
        ]
        described.append(
            {
                "first": len(taken),
                "stops": [[stops(demo.controls[name])[i][0] for i in place] for name, place in zip(moving, places)],
                "others": _others(demo, moving, values),
            }
        )
        for place in itertools.product(*places):
            if (number, place) not in states:
                params = {name: stops(demo.controls[name])[i][1] for name, i in zip(moving, place)}
                states[number, place] = demo.state(**values | params) | {"timing": "computed beforehand"}
            taken.append(packer.state(states[number, place]))
        for label, params in [("reset", {}), *demo.presets.items()]:
            wanted = demo.first | params
            if wanted in scene["wanted"]:
                known = [[value for _, value in stops(demo.controls[name])] for name in moving]
                at = [
                    place.index(_index(of, wanted[name])) for place, of, name in zip(places, known, moving)
                ]  # fmt: skip
                presets.append({"label": label, "scene": number, "at": at})
    order = ["reset", *demo.presets]
    presets.sort(key=lambda preset: (preset["label"] == "reset", order.index(preset["label"])))
    controls = [
        {"name": name, "label": control.description, "kind": _kind(control), "folded": name in demo.folded}
        for name, control in demo.controls.items()
    ]
    strips = {
        name: packer.state(control.recording) for name, control in demo.controls.items() if isinstance(control, Moments)
    }
    return packer.finish(
        {
            "title": demo.title, "moving": list(moving), "controls": controls, "scenes": described,
            "presets": presets, "strips": strips, "states": taken, **more,
        }
    )  # fmt: skip


def _others(demo: Any, moving: Sequence[str], values: dict[str, Any]) -> dict[str, list]:
    """Of every control that stands still: what its read-out says, and where its slider stands, from 0 to 1."""
    found = {}
    for name, control in demo.controls.items():
        if name in moving:
            continue
        if isinstance(control, Moments):
            found[name] = list(values[name])
            continue
        known = [value for _, value in stops(control)]
        share = _index(known, values[name]) / max(len(known) - 1, 1) if len(known) > 1 else 0.5
        found[name] = [readout(control, values[name]), round(share, 4)]
    return found


def _kind(control: Any) -> str:
    if isinstance(control, Moments):
        return "moments"
    return "choice" if isinstance(control, (ipywidgets.Dropdown, ipywidgets.Checkbox)) else "slider"
