"""What every check says when tensors differ."""

import torch


def compare(got, expected: torch.Tensor, what: str, hint: str, tolerance: float = 1e-6) -> None:
    """Refuse anything but a tensor of the expected shape and values.

    Raises:
        AssertionError: says what was expected, what came, and the hint.
    """
    assert isinstance(got, torch.Tensor), f"{what}: expected a tensor, got {type(got).__name__}. Hint: {hint}"
    assert got.shape == expected.shape, (
        f"{what}: expected shape {tuple(expected.shape)}, got {tuple(got.shape)}. Hint: {hint}"
    )
    worst = (got - expected).abs().max().item()
    assert worst <= tolerance, f"{what}: off by up to {worst:.3g} (allowed {tolerance:g}). Hint: {hint}"
