"""What the demos of several lessons are asked alike, and the trainings that they stand on."""

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


@pytest.fixture(scope="module")
def made(request, tmp_path_factory):
    """(folder of networks, parts) of the module's `experiment` with its smallest budget: two trainings a row."""
    folder = tmp_path_factory.mktemp("made")
    for seed in (0, 1):
        work = request.module.experiment.run_all("smoke", seed, folder=folder, work=folder / "work", device="cpu")
    return folder, work


@pytest.fixture(scope="module")
def found(request, made):
    """What the module's `results` makes of them."""
    results = request.module.results
    return results.Results(results.collect(made[1]))
