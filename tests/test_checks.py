"""The exercises' checks: solutions pass, untouched stubs say so, plausible wrong answers are caught with a hint."""

import re
import textwrap
from pathlib import Path

import jupytext
import pytest
import torch

SOURCES = sorted((Path(__file__).resolve().parents[1] / "notebooks" / "source").glob("*.py"))
MARKED = re.compile(r"( *)### BEGIN SOLUTION\n.*?### END SOLUTION\n?", re.DOTALL)


def exercises():
    """(exercise -> its cell, exercise -> the cells its lesson begins with) over all lessons."""
    cells, starts = {}, {}
    for path in SOURCES:
        code = [cell.source for cell in jupytext.read(path).cells if cell.cell_type == "code"]
        for source in code:
            if "### BEGIN SOLUTION" in source:
                name = re.search(r"^def (\w+)", source, re.MULTILINE)[1]
                cells[name], starts[name] = source, code[0]
    return cells, starts


CELLS, STARTS = exercises()


def attempt(name, body):
    """Run the exercise's cell with this body in place of the solution, with only what the lesson has imported."""
    indented = textwrap.indent(textwrap.dedent(body).strip("\n"), "    ")
    source, replaced = MARKED.subn(lambda _: indented + "\n", CELLS[name])
    assert replaced == 1
    run(name, source)


def run(name, source):
    room = {"__name__": "lesson"}
    exec(compile(STARTS[name], "<the lesson's imports>", "exec"), room)
    exec(compile(source, f"<exercise {name}>", "exec"), room)


WRONG = {
    "radial": {
        "r instead of r squared": "return points * (1 + k1 * points.norm(dim=-1, keepdim=True))",
        "every coordinate with its own square": "return points * (1 + k1 * points**2)",
        "one radius for the whole batch": "return points * (1 + k1 * (points**2).sum())",
        "the other sign": "return points * (1 - k1 * (points**2).sum(-1, keepdim=True))",
        "only the factor": "return 1 + k1 * (points**2).sum(-1, keepdim=True)",
        "only what is added": "return points * k1 * (points**2).sum(-1, keepdim=True)",
        "the k2 term": "return points * (1 + k1 * (points**2).sum(-1, keepdim=True) ** 2)",
        "numpy": "return (points * (1 + k1 * (points**2).sum(-1, keepdim=True))).numpy()",
        "a mean": "return points * (1 + k1 * (points**2).mean(-1, keepdim=True))",
        "nothing": "return None",
    },
    "first_fold": {
        "where the image comes back to the middle": "return (-1 / k1) ** 0.5 if k1 < 0 else float('inf')",
        "the square of the radius": "return -1 / (3 * k1) if k1 < 0 else float('inf')",
        "a half, not a third": "return (-1 / (2 * k1)) ** 0.5 if k1 < 0 else float('inf')",
        "pincushion folds too": "return (1 / (3 * abs(k1))) ** 0.5",
        "always the same": "return 0.577 if k1 < 0 else float('inf')",
        "barrel and pincushion exchanged": "return (1 / (3 * k1)) ** 0.5 if k1 > 0 else float('inf')",
        "the sign under the root": "return 1 / (3 * k1) if k1 < 0 else float('inf')",
        "zero": "return 0.0 if k1 < 0 else float('inf')",
        "not a number": "return float('nan')",
        "nothing": "return None",
    },
    "fixed_point": {
        "away from the solution": """
            points = seen
            for _ in range(steps):
                points = points - (seen - distortion.distort(points, lens))
            return points
            """,
        "the same correction again": """
            points = seen
            for _ in range(steps):
                points = points + (seen - distortion.distort(seen, lens))
            return points
            """,
        "a start in the middle": """
            points = torch.zeros_like(seen)
            for _ in range(steps):
                points = points + (seen - distortion.distort(points, lens))
            return points
            """,
        "one step too many": """
            points = seen
            for _ in range(steps + 1):
                points = points + (seen - distortion.distort(points, lens))
            return points
            """,
        "one step only": "return seen + (seen - distortion.distort(seen, lens)) if steps else seen",
        "distorted once more": "return distortion.distort(seen, lens)",
        "the opposite lens": "return distortion.distort(seen, -lens) if steps else seen",
        "nothing": "return None",
    },
    "inner_step": {
        "first order": "return w - alpha * torch.autograd.grad(loss(w), w)[0]",
        "cut off": "return (w - alpha * torch.autograd.grad(loss(w), w)[0]).detach()",
        "uphill": "return w + alpha * torch.autograd.grad(loss(w), w, create_graph=True)[0]",
        "without the rate": "return w - torch.autograd.grad(loss(w), w, create_graph=True)[0]",
        "the loss, not its gradient": "return w - alpha * loss(w)",
        "only the gradient": "return torch.autograd.grad(loss(w), w, create_graph=True)[0]",
        "a gradient without its history": """
            (gradient,) = torch.autograd.grad(loss(w), w, create_graph=True)
            return w - alpha * gradient.detach()
            """,
        "backward": """
            loss(w).backward()
            return w - alpha * w.grad
            """,
        "in place": """
            (gradient,) = torch.autograd.grad(loss(w), w)
            with torch.no_grad():
                w -= alpha * gradient
            return w
            """,
        "two steps": """
            for _ in range(2):
                w = w - alpha * torch.autograd.grad(loss(w), w, create_graph=True)[0]
            return w
            """,
        "nothing": "return None",
    },
    "stratify": {
        "no strata": "return limit * (2 * torch.rand(count, generator=generator) - 1)",
        "no chance": "return -limit + 2 * limit * (torch.arange(count) + 0.5) / count",
        "one draw for all": """
            u = torch.rand(1, generator=generator)
            return -limit + 2 * limit * (torch.arange(count) + u) / count
            """,
        "from zero": "return limit * (torch.arange(count) + torch.rand(count, generator=generator)) / count",
        "strata counted from one": """
            u = torch.rand(count, generator=generator)
            return -limit + 2 * limit * (torch.arange(1, count + 1) + u) / count
            """,
        "half the range": """
            u = torch.rand(count, generator=generator)
            return -limit + limit * (torch.arange(count) + u) / count
            """,
        "shuffled": """
            u = torch.rand(count, generator=generator)
            return (-limit + 2 * limit * (torch.arange(count) + u) / count).flip(0)
            """,
        "another generator": """
            u = torch.rand(count)
            return -limit + 2 * limit * (torch.arange(count) + u) / count
            """,
        "a column": """
            u = torch.rand(count, 1, generator=generator)
            return -limit + 2 * limit * (torch.arange(count)[:, None] + u) / count
            """,
        "a list": """
            u = torch.rand(count, generator=generator)
            return (-limit + 2 * limit * (torch.arange(count) + u) / count).tolist()
            """,
        "nothing": "return None",
    },
}

