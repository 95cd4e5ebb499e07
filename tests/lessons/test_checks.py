"""The exercises' checks: solutions pass, untouched stubs say so, plausible wrong answers are caught with a hint."""

import re
import textwrap
from pathlib import Path

import jupytext
import pytest
import torch

from tutorial_lib.display import exercises as exercises_display
from tutorial_lib.display import rerun
from tutorial_lib.lessons.characteristic_function import demo_sharp as sharp_of_09
from tutorial_lib.lessons.egocentric import demo_lies as lies_of_13
from tutorial_lib.lessons.geometric_self_supervision import demo_training as training_of_08
from tutorial_lib.lessons.geometry_aware import demo_exchange as exchange_of_07
from tutorial_lib.lessons.integral_pose import demo_training as training_of_02
from tutorial_lib.lessons.mesh_recovery import demo_pull as descent_of_10
from tutorial_lib.lessons.stress_testing import demo_own as hunt_of_11

SOURCES = sorted((Path(__file__).resolve().parents[2] / "notebooks" / "source").glob("*.py"))
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


@pytest.fixture(autouse=True)
def forgets(monkeypatch):
    """No training and no hunt after these tests takes an answer of theirs."""
    for lesson in (
        training_of_02, exchange_of_07, training_of_08, sharp_of_09, descent_of_10, hunt_of_11, lies_of_13,
    ):  # fmt: skip
        monkeypatch.setattr(lesson, "_CHECKED", [])


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
        "one step too few": """
            points = seen
            for _ in range(steps - 1):
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

WRONG["receptive_field"] = {
    "powers of three": "return 3 ** len(widths) if dilated else 1 + 2 * len(widths)",
    "always dilated": "return int(np.prod(widths))",
    "never dilated": "return 1 + sum(w - 1 for w in widths)",
    "a sum of widths": "return int(np.prod(widths)) if dilated else sum(widths)",
    "one side only": "return (int(np.prod(widths)) if dilated else 1 + sum(w - 1 for w in widths)) // 2",
    "one too many": "return 1 + (int(np.prod(widths)) if dilated else 1 + sum(w - 1 for w in widths))",
    "the dilation is multiplied too early": """
        field, dilation = 1, 1
        for width in widths:
            dilation *= width if dilated else 1
            field += (width - 1) * dilation
        return field
        """,
    "text": "return str(np.prod(widths))",
    "nothing": "return None",
}
WRONG["residual_slice"] = {
    "never causal": """
        start = (width - 1) * dilation // 2
        return x[..., start : x.shape[-1] - start]
        """,
    "always causal": "return x[..., (width - 1) * dilation :]",
    "the first tap": """
        lost = (width - 1) * dilation
        return x[..., : x.shape[-1] - lost] if causal else x[..., lost // 2 : x.shape[-1] - lost // 2]
        """,
    "without dilation": """
        lost = width - 1
        return x[..., lost:] if causal else x[..., lost // 2 : x.shape[-1] - lost // 2]
        """,
    "only width three": """
        start = 2 * dilation if causal else dilation
        return x[..., start : start + x.shape[-1] - 2 * dilation]
        """,
    "time is not the last axis": """
        lost = (width - 1) * dilation
        start = lost if causal else lost // 2
        return x[..., start : start + x.shape[-2] - lost, :]
        """,
    "nothing cut": "return x",
    "nothing": "return None",
}
BACK = """
place = pose + root
plane = place[..., :2] / place[..., 2:]
seen = plane.clamp(-1, 1) * focal + centre
"""
WRONG["reprojection"] = {
    title: BACK + answer
    for title, answer in {
        "no clamp": "return (plane * focal + centre - keypoints).norm(dim=-1).mean()",
        "clamped on the screen": "return ((plane * focal + centre).clamp(-1, 1) - keypoints).norm(dim=-1).mean()",
        "no root": "return ((pose[..., :2] / 4).clamp(-1, 1) * focal + centre - keypoints).norm(dim=-1).mean()",
        "one depth for all joints": (
            "return ((place[..., :2] / root[..., 2:]).clamp(-1, 1) * focal + centre - keypoints).norm(dim=-1).mean()"
        ),
        "no principal point": "return (plane.clamp(-1, 1) * focal - keypoints).norm(dim=-1).mean()",
        "squares": "return (seen - keypoints).square().sum(-1).mean()",
        "a mean over coordinates": "return (seen - keypoints).abs().mean()",
        "a sum": "return (seen - keypoints).norm(dim=-1).sum()",
        "one per person": "return (seen - keypoints).norm(dim=-1).mean(-1)",
        "a plain number": "return (seen - keypoints).norm(dim=-1).mean().item()",
        "cut off": "return (seen - keypoints).norm(dim=-1).mean().detach()",
        "nothing": "return None",
    }.items()
}

CENTRES = """
cells = logits.shape[-1]
centres = (2 * torch.arange(cells, dtype=logits.dtype) + 1) / cells - 1
p = torch.softmax(logits, -1)
"""
WRONG["soft_argmax"] = {
    title: CENTRES + answer
    for title, answer in {
        "corners": "return (p * (2 * torch.arange(cells) / cells - 1)).sum(-1)",
        "ends of the interval": "return (p * torch.linspace(-1, 1, cells, dtype=p.dtype)).sum(-1)",
        "cells, not coordinates": "return (p * torch.arange(cells)).sum(-1)",
        "a softmax of the first axis": "return (torch.softmax(logits, 0) * centres).sum(-1)",
        "the maximum": "return centres[logits.argmax(-1)]",
        "no softmax": "return (logits * centres).sum(-1) / logits.sum(-1)",
        "exp that overflows": "return (logits.exp() * centres).sum(-1) / logits.exp().sum(-1)",
        "a mean": "return (p * centres).mean(-1)",
        "one number": "return (p * centres).sum()",
        "nothing": "return None",
    }.items()
}
WRONG["gradient"] = {
    title: CENTRES + answer
    for title, answer in {
        "without the mean": "return p * centres",
        "without the share": "return centres - p @ centres",
        "the other sign": "return p * (p @ centres - centres)",
        "of a softmax": "return p * (1 - p)",
        "the square of the share": "return p**2 * (centres - p @ centres)",
        "corners": "return p * (centres - p @ centres - 1 / cells)",
        "in cells": "return p * (centres - p @ centres) * cells / 2",
        "nothing": "return None",
    }.items()
}
STEP = """
optimiser.zero_grad()
loss = (integral.soft_argmax_3d(net.logits(images)) - target).abs().mean()
loss.backward()
optimiser.step()
return loss
"""
WRONG["training_step"] = {
    "old gradients stay": STEP.replace("optimiser.zero_grad()", ""),
    "squared": STEP.replace(".abs()", ".square()"),
    "a sum": STEP.replace(".mean()", ".sum()"),
    "no step": STEP.replace("optimiser.step()", ""),
    "no gradient": STEP.replace("loss.backward()", ""),
    "gradients taken away too late": STEP.replace("optimiser.step()", "optimiser.zero_grad()\noptimiser.step()"),
    "the loss after the step": STEP.replace("return loss", STEP.replace("return loss", "return 2 * loss").strip()),
    "nothing": STEP.replace("return loss", "return None"),
}
WRONG["half_pixel"] = {
    "the other way": "return x - 1 / cells",
    "half a unit": "return x + 0.5",
    "half a cell of a picture from 0 to 1": "return x + 0.5 / cells",
    "a whole cell": "return x + 2 / cells",
    "stretched": "return x * cells / (cells - 1)",
    "only for 64 cells": "return x + 1 / 64",
    "nothing changed": "return x",
    "nothing": "return None",
}
CUBE = """
grids = torch.meshgrid(*[torch.arange(n) for n in shape], indexing="ij")
offsets = [grid - place for grid, place in zip(grids, reversed(cell))]
square = sum(offset**2 for offset in offsets)
inside = torch.stack([offset.abs() <= 5 for offset in offsets]).all(0)
volume = torch.exp(-square / 2) / math.sqrt(2 * math.pi) * inside
"""
WRONG["gaussian_cube"] = {
    title: CUBE + answer
    for title, answer in {
        "a peak of one": "return torch.exp(-square / 2) * inside",
        "a density": "return torch.exp(-square / 2) / (2 * math.pi) ** 1.5 * inside",
        "not cut off": "return torch.exp(-square / 2) / math.sqrt(2 * math.pi)",
        "a ball": "return volume * (square <= 25)",
        "ten cells a side": "return volume * torch.stack([offset < 5 for offset in offsets]).all(0)",
        "x is the first axis": "return volume.permute(2, 1, 0)",
        "the distance, not its square": "return torch.exp(-square.sqrt() / 2) / math.sqrt(2 * math.pi) * inside",
        "numpy": "return volume.numpy()",
        "nothing": "return None",
    }.items()
}
WRONG["bce_floor"] = {
    "nan where the target is 0": "return -(target * target.log() + (1 - target) * (1 - target).log()).sum()",
    "the ones only": "return -torch.xlogy(target, target).sum()",
    "a mean": "return -(torch.xlogy(target, target) + torch.xlogy(1 - target, 1 - target)).mean()",
    "the other sign": "return (torch.xlogy(target, target) + torch.xlogy(1 - target, 1 - target)).sum()",
    "in bits": "return -(torch.xlogy(target, target) + torch.xlogy(1 - target, 1 - target)).sum() / math.log(2)",
    "zero": "return torch.zeros(())",
    "one per plane": "return -(torch.xlogy(target, target) + torch.xlogy(1 - target, 1 - target)).sum((-1, -2))",
    "nothing": "return None",
}

BUMP = """
centres = (2 * torch.arange(cells, dtype=point.dtype) + 1) / cells - 1
x, y = point
"""
WRONG["moved_gaussian"] = {
    "A also moves the mean": "return linear @ mean + shift, linear @ covariance @ linear.T",
    "A on one side": "return mean + shift, linear @ covariance",
    "transposed first": "return mean + shift, linear.T @ covariance @ linear",
    "the shift widens": "return mean + shift, linear @ covariance @ linear.T + torch.outer(shift, shift)",
    "not shifted": "return mean, linear @ covariance @ linear.T",
    "nothing": "return None",
}
WRONG["spring_loss"] = {
    "screen units": "return (first - second).square().sum() / 3",
    "a mean": "return ((first - second) / 2).square().mean()",
    "not squared": "return ((first - second) / 2).norm(dim=-1).sum() / 3",
    "without the third": "return ((first - second) / 2).square().sum()",
    "divided by the pairs": "return ((first - second) / 2).square().sum() / 3 / len(first)",
    "nothing": "return None",
}
WRONG["fence"] = {
    "the core only": "return (anchors[:3].abs() - 1).clamp_min(0).mean(-1).sum()",
    "the paper's jump": "return (anchors.abs() * (anchors.abs() > 1)).mean(-1).sum()",
    "only to the right and below": "return (anchors - 1).clamp_min(0).mean(-1).sum()",
    "a sum over the axes": "return (anchors.abs() - 1).clamp_min(0).sum()",
    "a mean over the anchors": "return (anchors.abs() - 1).clamp_min(0).mean()",
    "nothing": "return None",
}
WRONG["target_map"] = {
    title: BUMP + textwrap.dedent(answer)
    for title, answer in {
        "rows are x": (
            "return torch.exp(-((centres[:, None] - x) ** 2 + (centres - y) ** 2) * cells**2 / (8 * sigma**2))"
        ),
        "sigma in half widths": (
            "return torch.exp(-((centres[:, None] - y) ** 2 + (centres - x) ** 2) / (2 * sigma**2))"
        ),
        "sigma in widths": (
            "return torch.exp(-((centres[:, None] - y) ** 2 + (centres - x) ** 2) * cells**2 / (2 * sigma**2))"
        ),
        "without the half": (
            "return torch.exp(-((centres[:, None] - y) ** 2 + (centres - x) ** 2) * cells**2 / (4 * sigma**2))"
        ),
        "cells from border to border": """
            centres = torch.linspace(-1, 1, cells, dtype=point.dtype)
            return torch.exp(-((centres[:, None] - y) ** 2 + (centres - x) ** 2) * cells**2 / (8 * sigma**2))
            """,
        "a sum of 1": """
            bump = torch.exp(-((centres[:, None] - y) ** 2 + (centres - x) ** 2) * cells**2 / (8 * sigma**2))
            return bump / bump.sum()
            """,
        "a rounded centre": "return heatmaps.gaussian_target(point, cells, sigma, rounded=True)",
        "cut at three sigma": "return heatmaps.gaussian_target(point, cells, sigma, reach=3)",
        "nothing": "return None",
    }.items()
}
WRONG["quarter"] = {
    "no shift": "return float(row.argmax())",
    "half a cell": """
        i = int(row.argmax())
        return i + 0.5 * torch.sign(row[i + 1] - row[i - 1]).item() if 0 < i < len(row) - 1 else float(i)
        """,
    "towards the lower neighbour": """
        i = int(row.argmax())
        return i - 0.25 * torch.sign(row[i + 1] - row[i - 1]).item() if 0 < i < len(row) - 1 else float(i)
        """,
    "always to the right": "return min(int(row.argmax()) + 0.25, len(row) - 1.0)",
    "shifted at a tie": """
        i = int(row.argmax())
        return i + (0.25 if row[i + 1] > row[i - 1] else -0.25) if 0 < i < len(row) - 1 else float(i)
        """,
    "the first cell has the last for a neighbour": """
        i = int(row.argmax())
        return i + 0.25 * torch.sign(row[(i + 1) % len(row)] - row[i - 1]).item()
        """,
    "no shift next to the border": """
        i = int(row.argmax())
        return i + 0.25 * torch.sign(row[i + 1] - row[i - 1]).item() if 1 < i < len(row) - 2 else float(i)
        """,
    "by how much it is higher": """
        i = int(row.argmax())
        return i + 0.25 * (row[i + 1] - row[i - 1]).item() if 0 < i < len(row) - 1 else float(i)
        """,
    "a row": "return row",
    "nothing": "return None",
}
PLACE = """
rows, columns = logits.shape
p = torch.softmax(logits.flatten(), 0).reshape(rows, columns)
y, x = ((2 * torch.arange(n, dtype=logits.dtype) + 1) / n - 1 for n in (rows, columns))
place = torch.stack([(p * x).sum(), (p * y[:, None]).sum()])
gradient = torch.stack([p * (x - place[0]), p * (y[:, None] - place[1])])
"""
WRONG["soft_place"] = {
    title: PLACE + textwrap.dedent(answer)
    for title, answer in {
        "y before x": "return place.flip(0), gradient.flip(0)",
        "the gradient of a plain mean": "return place, torch.stack([p * x, p * y[:, None]])",
        "the gradient without the share": (
            "return place, torch.stack([(x - place[0]).expand(rows, -1), (y[:, None] - place[1]).expand(-1, columns)])"
        ),
        "the other sign": "return place, -gradient",
        "the square of the share": "return place, p * gradient",
        "a softmax of each row": """
            p = torch.softmax(logits, -1)
            return torch.stack([(p * x).sum(), (p * y[:, None]).sum()]) / rows, gradient
            """,
        "places from 0 to 1": "return (place + 1) / 2, gradient / 2",
        "no softmax": """
            p = logits / logits.sum()
            return torch.stack([(p * x).sum(), (p * y[:, None]).sum()]), gradient
            """,
        "exp that overflows": """
            p = torch.exp(logits) / torch.exp(logits).sum()
            return torch.stack([(p * x).sum(), (p * y[:, None]).sum()]), gradient
            """,
        "only the place": "return place",
        "nothing": "return None",
    }.items()
}
DARK = """
    h = {map}
    g = torch.stack([h[2, 3] - h[2, 1], h[3, 2] - h[1, 2]]) / 2
    xx, yy = h[2, 3] - 2 * h[2, 2] + h[2, 1], h[3, 2] - 2 * h[2, 2] + h[1, 2]
    xy = {mixed}
    step = -torch.stack([yy * g[0] - xy * g[1], xx * g[1] - xy * g[0]]) / (xx * yy - xy**2)
    """
MIXED = "(h[3, 3] - h[3, 1] - h[1, 3] + h[1, 1]) / 4"
WRONG["dark_step"] = {
    "no logarithm": DARK.format(map="cells", mixed=MIXED) + "return 2 + step",
    "no mixed slope": DARK.format(map="torch.log(cells)", mixed="0 * xx") + "return 2 + step",
    "uphill": DARK.format(map="torch.log(cells)", mixed=MIXED) + "return 2 - step",
    "the step alone": DARK.format(map="torch.log(cells)", mixed=MIXED) + "return step",
    "y before x": DARK.format(map="torch.log(cells)", mixed=MIXED) + "return (2 + step).flip(0)",
    "the gradient alone": DARK.format(map="torch.log(cells)", mixed=MIXED) + "return 2 + g",
    "argmax": "return torch.tensor([2.0, 2.0], dtype=cells.dtype)",
    "the mean place": """
        index = torch.arange(5, dtype=cells.dtype)
        return torch.stack([(cells.sum(0) * index).sum(), (cells.sum(1) * index).sum()]) / cells.sum()
        """,
    "numpy": "return np.array([2.0, 2.0])",
    "nothing": "return None",
}
WRONG["likelihood"] = {
    "no width": "return (2**0.5 * (target - mu).abs() / sigma + np.log(2) / 2).sum(-1).mean()",
    "the width divides the whole": "return ((2**0.5 * (target - mu).abs() + torch.log(sigma)) / sigma).sum(-1).mean()",
    "no constant": "return (torch.log(sigma) + 2**0.5 * (target - mu).abs() / sigma).sum(-1).mean()",
    "normal errors": "return -torch.distributions.Normal(mu, sigma).log_prob(target).sum(-1).mean()",
    "sigma as the scale": "return -torch.distributions.Laplace(mu, sigma).log_prob(target).sum(-1).mean()",
    "a mean over the axes": "return -torch.distributions.Laplace(mu, sigma / 2**0.5).log_prob(target).mean()",
    "the likelihood": "return torch.distributions.Laplace(mu, sigma / 2**0.5).log_prob(target).sum(-1).mean()",
    "one a joint": "return -torch.distributions.Laplace(mu, sigma / 2**0.5).log_prob(target).sum(-1)",
    "nothing": "return None",
}


WORLDS = """
    one = look(pose * torch.tensor([{flip}], dtype=pose.dtype) @ about_vertical(azimuth).mT, distance)
    other = look(pose @ about_vertical({way}).mT, distance)
    return (one - other).norm(dim=-1).{largest}()
"""
TURNS = """
    lifters, critics = (torch.optim.Adam(network.parameters(), 1e-3, (0.5, 0.99)) for network in (lifter, critic))
    values = []
    for seen, real, turn in rounds:
        loss, again = objective(lifter, critic, seen, turn)
        {first}
        loss.backward()
        {lifts}
        judged = losses.critic_loss(critic, real, again, 0.5)
        {second}
        judged.backward()
        {judges}
        values.append(loss.item())
    return {said}
"""
WRONG["along_the_rays"] = {
    "flat": "return torch.cat([seen, depth[..., None]], -1)",
    "the wrong way": "return torch.cat([seen * (distance / (distance + depth))[..., None], depth[..., None]], -1)",
    "absolute": "return torch.cat([seen * (1 + depth / distance)[..., None], (distance + depth)[..., None]], -1)",
    "the picture": "return seen",
    "nothing": "return None",
}
WRONG["walk_round"] = {
    "not undone": "return tilt(after) @ about_vertical(azimuth) @ tilt(before)",
    "the order": "return tilt(before).mT @ about_vertical(azimuth) @ tilt(after)",
    "level cameras": "return about_vertical(azimuth)",
    "the other way": "return tilt(after) @ about_vertical(-azimuth) @ tilt(before).mT",
    "transposed": "return (tilt(after) @ about_vertical(azimuth) @ tilt(before).mT).mT",
}
ROUND = """
    pose = lifter(seen)
    again = look(pose @ turn.mT, lifter.distance)
    in_picture, in_space = cycle_losses(lifter, seen, pose, again, turn)
"""
WEIGHED = "CYCLE_WEIGHT * (in_picture + in_space) + CRITIC_WEIGHT * believes(critic, again)"
WRONG["one_round"] = {
    "no critic": ROUND + "    return CYCLE_WEIGHT * (in_picture + in_space), again",
    "no 2D": ROUND + "    return CYCLE_WEIGHT * in_space + CRITIC_WEIGHT * believes(critic, again), again",
    "no 3D": ROUND + "    return CYCLE_WEIGHT * in_picture + CRITIC_WEIGHT * believes(critic, again), again",
    "unweighted": ROUND + "    return in_picture + in_space + CRITIC_WEIGHT * believes(critic, again), again",
    "turned the other way": ROUND.replace("pose @ turn.mT, lifter", "pose @ turn, lifter")
    + f"    return {WEIGHED}, again",
    "no gradient": ROUND + f"    loss = {WEIGHED}\n    return loss.detach(), again",
    "the loss alone": ROUND + f"    return {WEIGHED}",
}
WRONG["two_worlds"] = {
    "the same way": WORLDS.format(flip="1.0, 1.0, -1.0", way="azimuth", largest="max"),
    "x mirrored": WORLDS.format(flip="-1.0, 1.0, 1.0", way="-azimuth", largest="max"),
    "the mean": WORLDS.format(flip="1.0, 1.0, -1.0", way="-azimuth", largest="mean"),
    "nothing": "return None",
}
TAKEN = {"first": "lifters.zero_grad()", "second": "critics.zero_grad()", "lifts": "lifters.step()",
         "judges": "critics.step()", "said": "values"}  # fmt: skip
WRONG["take_turns"] = {
    slip: TURNS.format_map(TAKEN | change)
    for slip, change in {
        "gradients pile up": {"first": ""},
        "gradients are left": {"second": ""},
        "the lifter alone": {"judges": ""},
        "the critic alone": {"lifts": ""},
        "the sum": {"said": "sum(values)"},
    }.items()
}

SIX = """
    a, b = {read}
    a = a / a.norm(dim=-1, keepdim=True)
    b = {upright}
    b = b / b.norm(dim=-1, keepdim=True)
    return {said}
"""
READ = {"read": "six[..., :3], six[..., 3:]", "upright": "b - (a * b).sum(-1, keepdim=True) * a",
        "said": "torch.stack([a, b, torch.linalg.cross(a, b)], -1)"}  # fmt: skip
WRONG["six_numbers"] = {
    slip: SIX.format_map(READ | change)
    for slip, change in {
        "rows": {"said": "torch.stack([a, b, torch.linalg.cross(a, b)], -2)"},
        "interleaved": {"read": "six[..., 0::2], six[..., 1::2]"},
        "leaning": {"upright": "b"},
        "reflection": {"said": "torch.stack([a, b, torch.linalg.cross(b, a)], -1)"},
        "two columns": {"said": "torch.stack([a, b], -1)"},
        "nothing": {"said": "None"},
    }.items()
}
PLACED = """
    flat = points[:, :2]
    x, y = flat - flat.mean(0), dots - dots.mean(0)
    s = {s}
    return torch.cat([s[None], {shift}])
"""
BEST = {"s": "(x * y).sum() / (x * x).sum()", "shift": "dots.mean(0) - s * flat.mean(0)"}
WRONG["place_the_camera"] = {
    slip: PLACED.format_map(BEST | change)
    for slip, change in {
        "sizes": {"s": "((y * y).sum() / (x * x).sum()).sqrt()"},
        "not centred": {"s": "(flat * dots).sum() / (flat * flat).sum()"},
        "shift": {"shift": "dots.mean(0) - flat.mean(0)"},
        "no shift": {"shift": "torch.zeros(2)"},
        "two numbers": {"shift": "dots.mean(0)[:1]"},
    }.items()
}
WRONG["place_the_camera"]["the other way"] = PLACED.format_map(
    {"s": "(x * y).sum() / (y * y).sum()", "shift": "flat.mean(0) - s * dots.mean(0)"}
)
WRONG["forgive"] = {
    "the square": "return distance**2",
    "bounded by one": "return distance**2 / (scale**2 + distance**2)",
    "not squared": "return scale**2 * distance / (scale**2 + distance)",
    "scale not squared": "return scale * distance**2 / (scale + distance**2)",
    "nothing": "return None",
}
PULL = """
    turns = to_axis_angle(start.rotations).clone().requires_grad_()
    betas, camera = start.betas.clone().requires_grad_(), start.camera.clone().requires_grad_()
    optimiser = torch.optim.Adam({moved}, lr=0.02)
    path = []
    for _ in range(steps + 1):
        rotations = from_axis_angle(turns)
        {keep}
        square = (reproject(body().joints(rotations, betas), camera) - dots).square().sum(-1)
        off = {off}
        unlikely = pose_prior().nll(turns[:, 1:]){shape}
        {clear}
        {down}
        optimiser.step()
    return {path}
"""
PULLED = {
    "moved": "[turns, betas, camera]", "off": "(fitting.gmof(square, 0.9) / (2 * 0.02**2)).sum(-1)",
    "keep": "path.append(Parameters(rotations.detach(), betas.detach().clone(), camera.detach().clone()))",
    "shape": " + betas.square().sum(-1) / 2", "clear": "optimiser.zero_grad()",
    "down": "(off + prior * unlikely).sum().backward()", "path": "path",
}  # fmt: skip
WRONG["pull"] = {
    slip: PULL.format_map(PULLED | change)
    for slip, change in {
        "uphill": {"down": "(-off - prior * unlikely).sum().backward()"},
        "gradients pile up": {"clear": ""},
        "no prior": {"down": "off.sum().backward()"},
        "no sigma": {"off": "fitting.gmof(square, 0.9).sum(-1)"},
        "the plain square": {"off": "square.sum(-1) / (2 * 0.02**2)"},
        "gmof of distances": {"off": "(fitting.gmof(square.sqrt(), 0.9) / (2 * 0.02**2)).sum(-1)"},
        "the shape stays": {"moved": "[turns, camera]"},
        "the camera stays": {"moved": "[turns, betas]"},
        "no copies": {"keep": "path.append(Parameters(rotations.detach(), betas.detach(), camera.detach()))"},
        "any shape is as likely": {"shape": ""},
        "the shape's half is forgotten": {"shape": " + betas.square().sum(-1)"},
        "the start is missing": {"path": "path[1:]"},
        "one step too few": {"path": "path[:-1]"},
        "the last alone": {"path": "path[-1]"},
        "nothing": {"path": "None"},
    }.items()
}
WRONG["random_tries"] = {
    "the expected number": "return math.ceil(1 / share)",
    "certainty by share": "return math.ceil(certainty / share)",
    "of the certainty": "return math.ceil(math.log(certainty) / math.log(1 - share))",
    "not rounded": "return math.log(1 - certainty) / math.log(1 - share)",
    "nothing": "return None",
}
POLICY = """
    advantage = {advantage}
    density = -0.5 * (asked - mean).square().sum(-1) / std**2
    return {loss}
"""
ADVANTAGE = {"advantage": "errors - errors.mean(0)", "loss": "-(advantage * density).mean(0).sum()"}
WRONG["policy"] = {
    slip: POLICY.format_map(ADVANTAGE | change)
    for slip, change in {
        "the sign": {"loss": "(advantage * density).mean(0).sum()"},
        "no baseline": {"advantage": "errors"},
        "one baseline": {"advantage": "errors - errors.mean()"},
        "no square": {"loss": "-(advantage * density * std).mean(0).sum()"},
        "no variance": {"loss": "-(advantage * density * std**2).mean(0).sum()"},
        "over agents, too": {"loss": "-(advantage * density).mean()"},
        "no gradient": {"loss": "-(advantage * density).mean(0).sum().detach()"},
    }.items()
}
SLAB = """
    points = low + torch.rand({count}, len(low)) * (high - low)
    points[:, axis] = {place}
    return {said}
"""
ASKED = {"count": "20", "place": "high[axis] + step * torch.rand(20)", "said": "errors(points).min() > threshold"}
WRONG["side_may_grow"] = {
    slip: SLAB.format_map(ASKED | change)
    for slip, change in {
        "the mean": {"said": "errors(points).mean() > threshold"},
        "one is enough": {"said": "errors(points).max() > threshold"},
        "inside": {"place": "points[:, axis]"},
        "one face": {"place": "high[axis] + step"},
        "below": {"place": "low[axis] - step * torch.rand(20)"},
        "too few": {"count": "2", "place": "high[axis] + step * torch.rand(2)"},
        "nobody was asked": {"said": "True"},
    }.items()
}
WRONG["side_may_grow"]["a corner"] = SLAB.format_map(ASKED).replace(
    "return", "points[:, :axis] = low[:axis]\n    return"
)
OWN = """
    mean, width, worst, largest = start, torch.full_like(start, 0.4), start, -math.inf
    for _ in range(steps):
        asked = {asked}
        found = errors(asked)
        elite = asked[found.topk(samples // 4{order}).indices]
        {move}
        if {better}:
            worst, largest = asked[found.argmax()], found.max()
    return {said}
"""
CEM = {"asked": "(mean + width * torch.randn(samples, len(start))).clamp(-1, 1)", "order": "",
       "move": "mean, width = elite.mean(0), elite.std(0).clamp_min(0.05)", "better": "found.max() > largest",
       "said": "(mean, worst)"}  # fmt: skip
WRONG["own_search"] = {
    slip: OWN.format_map(CEM | change)
    for slip, change in {
        "the smallest": {"order": ", largest=False"},
        "out of the cube": {"asked": "mean + width * torch.randn(samples, len(start))"},
        "too many questions": {"asked": CEM["asked"].replace("samples", "samples + 5")},
        "it stays": {"move": "pass"},
        "worst of the last step": {"better": "True"},
        "the mean is no worst": {"said": "(mean, mean)"},
        "the mean alone": {"said": "mean"},
        "an error": {"said": "(mean, largest)"},
        "nothing": {"said": "None"},
    }.items()
}
LENS_OF_13 = """
    flat = points[..., :2].norm(dim=-1, keepdim=True)
    angle = torch.arccos(points[..., 2:] / points.norm(dim=-1, keepdim=True))
    return {radius} * points[..., :2] / {towards}
"""
CUBE = """
    line = {line}
    v, u = torch.meshgrid(line, line, indexing="{order}")
    radius = (u * u + v * v).sqrt()
    angle = {angle}
    flat = torch.sin(angle) / radius
    rays = torch.stack([flat * u, flat * v, torch.cos(angle)], -1)
    points = depth[..., None] * {along} {moved}
    where = (points + torch.tensor([HALF, HALF, 0.0])) / (2 * HALF)
    index = {index}.long()
    known = {known} & {fits}
    cube = torch.zeros(cells, cells, cells, dtype=torch.bool)
    x, y, z = index[known].clamp(0, cells - 1).unbind(-1)
    cube[{axes}] = True
    return cube
"""
CUBED = {
    "line": "(2 * torch.arange(len(depth)) + 1) / len(depth) - 1", "order": "ij",
    "angle": "2 * torch.asin(LENS.edge * radius / 2)", "along": "rays", "moved": "+ shift",
    "index": "torch.floor(where * cells)", "known": "~hole & (radius <= 1)",
    "fits": "(index >= 0).all(-1) & (index < cells).all(-1)", "axes": "z, y, x",
}  # fmt: skip
STANDING = """
    below = {below}
    return {grown}
"""
STOOD = {"below": "-(pose[list(FEET)] @ up)", "grown": "pose * ((height - SOLE) / below).min()"}
WRONG["through_the_lens"] = {
    "a pinhole": "return points[..., :2] / points[..., 2:]",
    "equidistant": LENS_OF_13.format(radius="angle", towards="flat"),
    "not halved": LENS_OF_13.format(radius="2 * torch.sin(angle)", towards="flat"),
    "not doubled": LENS_OF_13.format(radius="torch.sin(angle / 2)", towards="flat"),
    "no direction": LENS_OF_13.format(radius="2 * torch.sin(angle / 2)", towards="1"),
    "to 90 degrees": LENS_OF_13.format(radius="2 * torch.sin(torch.atan(flat / points[..., 2:]) / 2)", towards="flat"),
    "three coordinates": "return points",
    "nothing": "return None",
}
WRONG["fill_the_cube"] = {
    slip: CUBE.format_map(CUBED | change)
    for slip, change in {
        "x, y, z": {"axes": "x, y, z"},
        "depth along the axis": {"along": "rays / rays[..., 2:]"},
        "rows and columns": {"order": "xy"},
        "equidistant": {"angle": "LENS.limit * radius"},
        "the hole too": {"known": "(radius <= 1)"},
        "the corners too": {"known": "~hole"},
        "not moved": {"moved": ""},
        "corners of pixels": {
            "line": "torch.linspace(-1, 1, len(depth))",
            "angle": "2 * torch.asin((LENS.edge * radius / 2).clamp_max(1))",
        },
        "corners of cells": {"index": "torch.round(where * (cells - 1))"},
        "at the border": {"fits": "True"},
        "cut, not floored": {"index": "(where * cells)"},
        "no edge": {"angle": "2 * torch.asin((radius / 2).clamp_max(1))"},
        "moved before the ray": {"along": "(rays + shift)", "moved": ""},
    }.items()
}
WRONG["fill_the_cube"] |= {
    "empty": "return torch.zeros(cells, cells, cells, dtype=torch.bool)",
    "flat": "return hole",
    "nothing": "return None",
}
WRONG["until_it_stands"] = {
    slip: STANDING.format_map(STOOD | change)
    for slip, change in {
        "the other foot": {"grown": "pose * ((height - SOLE) / below).max()"},
        "the mean": {"grown": "pose * ((height - SOLE) / below).mean()"},
        "no sole": {"grown": "pose * (height / below).min()"},
        "moved": {"grown": "pose - (height - SOLE - below.max()) * up"},
        "z": {"below": "pose[list(FEET), 2]"},
        "as it was": {"grown": "pose"},
        "one ankle": {"grown": "pose * (height - SOLE) / below[0]"},
    }.items()
}
WRONG["into_the_other"] = {
    "back": "return points @ (first @ second.T).T",
    "the world": "return points @ first",
    "from the world": "return points @ second.T",
    "first transposed": "return points @ first.T @ second.T",
    "second transposed": "return points @ first @ second",
    "and back again": "return points @ first @ first.T",
    "as they were": "return points",
    "nothing": "return None",
}
HANDED = """
    turn = {turn}
    return {points}, {appearance}
"""
HANDING = {
    "turn": "rotation @ rotation.flip(1).mT", "points": "points.flip(2) @ turn[:, None].mT",
    "appearance": "appearance.flip(1, 2)",
}  # fmt: skip
WRONG["hand_over"] = {
    slip: HANDED.format_map(HANDING | change)
    for slip, change in {
        "not turned": {"points": "points.flip(2)"},
        "not exchanged": {"points": "points"},
        "own points": {"points": "points @ turn[:, None].mT"},
        "the wrong way": {"points": "points.flip(2) @ turn[:, None]"},
        "one rotation": {"turn": "(rotation[:, 1] @ rotation[:, 0].mT)[:, None]"},
        "other moments": {"points": "points.flip(1, 2) @ turn[:, None].mT"},
        "the world": {"points": "points.flip(2) @ rotation.flip(1)[:, None]"},
        "same moment": {"appearance": "appearance.flip(2)"},
        "same camera": {"appearance": "appearance.flip(1)"},
        "own appearance": {"appearance": "appearance"},
    }.items()
}
WRONG["hand_over"] |= {
    "one tensor": "return points",
    "nothing": "return None",
    "overwritten": """
        for camera in (0, 1):
            turn = rotation[:, camera] @ rotation[:, 1 - camera].mT
            points[:, :, camera] = points[:, :, 1 - camera] @ turn[:, None].mT
        return points, appearance.flip(1, 2)
        """,
}
HEADED = """
    count = points.shape[1]
    x, y = {x}, {y}
    square = x.T @ x + {penalty} * torch.eye(count, dtype=x.dtype)
    return torch.linalg.solve(square, x.T @ y){turned}
"""
HEADING = {
    "x": "points.mT.reshape(-1, count)", "y": "pose.mT.reshape(-1, 17)", "penalty": "penalty", "turned": ".T"
}  # fmt: skip
WRONG["turning_head"] = {
    slip: HEADED.format_map(HEADING | change)
    for slip, change in {
        "no penalty": {"penalty": "1e-12"},
        "once a photo": {"penalty": "penalty * len(points)"},
        "once an equation": {"penalty": "penalty * len(x)"},
        "squared": {"penalty": "penalty**2"},
        "one axis": {"x": "points[..., 0]", "y": "pose[..., 0]"},
        "reshaped": {"x": "points.reshape(-1, count)", "y": "pose.reshape(-1, 17)"},
        "transposed": {"turned": ""},
    }.items()
}
WRONG["turning_head"] |= {
    "centred": """
        count = points.shape[1]
        x, y = points.mT.reshape(-1, count), pose.mT.reshape(-1, 17)
        x, y = x - x.mean(0), y - y.mean(0)
        return torch.linalg.solve(x.T @ x + penalty * torch.eye(count, dtype=x.dtype), x.T @ y).T
        """,
    "everywhere": """
        x, y = points.mT.reshape(-1, points.shape[1]), pose.mT.reshape(-1, 17)
        return torch.linalg.solve(x.T @ x + penalty, x.T @ y).T
        """,
    "nothing": "return None",
}
WRONG["found_again"] = {
    "angles": """
        one, other = (torch.nn.functional.normalize(x, dim=1) for x in (first, second))
        return ((one @ other.T).argmax(1) == torch.arange(len(first))).double().mean()
        """,
    "L1": "return (torch.cdist(first, second, 1).argmin(1) == torch.arange(len(first))).double().mean()",
    "five": """
        near = torch.cdist(first, second).topk(5, largest=False).indices
        return (near == torch.arange(len(first))[:, None]).any(1).double().mean()
        """,
    "of all": "return (torch.cdist(first, second).argmin() == torch.arange(len(first))).double().mean()",
    "in its own camera": ("return (torch.cdist(first, first).argmin(1) == torch.arange(len(first))).double().mean()"),
    "columns": "return (torch.cdist(first, second).argmin(0) == torch.arange(len(first))).double().mean()",
    "the farthest": "return (torch.cdist(first, second).argmax(1) == torch.arange(len(first))).double().mean()",
    "products": "return ((first @ second.T).argmax(1) == torch.arange(len(first))).double().mean()",
    "counted": "return (torch.cdist(first, second).argmin(1) == torch.arange(len(first))).sum()",
    "per cent": "return 100 * (torch.cdist(first, second).argmin(1) == torch.arange(len(first))).double().mean()",
    "each": "return torch.cdist(first, second).argmin(1) == torch.arange(len(first))",
    "nothing": "return None",
}

BRIGHT = """
    mean = image.mean({over}, keepdim=True){floor}
    return {said}
"""
BRIGHTENED = {"over": "(2, 3)", "floor": ".clamp_min(dark_camera.FLOOR)", "said": "image * (0.4 / mean)"}
WRONG["brighten"] = {
    slip: BRIGHT.format_map(BRIGHTENED | change)
    for slip, change in {
        "a colour cast": {"over": "(1, 2, 3)"},
        "the whole batch": {"over": "(0, 2, 3)"},
        "no floor": {"floor": ".clamp_min(1e-12)"},
        "cut off": {"said": "(image * (0.4 / mean)).clamp(0, 1)"},
        "added": {"floor": "", "said": "image + (0.4 - mean)"},
        "nothing": {"said": "None"},
    }.items()
}
WRONG["who_fires_together"] = {
    "the sum": "flat = features.flatten(2)\nreturn flat @ flat.mT",
    "by channels, too": "flat = features.flatten(2)\nreturn flat @ flat.mT / flat[0].numel()",
    "a covariance": "flat = features.flatten(2)\nflat = flat - flat.mean(-1, keepdim=True)\n"
    "return flat @ flat.mT / flat.shape[-1]",
    "cells with cells": "flat = features.flatten(2)\nreturn flat.mT @ flat / flat.shape[-1]",
    "nothing": "return None",
}
SIDED = """
    side = sides[{light}]
    if {training}:
        mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False)
        {moves}
    else:
        mean, var = side["mean"], side["var"]
    along = (slice(None), None, None)
    normal = (x - mean[along]) / (var[along] + 1e-5){root}
    return side["scale"][along] * normal + side["shift"][along]
"""
MOVED = "side['mean'] = 0.9 * side['mean'] + 0.1 * mean; side['var'] = 0.9 * side['var'] + 0.1 * x.var((0, 2, 3))"
SIDES = {"light": "light", "training": "training", "moves": MOVED, "root": ".sqrt()"}
WRONG["two_sided_norm"] = {
    slip: SIDED.format_map(SIDES | change)
    for slip, change in {
        "the other way round": {"light": "'bright' if light == 'dark' else 'dark'"},
        "one side": {"light": "'dark'"},
        "nothing moves": {"moves": "pass"},
        "running in training": {"training": "False"},
        "the batch at the test": {"training": "True"},
        "biased": {"moves": MOVED.replace("x.var((0, 2, 3))", "var")},
        "no root": {"root": ""},
        "moved by nine tenths": {"moves": MOVED.replace("0.9", "x").replace("0.1", "0.9").replace("x *", "0.1 *")},
    }.items()
}


FOURIER = """
    rows, columns = maps.shape[-2:]
    phi = torch.fft.rfft2({difference})
    down = {pi} * torch.fft.fftfreq(rows)
    across = {pi} * torch.fft.rfftfreq(columns)
    weight = torch.full((rows, len(across)), {twice})
    weight[:, 0] = {first}
    {last}
    if highest is not None:
        weight = weight * ({largest} {within} highest + 1e-6)
    return ({modulus} * weight).sum((-2, -1)){mean}
"""
WAVES = {
    "difference": "maps - target", "pi": "2 * torch.pi", "twice": "2.0", "within": "<=", "modulus": "phi.abs()",
    "last": "weight[:, -1] = 1.0 if columns % 2 == 0 else 2.0", "mean": " / weight.sum()", "first": "1.0",
    "largest": "torch.maximum(down.abs()[:, None], across[None])",
}  # fmt: skip
WRONG["cf_by_fourier"] = {
    slip: FOURIER.format_map(WAVES | change)
    for slip, change in {
        "once": {"twice": "1.0", "last": "weight[:, -1] = 1.0"},
        "the last twice": {"last": "pass"},
        "a sum": {"mean": ""},
        "squared": {"modulus": "phi.abs() ** 2"},
        "real": {"modulus": "phi.real.abs()"},
        "parts": {"modulus": "(phi.real.abs() + phi.imag.abs())"},
        "cycles": {"pi": "1"},
        "high ones": {"within": ">="},
        "one number": {"mean": ".mean() / weight.sum()"},
        "column 0 twice": {"first": "2.0"},
        "the last once": {"last": "weight[:, -1] = 1.0"},
        "over all cells": {"mean": " / (rows * columns)"},
        "a circle": {"largest": "torch.hypot(down[:, None], across[None])"},
        "moduli first": {"modulus": "(torch.fft.rfft2(maps).abs() - torch.fft.rfft2(target).abs()).abs()"},
        "the prediction alone": {"difference": "maps"},
    }.items()
}
WRONG["cf_by_fourier"]["no T"] = FOURIER.format_map(WAVES).replace("if highest is not None", "if False")
WRONG["half_or_lost"] = {
    "not squared": "return 1 - 1 / people",
    "what is missing": "return 1 / people**0.5",
    "the other square": "return (1 - 1 / people) ** 0.5",
    "a mean": "return 0.0",
    "a half": "return 0.5",
    "nothing": "return None",
}
TOGETHER = """
    whose = torch.full(tags.shape, -1)
    groups = []
    for joint in range(len(tags)):
        {means}
        free = set(range(len(groups)))
        for peak in range(tags.shape[1]):
            if {absent}:
                continue
            tag = tags[joint, peak].item()
            best = min({free}, key=lambda group: abs(tag - means[group]), default=None)
            if best is None{far}:
                best = len(groups)
                groups.append([])
            free.discard(best)
            groups[best].append(tag)
            whose[joint, peak] = best
    return whose
"""
ALIKE = {
    "means": "means = [sum(members) / len(members) for members in groups]", "absent": "heights[joint, peak] == 0",
    "free": "free", "far": " or abs(tag - means[best]) >= threshold",
}  # fmt: skip
WRONG["put_together"] = {
    slip: TOGETHER.format_map(ALIKE | change)
    for slip, change in {
        "two elbows": {"free": "range(len(means))"},
        "faint": {"absent": "False"},
        "never a new one": {"far": ""},
        "the first tag": {"means": "means = [members[0] for members in groups]"},
        "the last tag": {"means": "means = [members[-1] for members in groups]"},
        "always a new one": {"far": " or True"},
        "taken is new": {
            "free": "range(len(means))",
            "far": " or best not in free or abs(tag - means[best]) >= threshold",
        },
        "at the threshold": {"far": " or abs(tag - means[best]) > threshold"},
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
def test_every_check_answers_by_card(name, monkeypatch, capsys):
    """Where somebody reads along, an untouched stub is no error."""
    monkeypatch.setattr(rerun, "in_a_page", lambda: True)
    attempt(name, f"raise NotImplementedError({exercises_display.STUB!r})")
    assert "your turn" in capsys.readouterr().out


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


DIAGNOSED = {
    ("fixed_point", "x and seen share"): """
        x = seen
        for _ in range(steps):
            x += seen - distortion.distort(x, lens)
        return x
        """,
    ("fixed_point", "distort the newest x"): """
        x = seen
        for _ in range(steps):
            x = x + (seen - distortion.distort(seen, lens))
        return x
        """,
    (
        "fixed_point",
        "only the first correction",
    ): "return seen + (seen - distortion.distort(seen, lens)) * min(steps, 1)",
    ("residual_slice", "the dilation is left out"): """
        lost = width - 1
        return x[..., lost:] if causal else x[..., lost // 2 : x.shape[-1] - lost // 2]
        """,
    ("reprojection", "add the root before you divide"): (
        "return ((pose[..., :2] / pose[..., 2:]).clamp(-1, 1) * focal + centre - keypoints).norm(dim=-1).mean()"
    ),
    ("reprojection", "the focal length is left out"): (
        BACK + "return (plane.clamp(-1, 1) + centre - keypoints).norm(dim=-1).mean()"
    ),
    ("reprojection", "the centre is left out"): WRONG["reprojection"]["no principal point"],
    ("reprojection", "distances are squared"): WRONG["reprojection"]["squares"],
    ("reprojection", "runs over coordinates"): WRONG["reprojection"]["a mean over coordinates"],
    ("reprojection", "squares are averaged"): BACK + "return (seen - keypoints).square().mean()",
    ("reprojection", "added up"): WRONG["reprojection"]["a sum"],
    ("reprojection", "make one distance"): BACK + "return (seen - keypoints).norm()",
    ("one_round", "critic's part is missing"): WRONG["one_round"]["no critic"],
    ("one_round", "3D loss is missing"): WRONG["one_round"]["no 3D"],
    ("along_the_rays", "as far away as the root"): WRONG["along_the_rays"]["flat"],
    ("two_worlds", "turned the same way"): WRONG["two_worlds"]["the same way"],
    ("take_turns", "what the lifter's loss left was kept"): WRONG["take_turns"]["gradients are left"],
    ("six_numbers", "rows, not columns"): WRONG["six_numbers"]["rows"],
    ("six_numbers", "columns interleaved"): WRONG["six_numbers"]["interleaved"],
    ("six_numbers", "still leans"): WRONG["six_numbers"]["leaning"],
    ("six_numbers", "a reflection"): WRONG["six_numbers"]["reflection"],
    ("place_the_camera", "which noise makes too large"): WRONG["place_the_camera"]["sizes"],
    ("place_the_camera", "not centred first"): WRONG["place_the_camera"]["not centred"],
    ("place_the_camera", "forgot the enlargement"): WRONG["place_the_camera"]["shift"],
    ("place_the_camera", "dots were mapped to points"): WRONG["place_the_camera"]["the other way"],
    ("forgive", "the plain square"): WRONG["forgive"]["the square"],
    ("forgive", "bounded by 1"): WRONG["forgive"]["bounded by one"],
    ("forgive", "distance was not squared"): WRONG["forgive"]["not squared"],
    ("forgive", "scale was not squared"): WRONG["forgive"]["scale not squared"],
    ("pull", "prior has no part"): WRONG["pull"]["no prior"],
    ("pull", "not divided by two sigma squared"): WRONG["pull"]["no sigma"],
    ("pull", "rho is missing"): WRONG["pull"]["the plain square"],
    ("pull", "shape and camera are the same"): WRONG["pull"]["no copies"],
    ("pull", "the start is missing"): WRONG["pull"]["the start is missing"],
    ("pull", "the last step is missing"): WRONG["pull"]["one step too few"],
    ("pull", "expected a list of Parameters"): WRONG["pull"]["the last alone"],
    ("random_tries", "expected number of tries"): WRONG["random_tries"]["the expected number"],
    ("random_tries", "certainty / share"): WRONG["random_tries"]["certainty by share"],
    ("random_tries", "logarithm of the certainty"): WRONG["random_tries"]["of the certainty"],
    ("policy", "sign is turned"): WRONG["policy"]["the sign"],
    ("policy", "no baseline"): WRONG["policy"]["no baseline"],
    ("policy", "one baseline serves all"): WRONG["policy"]["one baseline"],
    ("policy", "not by its square"): WRONG["policy"]["no square"],
    ("policy", "variance is missing"): WRONG["policy"]["no variance"],
    ("policy", "averaged over agents"): WRONG["policy"]["over agents, too"],
    ("policy", "has no gradient"): WRONG["policy"]["no gradient"],
    ("side_may_grow", "the mean, or one failing sample"): WRONG["side_may_grow"]["the mean"],
    ("side_may_grow", "what is inside already failed"): WRONG["side_may_grow"]["inside"],
    ("side_may_grow", "do not spread"): WRONG["side_may_grow"]["a corner"],
    ("side_may_grow", "spread over the slab"): WRONG["side_may_grow"]["one face"],
    ("side_may_grow", "never asked"): WRONG["side_may_grow"]["nobody was asked"],
    ("own_search", "smallest errors were kept"): WRONG["own_search"]["the smallest"],
    ("own_search", "leave the cube"): WRONG["own_search"]["out of the cube"],
    ("own_search", "the control has no more"): WRONG["own_search"]["too many questions"],
    ("own_search", "the last step alone"): WRONG["own_search"]["worst of the last step"],
    ("own_search", "expected two places"): WRONG["own_search"]["the mean alone"],
    ("brighten", "a colour cast stays"): WRONG["brighten"]["a colour cast"],
    ("brighten", "each picture has its own"): WRONG["brighten"]["the whole batch"],
    ("brighten", "use the floor"): WRONG["brighten"]["no floor"],
    ("brighten", "cut off at 1"): WRONG["brighten"]["cut off"],
    ("brighten", "added, not multiplied"): WRONG["brighten"]["added"],
    ("who_fires_together", "not their mean"): WRONG["who_fires_together"]["the sum"],
    ("who_fires_together", "by the channels, too"): WRONG["who_fires_together"]["by channels, too"],
    ("who_fires_together", "that is a covariance"): WRONG["who_fires_together"]["a covariance"],
    ("two_sided_norm", "wrong way round"): WRONG["two_sided_norm"]["the other way round"],
    ("two_sided_norm", "both lights use one side"): WRONG["two_sided_norm"]["one side"],
    ("two_sided_norm", "do not move in training"): WRONG["two_sided_norm"]["nothing moves"],
    ("two_sided_norm", "running values were used in training"): WRONG["two_sided_norm"]["running in training"],
    ("two_sided_norm", "used at the test, too"): WRONG["two_sided_norm"]["the batch at the test"],
    ("two_sided_norm", "took the biased one"): WRONG["two_sided_norm"]["biased"],
    ("into_the_other", "from the second camera into the first"): WRONG["into_the_other"]["back"],
    ("into_the_other", "in the world now"): WRONG["into_the_other"]["the world"],
    ("into_the_other", "taken for world directions"): WRONG["into_the_other"]["from the world"],
    ("into_the_other", "first camera's matrix was used the wrong"): WRONG["into_the_other"]["first transposed"],
    ("into_the_other", "second camera's matrix was used the wrong"): WRONG["into_the_other"]["second transposed"],
    ("hand_over", "were not turned"): WRONG["hand_over"]["not turned"],
    ("hand_over", "stayed with their own camera"): WRONG["hand_over"]["not exchanged"],
    ("hand_over", "own camera were turned"): WRONG["hand_over"]["own points"],
    ("hand_over", "turned the wrong way"): WRONG["hand_over"]["the wrong way"],
    ("hand_over", "by the same rotation"): WRONG["hand_over"]["one rotation"],
    ("hand_over", "moments were exchanged, too"): WRONG["hand_over"]["other moments"],
    ("hand_over", "in the world's frame"): WRONG["hand_over"]["the world"],
    ("hand_over", "of the same moment"): WRONG["hand_over"]["same moment"],
    ("hand_over", "of the same camera"): WRONG["hand_over"]["same camera"],
    ("hand_over", "was not exchanged"): WRONG["hand_over"]["own appearance"],
    ("turning_head", "penalty is missing"): WRONG["turning_head"]["no penalty"],
    ("turning_head", "once a photo"): WRONG["turning_head"]["once a photo"],
    ("turning_head", "penalty was squared"): WRONG["turning_head"]["squared"],
    ("turning_head", "only the first axis"): WRONG["turning_head"]["one axis"],
    ("turning_head", "a shift does not turn"): WRONG["turning_head"]["centred"],
    ("turning_head", "mixed points and axes"): WRONG["turning_head"]["reshaped"],
    ("turning_head", "weights are transposed"): WRONG["turning_head"]["transposed"],
    ("found_again", "in its own camera"): WRONG["found_again"]["in its own camera"],
    ("found_again", "rows belong to the first"): WRONG["found_again"]["columns"],
    ("found_again", "the farthest was taken"): WRONG["found_again"]["the farthest"],
    ("found_again", "the largest product"): WRONG["found_again"]["products"],
    ("found_again", "not their share"): WRONG["found_again"]["counted"],
    ("found_again", "per cent"): WRONG["found_again"]["per cent"],
    ("found_again", "cosine"): WRONG["found_again"]["angles"],
    ("found_again", "L1"): WRONG["found_again"]["L1"],
    ("found_again", "nearest five"): WRONG["found_again"]["five"],
    ("found_again", "argmin has no dimension"): WRONG["found_again"]["of all"],
    ("turning_head", "once an equation"): WRONG["turning_head"]["once an equation"],
    ("turning_head", "on the diagonal"): WRONG["turning_head"]["everywhere"],
    ("hand_over", "overwritten"): WRONG["hand_over"]["overwritten"],
    ("into_the_other", "not turned"): WRONG["into_the_other"]["as they were"],
    ("through_the_lens", "a pinhole's picture"): WRONG["through_the_lens"]["a pinhole"],
    ("through_the_lens", "an equidistant lens"): WRONG["through_the_lens"]["equidistant"],
    ("through_the_lens", "half of the angle"): WRONG["through_the_lens"]["not halved"],
    ("through_the_lens", "factor 2 is missing"): WRONG["through_the_lens"]["not doubled"],
    ("through_the_lens", "a unit direction first"): WRONG["through_the_lens"]["no direction"],
    ("through_the_lens", "beyond 90 degrees"): WRONG["through_the_lens"]["to 90 degrees"],
    ("fill_the_cube", "cuts towards zero"): WRONG["fill_the_cube"]["cut, not floored"],
    ("fill_the_cube", "LENS.edge is missing"): WRONG["fill_the_cube"]["no edge"],
    ("fill_the_cube", "indexed x, y, z"): WRONG["fill_the_cube"]["x, y, z"],
    ("fill_the_cube", "taken for depth along the axis"): WRONG["fill_the_cube"]["depth along the axis"],
    ("fill_the_cube", "u and v are exchanged"): WRONG["fill_the_cube"]["rows and columns"],
    ("fill_the_cube", "an equidistant one"): WRONG["fill_the_cube"]["equidistant"],
    ("fill_the_cube", "the hole was filled in"): WRONG["fill_the_cube"]["the hole too"],
    ("fill_the_cube", "outside the image circle was"): WRONG["fill_the_cube"]["the corners too"],
    ("fill_the_cube", "were not moved"): WRONG["fill_the_cube"]["not moved"],
    ("fill_the_cube", "their centres are meant"): WRONG["fill_the_cube"]["corners of pixels"],
    ("fill_the_cube", "instead of n"): WRONG["fill_the_cube"]["corners of cells"],
    ("fill_the_cube", "moved to the border"): WRONG["fill_the_cube"]["at the border"],
    ("until_it_stands", "the other foot stands"): WRONG["until_it_stands"]["the other foot"],
    ("until_it_stands", "not SOLE metres above"): WRONG["until_it_stands"]["no sole"],
    ("until_it_stands", "moved down, not grown"): WRONG["until_it_stands"]["moved"],
    ("until_it_stands", "the camera is tilted"): WRONG["until_it_stands"]["z"],
    ("until_it_stands", "the mean of both"): WRONG["until_it_stands"]["the mean"],
    ("half_or_lost", "without squaring"): WRONG["half_or_lost"]["not squared"],
    ("half_or_lost", "what is missing of each"): WRONG["half_or_lost"]["what is missing"],
    ("half_or_lost", "taken for"): WRONG["half_or_lost"]["the other square"],
    ("half_or_lost", "mean over people"): WRONG["half_or_lost"]["a mean"],
    ("cf_by_fourier", "counts once"): WRONG["cf_by_fourier"]["once"],
    ("cf_by_fourier", "last column counts twice"): WRONG["cf_by_fourier"]["the last twice"],
    ("cf_by_fourier", "not the mean"): WRONG["cf_by_fourier"]["a sum"],
    ("cf_by_fourier", "that is L2 again"): WRONG["cf_by_fourier"]["squared"],
    ("cf_by_fourier", "real part alone"): WRONG["cf_by_fourier"]["real"],
    ("cf_by_fourier", "taken for the modulus"): WRONG["cf_by_fourier"]["parts"],
    ("cf_by_fourier", "without 2 pi"): WRONG["cf_by_fourier"]["cycles"],
    ("cf_by_fourier", "T was not looked at"): WRONG["cf_by_fourier"]["no T"],
    ("cf_by_fourier", "mean over maps"): WRONG["cf_by_fourier"]["one number"],
    ("cf_by_fourier", "column 0 counts twice"): WRONG["cf_by_fourier"]["column 0 twice"],
    ("cf_by_fourier", "odd number of columns"): WRONG["cf_by_fourier"]["the last once"],
    ("cf_by_fourier", "not over all cells"): WRONG["cf_by_fourier"]["over all cells"],
    ("cf_by_fourier", "inside a circle"): WRONG["cf_by_fourier"]["a circle"],
    ("put_together", "two right elbows"): WRONG["put_together"]["two elbows"],
    ("put_together", "are no peaks"): WRONG["put_together"]["faint"],
    ("put_together", "however far"): WRONG["put_together"]["never a new one"],
    ("put_together", "first tag"): WRONG["put_together"]["the first tag"],
    ("put_together", "last tag"): WRONG["put_together"]["the last tag"],
    ("put_together", "nearest that is free"): WRONG["put_together"]["taken is new"],
    ("put_together", "too far already"): WRONG["put_together"]["at the threshold"],
}


@pytest.mark.parametrize("name, said", DIAGNOSED)
def test_a_common_mistake_is_called_by_its_name(name, said):
    with pytest.raises(AssertionError, match=said):
        attempt(name, DIAGNOSED[name, said])


WRONG["fit_template"] = {
    "not a step": "return start",
    "the loss": "return anchor_loss(start)",
    "nothing": "return None",
    "no number": "return start * float('nan')",
}

RIGHT = {
    "into_the_other": "return torch.einsum('ij,kj,nk->ni', second, first, points)",
    "hand_over": HANDED.format_map(HANDING),
    "turning_head": """
        x, y = torch.cat(points.unbind(-1)), torch.cat(pose.unbind(-1))
        count = points.shape[1]
        x = torch.cat([x, penalty**0.5 * torch.eye(count, dtype=x.dtype)])
        y = torch.cat([y, y.new_zeros(count, 17)])
        return torch.linalg.lstsq(x, y).solution.T
        """,
    "found_again": """
        hits = 0
        for row, latent in enumerate(first):
            hits += int((second - latent).norm(dim=-1).argmin()) == row
        return hits / len(first)
        """,
    "six_numbers": """
        a, b = six.unflatten(-1, (2, 3)).unbind(-2)
        third = torch.linalg.cross(a, b)
        columns = [a, torch.linalg.cross(third, a), third]
        return torch.stack([column / column.norm(dim=-1, keepdim=True) for column in columns], -1)
        """,
    "place_the_camera": """
        ones, none = torch.ones(17), torch.zeros(17)
        rows = [torch.stack([points[:, 0], ones, none], 1), torch.stack([points[:, 1], none, ones], 1)]
        return torch.linalg.lstsq(torch.cat(rows), dots.T.reshape(-1, 1)).solution[:, 0]
        """,
    "forgive": "return 1 / (1 / scale**2 + 1 / distance**2)",
    "pull": PULL.format_map(
        PULLED
        | {
            "off": "(0.81 * square / (0.81 + square)).sum(-1) * 1250",
            "down": "for one in (off, prior * unlikely):\n            one.sum().backward(retain_graph=True)",
            "path": "tuple(path)",
        }
    ),
    "random_tries": """
        tries = 1
        while (1 - share) ** tries > 1 - certainty:
            tries += 1
        return tries
        """,
    "policy": """
        density = torch.distributions.Normal(mean, std).log_prob(asked).sum(-1)
        return ((errors.mean(0) - errors) * density).mean(0).sum()
        """,
    "side_may_grow": """
        bottom, top = low.clone(), high.clone()
        bottom[axis], top[axis] = high[axis], high[axis] + step
        return (errors(torch.distributions.Uniform(bottom, top).sample((20,))) > threshold).all()
        """,
    "own_search": """
        mean, width, found = start, 0.4 * torch.ones(len(start)), []
        for _ in range(steps):
            asked = torch.normal(mean.expand(samples, -1), width.expand(samples, -1)).clip(-1, 1)
            said = errors(asked)
            order = said.argsort(descending=True)
            best = asked[order[: max(2, samples // 4)]]
            mean, width = 0.2 * mean + 0.8 * best.mean(0), best.std(0).clip(min=0.05)
            found.append((said[order[0]].item(), asked[order[0]]))
        return [mean, max(found, key=lambda one: one[0])[1]]
        """,
    "brighten": "return torch.stack([0.4 * one / one.mean((1, 2))[:, None, None].clip(min=dark_camera.FLOOR)"
    " for one in image])",
    "who_fires_together": "return torch.einsum('bcyx,bdyx->bcd', features, features) / features[0, 0].numel()",
    "two_sided_norm": """
        side = sides[light]
        return torch.nn.functional.batch_norm(x, *side.values(), training)
        """,
    "through_the_lens": LENS_OF_13.format(radius="2 * torch.sin(angle / 2)", towards="flat"),
    "fill_the_cube": CUBE.format_map(CUBED),
    "until_it_stands": STANDING.format_map(
        STOOD | {"grown": "torch.einsum('jk,->jk', pose, ((height - SOLE) / below).amin())"}
    ),
    "half_or_lost": "return torch.tensor(1 - people**-0.5, dtype=torch.float64)",
    "cf_by_fourier": """
        rows, columns = maps.shape[-2:]
        phi = torch.fft.fft2(maps - target).abs()
        down, across = (2 * torch.pi * torch.fft.fftfreq(n).abs() for n in (rows, columns))
        top = 10 if highest is None else highest + 1e-6
        kept = (down[:, None] <= top) & (across[None] <= top)
        return (phi * kept).sum((-2, -1)) / kept.sum()
        """,
    "put_together": TOGETHER.format_map(ALIKE | {"absent": "not heights[joint, peak] > 0"}),
    "along_the_rays": "return torch.stack([*((seen * (1 + depth[..., None] / distance)).unbind(-1)), depth], -1)",
    "walk_round": "return (tilt(before) @ about_vertical(-azimuth) @ tilt(-after)).mT",
    "one_round": """
        pose = lifter(seen)
        again = look(torch.einsum("bij,bkj->bki", turn, pose), lifter.distance)
        both = torch.stack(cycle_losses(lifter, seen, pose, again, turn)).sum()
        return CYCLE_WEIGHT * both + CRITIC_WEIGHT * believes(critic, again), again
        """,
    "two_worlds": """
        one = look((pose * pose.new_tensor([1, 1, -1])) @ about_vertical(-azimuth), distance)
        other = look(pose @ about_vertical(azimuth), distance)
        return ((one - other) ** 2).sum(-1).amax().sqrt()
        """,
    "take_turns": TURNS.format_map(TAKEN | {"said": "list(values)"}),
    "training_step": STEP.replace("(integral", "torch.nn.functional.l1_loss(integral").replace(
        " - target).abs().mean()", ", target)"
    ),
    "soft_argmax": """
        p = torch.exp(logits - logits.amax(-1, keepdim=True))
        p = p / p.sum(-1, keepdim=True)
        cells = logits.shape[-1]
        return (2 * (p @ torch.arange(cells, dtype=logits.dtype)) + 1) / cells - 1
        """,
    "gradient": """
        place = (2 * torch.arange(len(logits), dtype=logits.dtype) + 1) / len(logits) - 1
        p = torch.softmax(logits, 0)
        return (torch.diag(p) - torch.outer(p, p)) @ place
        """,
    "half_pixel": "return (2 * ((x + 1) * cells / 2) + 1) / cells - 1",
    "gaussian_cube": """
        factors = []
        for place, n in zip(cell, reversed(shape)):
            offset = torch.arange(n) - place
            factors.append(torch.exp(-(offset**2) / 2) * (offset.abs() <= 5))
        x, y, z = factors
        return torch.einsum("z,y,x->zyx", z, y, x) / math.sqrt(2 * math.pi)
        """,
    "bce_floor": "return torch.nn.functional.binary_cross_entropy(target, target, reduction='sum')",
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
    "moved_gaussian": "return mean + shift, torch.einsum('ij,jk,lk->il', linear, covariance, linear)",
    "spring_loss": "return torch.linalg.vector_norm(first - second, dim=-1).square().sum() / 12",
    "fence": "return (torch.relu(anchors - 1) + torch.relu(-anchors - 1)).sum() / 3",
    "fit_template": """
        affines = torch.nn.Parameter(start.clone())
        optimiser = torch.optim.RMSprop([affines], lr=0.003)
        for _ in range(200):
            different = (checks.silhouette(part_maps(affines, len(target))) - target).abs().mean()
            (slope,) = torch.autograd.grad(different + ANCHOR_WEIGHT * anchor_loss(affines), affines)
            affines.grad = slope
            optimiser.step()
        return affines
        """,
    "target_map": """
        offset = heatmaps.to_cells(point, cells)
        index = torch.arange(cells, dtype=point.dtype)
        return torch.outer(*(torch.exp(-(((index - o) / sigma) ** 2) / 2) for o in (offset[1], offset[0])))
        """,
    "quarter": """
        peak = row.argmax()
        if peak == 0 or peak == len(row) - 1 or row[peak - 1] == row[peak + 1]:
            return peak
        return peak + 0.25 if row[peak + 1] > row[peak - 1] else peak - 0.25
        """,
    "soft_place": """
        p = torch.exp(logits - logits.max())
        p = p / p.sum()
        places = [heatmaps.cell_centres(n, logits) for n in logits.shape]
        grid = torch.stack(torch.meshgrid(*places, indexing="ij")).flip(0)
        place = (grid * p).sum((-2, -1))
        return place, p * (grid - place[:, None, None])
        """,
    "dark_step": "return heatmaps.to_cells(heatmaps.dark(cells), 5)",
    "likelihood": "return -torch.distributions.Laplace(mu, sigma / 2**0.5).log_prob(target).sum(-1).mean()",
    "receptive_field": """
        if not dilated:
            return sum(widths) - len(widths) + 1
        return int(np.prod(widths))
        """,
    "residual_slice": """
        seen = x.unfold(-1, (width - 1) * dilation + 1, 1)
        return seen[..., -1] if causal else seen[..., (seen.shape[-1] - 1) // 2]
        """,
    "reprojection": """
        x, y, z = (pose + root).unbind(-1)
        seen = torch.stack([torch.clamp(v / z, min=-1, max=1) for v in (x, y)], -1)
        return torch.linalg.vector_norm(torch.addcmul(centre, seen, focal) - keypoints, dim=-1).mean()
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
