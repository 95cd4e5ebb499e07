"""What the demos of several lessons are asked alike."""

import json

import pytest

from tutorial_lib.display.controls import stops


def picture(demo):
    """All that a demo's stage shows, as text; how long it took to compute is not part of it."""
    shown = {key: value for key, value in demo.stage.state.items() if key != "timing"}
    return json.dumps(shown, default=lambda raw: raw.hex())


@pytest.fixture
def every_control_moves():
    """A function: every control changes a demo's picture, and the same values give the same picture.

    `here` is where every control matters, if that is not where the demo opens.
    """

    def judge(demo, **here):
        first = picture(demo.set(**here).check())
        for name, control in demo.controls.items():
            other = next(value for _, value in reversed(stops(control)) if value != demo.params[name])
            demo.set(**{name: other}).check()
            assert picture(demo) != first, name
            demo.reset().set(**here).check()
            assert picture(demo) == first, name

    return judge


@pytest.fixture
def presets_are_whole():
    """A function: presets set every control, draw, and at most three controls are in sight."""

    def judge(demo):
        for params in demo.presets.values():
            assert set(params) == set(demo.controls)
            demo.set(**params).check()
        assert len(set(demo.controls) - set(demo.folded)) <= 3

    return judge
