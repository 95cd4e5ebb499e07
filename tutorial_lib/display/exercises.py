"""What every check says when an answer is of another kind than expected, or differs."""

import torch


def tensor(got: object, what: str, hint: str) -> torch.Tensor:
    """The answer, if it is a tensor.

    Raises:
        AssertionError: it is none; says what came, and the hint.
    """
    assert isinstance(got, torch.Tensor), f"{what}: expected a tensor, got {type(got).__name__}. Hint: {hint}"
    return got


def number(got: object, what: str, hint: str) -> float:
    """The answer, if it is one number or a tensor of one.

    Raises:
        AssertionError: it is none; says what came, and the hint.
    """
    one = isinstance(got, int | float) or (isinstance(got, torch.Tensor) and got.numel() == 1)
    assert one, f"{what}: expected one number, got {type(got).__name__}. Hint: {hint}"
    return float(got)


def compare(got: object, expected: torch.Tensor, what: str, hint: str, tolerance: float = 1e-6) -> None:
    """Refuse anything but a tensor of the expected shape and values.

    Args:
        got: what the student's function returned, which may be anything.
        expected: the right values, in any shape.
        what: the case that was tried; the message begins with it.
        hint: what to think of if it is wrong.
        tolerance: the largest difference that is no mistake.

    Raises:
        AssertionError: says what was expected, what came, and the hint.
    """
    got = tensor(got, what, hint)
    assert got.shape == expected.shape, (
        f"{what}: expected shape {tuple(expected.shape)}, got {tuple(got.shape)}. Hint: {hint}"
    )
    worst = (got - expected).abs().max().item()
    assert worst <= tolerance, f"{what}: off by up to {worst:.3g} (allowed {tolerance:g}). Hint: {hint}"
