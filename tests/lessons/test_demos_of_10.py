"""Lesson 10's demos and experiment, on tiny networks: every control changes what it must, every part is kept."""

import numpy as np
import pytest
import torch

from tutorial_lib.lessons.mesh_recovery import (
    demo_pull,
    demo_puppet,
    demo_rows,
    demo_turn,
    experiment,
    figures,
    pictures,
    results,
)
from tutorial_lib.lessons.mesh_recovery.recipes import ASKED, FITS, FITTED, NOISE, NOISES, ROWS, SHIPPED
from tutorial_lib.mesh.metrics import body_errors, posed
from tutorial_lib.skeleton import JOINTS


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(folder of networks, parts) of the experiment's smallest budget: every row once, two of them twice."""
    folder = tmp_path_factory.mktemp("mesh")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COURSE_MOCAP", raising=False)
        for seed, names in ((0, experiment.NAMES), (1, ("parameters", "joints"))):
            work = experiment.run_all("smoke", seed, names, folder, folder / "work", "cpu")
    return folder, work


@pytest.fixture(scope="module")
def nets(made):
    return pictures.networks(made[0])


MAKE = {
    "puppet": lambda nets: demo_puppet.puppet_demo(),
    "pull": lambda nets: demo_pull.pull_demo(nets.parameters),
    "turn": demo_turn.turn_demo,
    "rows": lambda nets: demo_rows.rows_demo(nets.lixels),
}


@pytest.fixture(params=MAKE)
def demo(request, nets, monkeypatch):
    monkeypatch.setattr(demo_pull, "STEPS", 15)
    return MAKE[request.param](nets)


def test_every_control_changes_the_picture_and_the_same_values_give_the_same(demo, every_control_moves):
    # Somewhere where every control matters: a shape that is not the mean's, a fit that has begun.
    here = {name: value for name, value in (("amount", 1.0), ("step", 10)) if name in demo.controls}
    every_control_moves(demo, **here)


def test_presets_set_every_control_and_three_are_in_sight(demo, presets_are_whole):
    presets_are_whole(demo)


def test_handles_move_their_controls(demo):
    for grab in demo.grabs.values():
        ((name, value),) = grab((7.0, 1.0), demo.params).items()
        assert name in demo.controls and value == 7.0


def test_one_bone_a_vertex_tears_an_elbow():
    smooth, torn = (
        demo_puppet.compute_puppet("height", 0.0, 130.0, "left_elbow", skinning)["stretch"]
        for skinning in ("smooth", "one bone")
    )
    assert torn > 1.3 * smooth
    heights = [demo_puppet.compute_puppet("height", a, 0.0, "left_elbow", "smooth")["height"] for a in (-2.0, 2.0)]
    assert heights[1] > heights[0] + 0.1


def test_joints_bend_as_people_bend_them():
    def moved(joint, end, bend=90.0):
        found = [demo_puppet.compute_puppet("height", 0.0, b, joint, "smooth")["joints"] for b in (0.0, bend)]
        return (found[1] - found[0])[JOINTS.index(end)]

    assert moved("left_elbow", "left_wrist")[0] > 0.15  # x points forward
    assert moved("left_knee", "left_foot")[0] < -0.3
    assert moved("left_hip", "left_knee")[0] > 0.3
    assert moved("neck", "head")[0] > 0.05 and moved("loin", "head")[0] > 0.2


def test_a_greedy_fit_lowers_the_dots_error(nets, monkeypatch):
    monkeypatch.setattr(demo_pull, "STEPS", 15)
    fit = demo_pull.fitted(nets.parameters, "mean", 0.0, 0.02, 0)
    assert fit["dot_errors"][-1] < 0.8 * fit["dot_errors"][0] and fit["body_errors"].shape == (16,)


def test_the_experiment_keeps_every_row_and_ships_what_is_shown(made, found):
    assert found.seeds(*ROWS, "fits") == ["0"] and found.seeds("parameters", "joints") == ["0", "1"]
    assert {path.stem for path in (made[0] / "mesh").glob("*.safetensors")} == set(SHIPPED)
    with pytest.raises(ValueError, match="nobody"):
        found.seeds("nobody")


def test_finished_parts_are_not_made_again(made):
    folder, work = made
    before = {path: path.stat().st_mtime_ns for path in work.iterdir()}
    experiment.run_all("smoke", 0, folder=folder, work=work, device="cpu")
    assert {path: path.stat().st_mtime_ns for path in work.iterdir()} == before


def test_differences_are_paired_and_fits_begin_where_their_start_is(found):
    gap = found.difference("joints", "parameters", "pve")
    np.testing.assert_allclose(gap, found.values("joints", "pve") - found.values("parameters", "pve"))
    for noise in FITTED:
        np.testing.assert_allclose(found.at("net, prior", noise, 0), found.at("net, no prior", noise, 0), atol=0.01)
        np.testing.assert_allclose(found.at("net, prior", noise, 0), found.at("eft", noise, 0), atol=0.1)
    assert all(found.fits(way, FITTED[0]).shape == (1, len(found.fit_steps(way))) for way in FITS)


def test_tables_and_figures_say_every_row(found):
    table = results.main_table(found)
    assert all(ROWS[row] in table for row in results.STATIC) and "mean body, truly turned" in table
    assert all(title in results.fits_table(found, FITTED[1]) for title in FITS.values())
    assert "its lixels" in results.paper_table() and "93.15" in results.paper_table()
    assert "63.1" in results.paper_table() and "after half the training" in results.halves_table(found)
    assert "rate" in results.searched_table(found) and "not at hand" in results.actors_table(found)
    assert all(ROWS[row] in results.noise_table(found) for row in ASKED) and "4 %" in results.noise_table(found)
    assert all(ROWS[row] in results.time_table(found) for row in ("frame", "clip"))
    some = results.main_table(found, rows=("parameters", "joints"))
    assert ROWS["joints"] in some and ROWS["lixels"] not in some and "mean body, truly turned" in some
    assert results.fits_table(found, FITTED[0]) != results.fits_table(found, FITTED[0], "dots")
    assert len(figures.angles_figure(found).data) == 2


def test_rows_are_asked_with_other_noise_too(found):
    for row in ASKED:
        np.testing.assert_allclose(found.noisy(row, NOISE), found.values(row, "pve")[:1])  # as in the main table
        assert len({float(found.noisy(row, noise)[0]) for noise in NOISES}) == len(NOISES)


def test_blind_rows_know_what_they_say(found):
    assert found.blind("true pose, mean shape", "p_mpjpe") < found.blind("mean body, truly turned", "p_mpjpe")


def test_people_of_the_demos_have_surfaces():
    people = pictures.test_people()
    assert len(people) == len(pictures.DOING)
    truth = people.posed()
    same = posed(type("", (), {"rotations": people.rotations, "betas": people.betas}))
    assert body_errors(same, truth).pve.max() < 1e-3
    assert not torch.equal(pictures.dots_of(0, 0.0), pictures.dots_of(0, 0.02))
