"""Lesson 07's demos and experiment, on tiny networks: every control changes what it must, every part is kept."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from tutorial_lib import checkpoints
from tutorial_lib.display.stage import unpack
from tutorial_lib.geometry_aware import GeometryNet, to_world
from tutorial_lib.geometry_aware.learning import WEIGHT
from tutorial_lib.geometry_aware.views import HELD_OUT_ACTIONS, LOOKS, ROOMS, banks
from tutorial_lib.lessons.geometry_aware import (
    demo_clothes,
    demo_exchange,
    demo_find,
    demo_labels,
    demo_swap,
    demo_trap,
    demo_turn,
    experiment,
    figures,
    results,
)
from tutorial_lib.lessons.geometry_aware.examination import blind, geometry, heads
from tutorial_lib.lessons.geometry_aware.pictures import (
    DOING,
    Dots,
    Pair,
    apart,
    networks,
    people,
    photos_of,
    plates_of,
    seen_from,
    strip,
)
from tutorial_lib.lessons.geometry_aware.recipes import (
    ALL_LABELS,
    BUDGETS,
    GROUPS,
    LABELLED,
    LONGER,
    MODES,
    REPRESENTATIONS,
    ROWS,
    TESTS,
)
from tutorial_lib.training import resolve_device

SOURCE = Path(__file__).parents[2] / "notebooks" / "source" / "07_geometry_aware.py"


@pytest.fixture(scope="module")
def nets():
    torch.manual_seed(0)
    pair = Pair(*(GeometryNet(8, 4, 24, layout).eval() for layout in ("dense", "splat")))
    with torch.no_grad():
        for net in (pair.ours, pair.splat):
            for _ in range(3):  # an untrained network moves its output but little: louder, or nothing is seen
                net.encoder.latent[-1].weight.mul_(3)
                net.decoder.last[-1].weight.mul_(3)
    return pair


@pytest.fixture(scope="module")
def labelled(nets, tmp_path_factory):
    folder = tmp_path_factory.mktemp("heads")
    generator = torch.Generator().manual_seed(0)
    shapes = {"ridge.weight": (24, 51), "ridge.shift": (51,), "equivariant.weight": (17, 8)}
    heads = {name: 0.1 * torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    checkpoints.store(heads, ALL_LABELS, {}, {}, folder)
    return demo_labels.labelled(nets, 12, 12, folder)


MAKE = {
    "turn": lambda nets, labelled: demo_turn.turn_demo(nets),
    "exchange": lambda nets, labelled: demo_exchange.exchange_demo(nets, demo_exchange.groups(nets, 3)),
    "find": lambda nets, labelled: demo_find.find_demo(demo_find.search(nets, 8)),
    "labels": lambda nets, labelled: demo_labels.labels_demo(labelled),
    "swap": lambda nets, labelled: demo_swap.swap_demo(nets),
    "trap": lambda nets, labelled: demo_trap.trap_demo(nets),
    "clothes": demo_clothes.clothes_demo,
}


@pytest.fixture(params=MAKE)
def demo(request, nets, labelled):
    return MAKE[request.param](nets, labelled)


def test_every_control_changes_the_picture_and_the_same_values_give_the_same(demo, every_control_moves):
    every_control_moves(demo)


def test_presets_set_every_control_and_three_are_in_sight(demo, presets_are_whole):
    presets_are_whole(demo)


def test_people_of_the_demos_are_test_people_in_motions_that_nobody_trained_on():
    assert [doing in HELD_OUT_ACTIONS for doing in DOING] == [False] * 4 + [True] * 2
    poses = people()
    assert poses.shape == (len(DOING), 17, 3) and poses[:, 0, :2].abs().max() < 1e-6
    assert (poses.flatten(1).unsqueeze(1) - poses.flatten(1)).norm(dim=-1).fill_diagonal_(9).min() > 0.2


def test_a_person_is_the_same_from_everywhere_and_without_noise():
    views = seen_from(2, (0.0, 90.0), room=1, size=24)
    relative = views.pose - views.pose[..., :1, :]
    torch.testing.assert_close(to_world(relative[0, 0, 0], views.rotation[0, 0]), people()[2] - people()[2][0])
    torch.testing.assert_close(
        to_world(relative[0, 0, 0], views.rotation[0, 0]), to_world(relative[0, 0, 1], views.rotation[0, 1]),
        atol=1e-5, rtol=0,
    )  # fmt: skip
    assert torch.equal(views.pixels, seen_from(2, (0.0, 90.0), room=1, size=24).pixels)
    assert not torch.equal(views.pixels, seen_from(2, (0.0, 90.0), look=5, room=1, size=24).pixels)


def test_the_truth_is_not_off_and_an_empty_room_is():
    views = seen_from(1, (30.0, 200.0), size=24)
    truth, plates = photos_of(views), plates_of(views)
    assert apart(truth, truth, plates).max() == 0 and apart(plates, truth, plates).min() > 5
    half = torch.lerp(plates, truth, 0.5)
    torch.testing.assert_close(apart(half, truth, plates), apart(plates, truth, plates) / 2)


def test_a_strip_frames_the_picture_that_is_marked():
    images = [torch.full((3, 8, 8), value) for value in (0.1, 0.2, 0.3)]
    pane = strip(images, "three", marked=1)
    assert pane["aspect"] == pytest.approx(26 / 8)
    corners = unpack(pane["lines"][0]["points"])[0]
    middle, half = 2 * 13 / 26 - 1, 0.97 * 8 / 26
    assert corners[0] == pytest.approx([middle - half, -half]) and corners[2] == pytest.approx([middle + half, half])
    dotted = strip([images[0], [Dots("a", torch.tensor([[0.0, 0.5]]), "blue")]], "two")
    assert unpack(dotted["dots"][0]["points"])[0, 0] == pytest.approx([2 * 13 / 17 - 1, 0.5 * 8 / 17])
    assert strip(images, "three")["lines"] == []


def test_a_latent_that_is_not_turned_is_painted_as_before_at_no_angle(nets):
    demo = demo_turn.turn_demo(nets)
    demo.set(azimuth=0).check()
    errors = demo.arrays["errors"]
    middle = demo_turn.ROUND.index(0.0)
    assert errors["turned"][middle] == errors["not turned"][middle]
    assert not torch.equal(errors["turned"], errors["not turned"])
    assert demo.grabs["camera"]((47.0, 3.0), demo.params) == {"azimuth": 47.0}
    assert set(demo_turn.all_round(nets)) == {"turned", "not turned", "nobody"}


def test_the_demo_of_finding_ranks_as_its_bars_say(nets):
    found = demo_find.search(nets, 8)
    ranks = [demo_find.compute_find(found, query, "turned into the world")["rank"] for query in range(8)]
    first = demo_find.compute_find(found, 0, "turned into the world")["retrieval"]["turned into the world"].first
    assert np.mean(np.array(ranks) == 1) == pytest.approx(first)
    turned, scaled, raw = (found.points[kind]["ours"] for kind in (demo_find.TURNED, demo_find.SCALED, demo_find.RAW))
    torch.testing.assert_close(to_world(raw, found.views.rotation), turned)
    torch.testing.assert_close(scaled.flatten(0, 1).std(0), torch.ones(8, 3))


def test_the_curve_of_labels_is_what_the_slider_finds(labelled, monkeypatch):
    for place, count in enumerate(demo_labels.COUNTS):
        for kind in demo_labels.HEADS:
            arrays = demo_labels.compute_labels(labelled, count, kind, 0)
            assert arrays["all"] == pytest.approx(labelled.errors[kind][place])
    assert demo_labels.nearest(29.0) == 30 and demo_labels.nearest(9999.0) == demo_labels.COUNTS[-1]


def test_a_camera_agrees_with_itself_on_where_points_are(nets):
    here = demo_trap.compute_trap(nets, 0.0, 1)
    there = demo_trap.compute_trap(nets, 120.0, 1)
    for name in ("ours", "splatted"):
        assert here["agreement"][name] == pytest.approx(1)
        assert there["agreement"][name] < 1 and torch.equal(here["points"][name][0], there["points"][name][0])


def test_swapped_clothes_are_the_ones_that_were_asked_for(nets):
    arrays = demo_swap.compute_swap(nets.ours, 0, 3, 2, 60)
    own = demo_swap.compute_swap(nets.ours, 0, 0, 2, 60)
    assert torch.equal(arrays["pose"], own["pose"]) and torch.equal(arrays["room"], own["room"])
    assert not torch.equal(arrays["truth"], own["truth"]) and not torch.equal(arrays["clothes"], own["clothes"])
    assert set(demo_swap.exchanged(nets)) == {"off", "own"}


def test_clothes_change_from_known_to_new_and_the_pose_does_not():
    known, new = (banks(split)[0] for split in ("test", "clothes"))
    assert torch.equal(demo_clothes.between(0.0, 1).shirt, known[1].shirt)
    torch.testing.assert_close(demo_clothes.between(1.0, 1).shirt, new[1].shirt)
    assert torch.equal(demo_clothes.between(0.6, 1).style, new[1].style)
    groups = demo_clothes.dressing(1, 24)
    assert all(torch.equal(group.pose, groups[0].pose) for group in groups)
    assert not torch.equal(groups[0].pixels, groups[-1].pixels)


def test_the_demo_of_exchanges_paints_with_a_checked_one(nets, monkeypatch):
    monkeypatch.setattr(demo_exchange, "_CHECKED", [])
    views, asked = demo_exchange.groups(nets, 3), []

    def hand_over(points, appearance, rotation):
        asked.append(1)
        return demo_exchange.exchange(points, appearance, rotation)

    before = demo_exchange.compute_exchange(nets, views, "exchanged and turned", 1)
    demo_exchange.checked(hand_over)
    after = demo_exchange.compute_exchange(nets, views, "exchanged and turned", 1)
    assert (before["whose"], after["whose"]) == ("the course's", "your") and asked
    assert before["errors"] == after["errors"] and torch.equal(before["painted"], after["painted"])
    assert len(set(before["errors"].values())) == len(demo_exchange.WAYS)


# ------------------------------------------------------------------ the experiment
def test_parts_that_are_there_stay(made):
    before = {path: path.read_bytes() for path in made[1].rglob("*") if path.is_file()}
    experiment.run_all("smoke", 0, folder=made[0], work=made[1], device="cpu")
    assert {path: path.read_bytes() for path in made[1].rglob("*") if path.is_file()} == before


def test_a_training_goes_on_where_its_last_stage_ended(made, tmp_path):
    """In two calls, with what was kept in between, the network is the one of a single call."""
    world = experiment.World("smoke", tmp_path / "work", tmp_path, resolve_device("cpu"))
    for until in (1, 2):
        experiment.representation(world, "ours", 1, experiment.searched(world, "pictures"), until)
        kept = checkpoints.names(tmp_path / "work")
        assert len([name for name in kept if "stage" in name]) == until
        assert not list((tmp_path / "work").glob("*-s1.json"))
    name = "smoke-stage1-ours-1"
    once, twice = (checkpoints.weights(name, folder)[1] for folder in (made[1], tmp_path / "work"))
    assert all(torch.equal(once[key], twice[key]) for key in once)


def test_labels_are_nested_and_the_same_for_all(made):
    world = experiment.World("smoke", made[1], made[0], resolve_device("cpu"))
    few, more = world.labelled(0, 3), world.labelled(0, 6)
    assert torch.equal(few, more[:3]) and not torch.equal(few, world.labelled(1, 3))


def test_those_who_know_are_examined_well_and_those_who_do_not_look_badly(made):
    world = experiment.World("smoke", made[1], made[0], resolve_device("cpu"))
    not_looking = blind(world.views, TESTS)
    for test in TESTS:
        errors = not_looking[test]
        assert errors["mean pose, heading given"]["mpjpe"] < errors["mean pose"]["mpjpe"]
    encoder = checkpoints.load("smoke-stage1-ours-0", folder=made[1]).encoder
    said = geometry(encoder, world.views)
    assert set(said) == {"test", "clothes", "dressed"} and said["test"]["turned"]["chance"] == 0.25
    solved = heads(encoder, world.views, {2: torch.arange(2)})
    assert set(solved) == {"ridge", "equivariant", "appearance"} and solved["ridge"]["2"]["test"]["mpjpe"] > 0


def test_results_are_paired_by_seed(found):
    assert found.seeds(*ROWS) == ["0", "1"]
    gap = found.retrieval("ours", "turned") - found.retrieval("ours", "raw")
    assert np.allclose(found.turned_minus_raw("ours"), gap)
    both = found.values("frozen", 30) - found.values("scratch", 30)
    assert np.allclose(found.difference("frozen", "scratch", 30), both)
    half = found.half_and_end("scratch", 6)
    assert half.shape == (2, 2) and (half[:, 1] <= half[:, 0]).all()
    steps, values = found.on_the_way("ours", "painted")
    assert steps.tolist() == [1, 2, 3, 4] and values.shape == (2, 4)
    assert found.blind("mean pose") > found.blind("mean pose, heading given")
    with pytest.raises(ValueError, match="nobody"):
        found.seeds("nobody")


def test_tables_and_figures_hold_every_row(found):
    for test in TESTS:
        table = results.labels_table(found, test)
        assert all(title in table for title in MODES.values()) and "mean pose" in table
    table = results.retrieval_table(found)
    assert all(title in table for title in REPRESENTATIONS.values()) and table.count("one goes on") == len(LONGER)
    assert results.flat_table(found).count("\n") == 2 * (len(GROUPS) + len(REPRESENTATIONS) + len(LONGER)) + 1
    assert results.searched_table(found).count("\n") >= 1
    drawn = figures.labels_figure(found)
    assert {trace.name for trace in drawn.data if trace.name} == set(figures.CURVES.values())
    assert len(figures.retrieval_figure(found).data) == 2 and len(figures.way_figure(found).data) >= 2


def test_shipped_networks_are_what_the_demos_load(made):
    pair = networks(made[0])
    heads = checkpoints.weights(ALL_LABELS, made[0])[1]
    assert heads["ridge.weight"].shape == (96, 51) and heads["equivariant.weight"].shape == (17, 32)
    assert pair.ours.architecture["layout"] == "dense" and pair.splat.architecture["layout"] == "splat"


def test_the_lesson_says_the_settings_that_the_code_has():
    text = " ".join(re.sub(r"^# ", "", SOURCE.read_text(encoding="utf-8"), flags=re.MULTILINE).split())
    net, budget = GeometryNet(), BUDGETS["shipped"]
    assert f"{budget.size} × {budget.size} pixels" in text and f"**{net.encoder.points} points**" in text
    assert f"count {('', 'one', 'two', 'three', 'four', 'five')[int(WEIGHT)]} times" in text
    assert f"Among {budget.tested} test moments" in text and f"all {budget.groups} groups" in text
    assert "Six wardrobes" in text and (LOOKS, ROOMS) == (6, 4)
    assert budget.groups == GROUPS[-1] and f"{30 / budget.groups:.1%}".replace("%", " %") in text
    assert all(row.split("-")[0] in MODES for row in LABELLED)


def test_collecting_wants_one_budget(tmp_path):
    with pytest.raises(ValueError, match="expected those of one"):
        results.collect(tmp_path)
