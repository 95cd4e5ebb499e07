"""Lesson 08's checks: a plain solution passes, plausible wrong answers are refused with a hint."""

import pytest
import torch

from tutorial_lib.lessons.geometric_self_supervision import checks, demo_training
from tutorial_lib.self_supervision.losses import believes, critic_loss
from tutorial_lib.self_supervision.turning import about_vertical, look, tilt

CYCLE, CRITIC = demo_training.CYCLE, demo_training.CRITIC


def lifted(seen, depth, distance, power=1, grown=True):
    scale = ((distance + depth) / distance) ** power if grown else torch.ones_like(depth)
    return torch.cat([seen * scale[..., None], depth[..., None]], -1)


def one_round(lifter, critic, seen, turn, *, in_2d=1.0, in_3d=1.0, critic_too=1.0, turned=True, stop=False):
    pose = lifter(seen)
    again = look(pose @ turn.mT if turned else pose @ turn, lifter.distance)
    second = lifter(again)
    space = (second - pose @ turn.mT).square().sum(-1).mean()
    plane = (look(second @ turn, lifter.distance) - seen).square().sum(-1).mean()
    loss = CYCLE * (in_2d * plane + in_3d * space) + critic_too * CRITIC * believes(critic, again)
    return (loss.detach() if stop else loss), again


def worlds(pose, azimuth, distance, way=-1, mirrored=(1.0, 1.0, -1.0), mean=False):
    one = look(pose * pose.new_tensor(mirrored) @ about_vertical(azimuth).mT, distance)
    other = look(pose @ about_vertical(way * azimuth).mT, distance)
    far = (one - other).norm(dim=-1)
    return far.mean() if mean else far.max()


def turns(lifter, critic, rounds, objective, *, clear=(True, True), moves=(True, True), said=list):
    both = [torch.optim.Adam(net.parameters(), 1e-3, (0.5, 0.99)) for net in (lifter, critic)]
    values = []
    for seen, real, turn in rounds:
        loss, again = objective(lifter, critic, seen, turn)
        values.append(loss.item())
        for number in (0, 1):
            if clear[number]:
                both[number].zero_grad()
            (critic_loss(critic, real, again, 0.5) if number else loss).backward()
            if moves[number]:
                both[number].step()
    return said(values)


RIGHT = {
    "along_the_rays": lifted,
    "walk_round": lambda b, a, c: tilt(c) @ about_vertical(a) @ tilt(-b),
    "one_round": one_round,
    "two_worlds": worlds,
    "take_turns": turns,
}
WRONG = {
    "along_the_rays": {
        "flat": lambda s, d, z: lifted(s, d, z, grown=False),
        "the wrong way": lambda s, d, z: lifted(s, d, z, power=-1),
        "absolute": lambda s, d, z: torch.cat([lifted(s, d, z)[..., :2], (z + d)[..., None]], -1),
        "2D": lambda s, d, z: s,
        "nothing": lambda s, d, z: None,
    },
    "walk_round": {
        "not undone": lambda b, a, c: tilt(c) @ about_vertical(a) @ tilt(b),
        "the order": lambda b, a, c: tilt(b).mT @ about_vertical(a) @ tilt(c),
        "no elevation": lambda b, a, c: about_vertical(a),
        "the other way": lambda b, a, c: tilt(c) @ about_vertical(-a) @ tilt(b).mT,
        "transposed": lambda b, a, c: (tilt(c) @ about_vertical(a) @ tilt(b).mT).mT,
    },
    "one_round": {
        "no critic": lambda *a: one_round(*a, critic_too=0),
        "no 2D": lambda *a: one_round(*a, in_2d=0),
        "no 3D": lambda *a: one_round(*a, in_3d=0),
        "turned the other way": lambda *a: one_round(*a, turned=False),
        "unweighted": lambda *a: one_round(*a, in_2d=1 / CYCLE, in_3d=1 / CYCLE),
        "no gradient": lambda *a: one_round(*a, stop=True),
        "the loss alone": lambda *a: one_round(*a)[0],
    },
    "two_worlds": {
        "the same way": lambda *a: worlds(*a, way=1),
        "x mirrored": lambda *a: worlds(*a, mirrored=(-1.0, 1.0, 1.0)),
        "the mean": lambda *a: worlds(*a, mean=True),
        "nothing": lambda *a: None,
    },
    "take_turns": {
        "gradients pile up": lambda *a: turns(*a, clear=(False, True)),
        "gradients are left": lambda *a: turns(*a, clear=(True, False)),
        "the lifter alone": lambda *a: turns(*a, moves=(True, False)),
        "the critic alone": lambda *a: turns(*a, moves=(False, True)),
        "the sum": lambda *a: turns(*a, said=sum),
    },
}


@pytest.fixture(autouse=True)
def forgets():
    """No training after these tests takes an answer of theirs."""
    yield
    demo_training._CHECKED.clear()


@pytest.mark.parametrize("name", RIGHT)
def test_a_plain_solution_passes(name, capsys):
    getattr(checks, name)(RIGHT[name])
    assert capsys.readouterr().out.startswith(name)


@pytest.mark.parametrize("name,slip", [(name, slip) for name, slips in WRONG.items() for slip in slips])
def test_a_slip_is_refused_with_a_hint(name, slip):
    with pytest.raises(AssertionError, match="Hint"):
        getattr(checks, name)(WRONG[name][slip])


def test_common_slips_are_named():
    for slip, named in (("no critic", "critic's part is missing"), ("no 3D", "3D loss is missing")):
        with pytest.raises(AssertionError, match=named):
            checks.one_round(WRONG["one_round"][slip])
    with pytest.raises(AssertionError, match="as far away as the root"):
        checks.along_the_rays(WRONG["along_the_rays"]["flat"])
    with pytest.raises(AssertionError, match="turned the same way"):
        checks.two_worlds(WRONG["two_worlds"]["the same way"])
    with pytest.raises(AssertionError, match="what the lifter's loss left was kept"):
        checks.take_turns(WRONG["take_turns"]["gradients are left"])


def test_a_right_answer_trains_from_then_on(capsys):
    called = []

    def counted(*arguments):
        called.append(1)
        return one_round(*arguments)

    checks.one_round(counted)
    called.clear()
    demo_training.train_live("from above", 0, 3, show=False)
    assert len(called) == 3