SYMMETRY = """
from tutorial_lib.skeleton import SYMMETRIC_BONES, bone_lengths

bones = bone_lengths(pose)
left, right = (list(side) for side in zip(*SYMMETRIC_BONES))
difference = bones[:, left] - bones[:, right]
"""
WRONG["symmetry_loss"] = {
    title: SYMMETRY + answer
    for title, answer in {
        "not scale-free": "return difference.abs().sum(-1).mean()",
        "signs cancel": "return difference.sum(-1).mean() / bones.mean()",
        "a mean over pairs": "return difference.abs().mean() / bones.mean()",
        "squares": "return (difference**2).sum(-1).mean() / bones.mean() ** 2",
        "every frame with its own size": "return (difference.abs().sum(-1) / bones.mean(-1)).mean()",
        "a sum over frames": "return difference.abs().sum() / bones.mean()",
        "one number a frame": "return difference.abs().sum(-1) / bones.mean()",
        "divided by the sum": "return difference.abs().sum(-1).mean() / bones.sum()",
        "a plain number": "return (difference.abs().sum(-1).mean() / bones.mean()).item()",
        "nothing": "return None",
    }.items()
}


def test_every_exercise_of_the_course_is_tried_here():
    assert set(CELLS) == set(WRONG)
    assert all(len(answers) >= 3 for answers in WRONG.values())


@pytest.mark.parametrize("name", CELLS)
def test_the_solution_passes_and_the_check_says_so_in_one_line(name, capsys):
    run(name, CELLS[name])
    said = capsys.readouterr().out
    assert said.startswith(f"{name}: ") and said.count("\n") == 1


@pytest.mark.parametrize("name", CELLS)
def test_an_untouched_stub_says_that_it_is_not_implemented(name):
    with pytest.raises(NotImplementedError):
        attempt(name, "raise NotImplementedError")


@pytest.mark.parametrize("name", CELLS)
def test_the_check_is_called_in_the_cell_that_defines_the_answer(name):
    assert CELLS[name].rstrip().endswith(f"checks.{name}({name})")


@pytest.mark.parametrize(
    ("name", "body"),
    [
        pytest.param(name, body, id=f"{name}: {title}")
        for name, answers in WRONG.items()
        for title, body in answers.items()
    ],
)
def test_a_plausible_wrong_answer_is_caught_with_a_hint(name, body):
    with pytest.raises(AssertionError, match="Hint: .{10}"):
        attempt(name, body)


RIGHT = {
    "radial": """
        x, y = points.unbind(-1)
        r2 = x * x + y * y
        return torch.stack([x + k1 * r2 * x, y + k1 * r2 * y], -1)
        """,
    "first_fold": "return float('inf') if k1 >= 0 else 1 / (-3 * k1) ** 0.5",
    "fixed_point": """
        if steps == 0:
            return seen
        before = fixed_point(seen, lens, steps - 1)
        return seen + before - distortion.distort(before, lens)
        """,
    "inner_step": """
        value = loss(w)
        slope = torch.autograd.grad(value, [w], create_graph=True)[0]
        return torch.add(w, slope, alpha=-alpha)
        """,
    "stratify": """
        edges = torch.linspace(-limit, limit, count + 1)
        return edges[:-1] + torch.diff(edges) * torch.rand(count, generator=generator)
        """,
    "symmetry_loss": """
        from tutorial_lib.skeleton import SYMMETRIC_BONES, bone_lengths

        bones = bone_lengths(pose)
        total = sum((bones[:, a] - bones[:, b]).abs() for a, b in SYMMETRIC_BONES)
        return (total / bones.mean()).mean()
        """,
}


@pytest.mark.parametrize("name", CELLS)
def test_another_right_answer_passes_too(name):
    attempt(name, RIGHT[name])


@pytest.mark.parametrize("name", CELLS)
def test_checking_leaves_global_randomness_alone(name):
    state = torch.get_rng_state()
    run(name, CELLS[name])
    assert torch.equal(torch.get_rng_state(), state)
