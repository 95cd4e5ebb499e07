"""From the device to the picture: everything that is drawn comes over at once."""

from collections.abc import Callable
from typing import Any

import torch


def fetch(arrays: Any) -> Any:
    """The same dicts, lists and tuples, every tensor in them on the CPU: one transfer for each type of number.

    A transfer waits for the GPU, so ten small ones are ten waits. Anything that is no tensor is passed on as it is.
    """
    found: dict[tuple, list[torch.Tensor]] = {}
    _replace(arrays, lambda tensor: found.setdefault((tensor.device, tensor.dtype), []).append(tensor))
    here = {}
    for kind, tensors in found.items():
        flat = torch.cat([tensor.detach().flatten() for tensor in tensors]).cpu()
        pieces = flat.split([tensor.numel() for tensor in tensors])
        here[kind] = iter([piece.reshape(tensor.shape) for piece, tensor in zip(pieces, tensors)])
    return _replace(arrays, lambda tensor: next(here[tensor.device, tensor.dtype]))


def _replace(arrays: Any, change: Callable[[torch.Tensor], Any]) -> Any:
    """`arrays` with every tensor changed, always in the same order."""
    if isinstance(arrays, torch.Tensor):
        return change(arrays)
    if isinstance(arrays, dict):
        return {key: _replace(value, change) for key, value in arrays.items()}
    if type(arrays) in (list, tuple):
        return type(arrays)(_replace(value, change) for value in arrays)
    return arrays
