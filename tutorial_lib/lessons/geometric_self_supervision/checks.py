"""Checks of lesson 08: the lift along rays, the walk round a person, the loss of one round, and a loop for two."""

from collections.abc import Callable

import torch

from tutorial_lib.display.exercises import compare, exercise, tensor
from tutorial_lib.lessons.geometric_self_supervision import demo_training
from tutorial_lib.self_supervision import turning
from tutorial_lib.self_supervision.losses import believes, critic_loss, cycle_losses
from tutorial_lib.self_supervision.networks import Critic, DepthLifter


def _people(count: int, seed: int = 0) -> torch.Tensor:
    """(count, 17, 3) clouds of joints, the root at the origin, metres."""
    cloud = 0.35 * torch.randn(count, 17, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    cloud[:, 0] = 0
    return cloud


@exercise
def along_the_rays(function: Callable) -> str:
    """Exercise 08.1: `function(seen, depth, distance)` -> root-relative pose (..., 17, 3)."""
    for leading, distance in (((6,), 5.0), ((2, 3), 3.0)):
        pose = _people(6).reshape(*leading, 17, 3)
        depth = pose[..., 2]
        seen = turning.look(pose, distance)
        hint = (
            "a joint at depth d lies on the ray through its picture, distance + d away: x and y grow with it, "
            "by (distance + d) / distance"
        )
        got = tensor(function(seen, depth, distance), f"{tuple(seen.shape)} at {distance:g} m", hint)
        if got.shape == pose.shape and torch.allclose(got[..., :2], seen, atol=1e-6):
            raise AssertionError(
                "x and y are those of the picture, as if every joint were as far away as the root. Hint: " + hint
            )
        compare(got, pose, f"{tuple(seen.shape)} at {distance:g} m", hint, 1e-6)
    return "along_the_rays: the lifted poses look like what was seen, at any distance"


@exercise
def walk_round(function: Callable) -> str:
    """Exercise 08.2: `function(before, azimuth, after)` -> rotation (..., 3, 3)."""
    angles = torch.tensor([[0.2, 1.0, 0.1], [0.0, -2.0, 0.3], [0.3, 0.0, 0.0]], dtype=torch.float64)
    hints = {
        "a level camera": ((0.0, 1.0, 0.0), "no elevation is left to undo: this is about_vertical(azimuth)"),
        "no walk at all": ((0.3, 0.0, 0.3), "the same elevation before and after must cancel out"),
        "a camera that looks down": (
            (0.3, 1.2, 0.1),
            "first undo the elevation (a rotation is undone by its transpose), then walk, then look down again; "
            "the last to act stands on the left",
        ),
    }
    for what, (case, hint) in hints.items():
        one = tuple(torch.tensor(angle, dtype=torch.float64) for angle in case)
        compare(function(*one), turning.turn(*one), what, hint, 1e-9)
    columns = angles.unbind(-1)
    compare(function(*columns), turning.turn(*columns), "a batch of three", "(...) angles to (..., 3, 3)", 1e-9)
    return "walk_round: undoes, turns and looks down again, for a batch as for one"


@exercise
def two_worlds(function: Callable) -> str:
    """Exercise 08.3: `function(pose, azimuth, distance)` -> the largest distance between two pictures, metres."""
    pose, hint = _people(4), "mirror z alone; turn one by azimuth and the other by -azimuth; then look at both"
    for distance in (5.0, 500.0):
        for angle in (0.7, -2.0):
            azimuth = torch.tensor(angle, dtype=torch.float64)

            def picture(flip: float, way: float, distance: float = distance, azimuth: torch.Tensor = azimuth):
                turned = pose * pose.new_tensor([1.0, 1.0, flip]) @ turning.about_vertical(way * azimuth).mT
                return turning.look(turned, distance)

            far = [torch.linalg.vector_norm(picture(-1, 1) - picture(1, way), dim=-1).max() for way in (-1, 1)]
            compare(
                tensor(function(pose, azimuth, distance), f"{angle} rad at {distance:g} m", hint), far[0],
                f"{angle} rad at {distance:g} m", hint, 1e-6, {"both were turned the same way": far[1]},
            )  # fmt: skip
    return "two_worlds: 5 m away they differ a little, 500 m away they do not"


@exercise
def one_round(function: Callable) -> str:
    """Before the training: `function(lifter, critic, seen, turn)` -> (loss, the turned picture)."""
    lifter, critic = _two()
    seen = turning.look(_people(5))
    turn = turning.draw_turns(5, (0.0, 20.0), torch.Generator().manual_seed(0)).double()
    pose = lifter(seen)
    again = turning.look(pose @ turn.mT, lifter.distance)
    in_picture, in_space = cycle_losses(lifter, seen, pose, again, turn)
    fooled = believes(critic, again)
    expected = demo_training.CYCLE * (in_picture + in_space) + demo_training.CRITIC * fooled
    got = function(lifter, critic, seen, turn)
    assert isinstance(got, tuple) and len(got) == 2, (
        f"one_round returned {type(got).__name__}, expected two things: the loss and the turned picture. "
        "Hint: return loss, again"
    )
    loss, picture = got
    compare(
        tensor(picture, "the turned picture", "return loss, again").detach(), again.detach(), "the turned picture",
        "lift, then `pose @ turn.mT`, then look", 1e-6,
    )  # fmt: skip
    hint = "CYCLE_WEIGHT * (2D + 3D) + CRITIC_WEIGHT * believes(critic, again)"
    critics, cycles = demo_training.CRITIC * fooled, demo_training.CYCLE
    mistakes = {
        "the critic's part is missing": cycles * (in_picture + in_space),
        "the cycle is missing": critics,
        "the 3D loss is missing": cycles * in_picture + critics,
        "the 2D loss is missing": cycles * in_space + critics,
        "CYCLE_WEIGHT is missing before the cycle's losses": in_picture + in_space + critics,
    }
    compare(
        tensor(loss, "the loss", hint).detach(), expected.detach(), "the loss", hint, 1e-9,
        {what: value.detach() for what, value in mistakes.items()},
    )  # fmt: skip
    assert loss.requires_grad, (
        "the loss has no gradient: the lifter cannot learn from it. Hint: no .detach(), .item() or torch.no_grad()"
    )
    gradients = [torch.autograd.grad(value, list(lifter.parameters()), retain_graph=True) for value in (loss, expected)]
    for one, two in zip(*gradients):
        compare(one, two, "the gradient", "lift the turned picture with the same lifter, with gradient", 1e-6)
    demo_training.checked(function)
    return "one_round: right, and from now on the training takes it"


@exercise
def take_turns(function: Callable) -> str:
    """Exercise 08.4: `function(lifter, critic, rounds, objective)` trains both -> the lifter's losses."""
    generator, rounds = torch.Generator().manual_seed(1), []
    for number in range(3):
        seen, real = (turning.look(_people(6, 2 * number + side)) for side in (0, 1))
        rounds.append((seen, real, turning.draw_turns(6, (0.0, 20.0), generator).double()))
    hints = {
        "the lifter": "objective(...) gives its loss: clear its gradients, backward, one step of its own optimiser",
        "the critic": "losses.critic_loss(critic, real, again, 0.5): the lifter's loss leaves gradients in the critic, "
        "clear them right before the critic's backward",
    }
    slips = {"the lifter": "its old gradients were never cleared", "the critic": "what the lifter's loss left was kept"}
    for count in (1, 3):
        networks = _two()
        values = function(*networks, rounds[:count], demo_training.own_loss)
        expected, *right = _turns(rounds[:count])
        _, *wrong = _turns(rounds[:count], cleared=False)
        for (who, hint), network, new, slip, old in zip(hints.items(), networks, right, wrong, _two()):
            if torch.equal(_weights(network), _weights(old)):
                raise AssertionError(f"{who} has not moved. Hint: {hint}")
            compare(_weights(network), new, f"{who} after {count} rounds", hint, 1e-7, {slips[who]: slip})
    hint = "append loss.item() in every round, and return the list"
    assert isinstance(values, list), f"take_turns returned {type(values).__name__}, expected a list. Hint: {hint}"
    compare(torch.tensor(values, dtype=torch.float64), expected, "the lifter's losses", hint, 1e-7)
    return "take_turns: each moves in its own turn, and on its own gradients"


def _turns(rounds: list, cleared: bool = True) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The lifter's losses, its weights and the critic's after the rounds; with gradients `cleared`, or piling up."""
    lifter, critic = _two()
    lifters, critics = (torch.optim.Adam(net.parameters(), 1e-3, (0.5, 0.99)) for net in (lifter, critic))
    values = []
    for seen, real, turn in rounds:
        if cleared:
            lifters.zero_grad()
        loss, again = demo_training.own_loss(lifter, critic, seen, turn)
        loss.backward()
        lifters.step()
        if cleared:
            critics.zero_grad()
        critic_loss(critic, real, again, 0.5).backward()
        critics.step()
        values.append(loss.detach())
    return torch.stack(values), _weights(lifter), _weights(critic)


def _two() -> tuple[DepthLifter, Critic]:
    """A lifter and a critic, always the same."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return DepthLifter(8, 1).double(), Critic(8, 1).double()


def _weights(network: torch.nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()])
