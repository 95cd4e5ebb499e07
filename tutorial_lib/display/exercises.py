"""What every check says when tensors differ."""

import torch


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
    assert isinstance(got, torch.Tensor), f"{what}: expected a tensor, got {type(got).__name__}. Hint: {hint}"
    assert got.shape == expected.shape, (
        f"{what}: expected shape {tuple(expected.shape)}, got {tuple(got.shape)}. Hint: {hint}"
    )
    worst = (got - expected).abs().max().item()
    assert worst <= tolerance, f"{what}: off by up to {worst:.3g} (allowed {tolerance:g}). Hint: {hint}"
