"""One training in several processes, as torchrun starts them: who draws what, and how they stay one network.

In a single process, which is how the course runs, every function here does nothing.
"""

import os
from collections.abc import Iterable

import torch
from torch import distributed


def count() -> int:
    """How many processes train together."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def is_first() -> bool:
    """Whether this process is the one that validates, prints and writes."""
    return count() == 1 or distributed.get_rank() == 0


def join() -> None:
    """Join the processes that torchrun started beside this one; each takes the GPU of its number, if there is one."""
    if "TORCHELASTIC_RUN_ID" in os.environ and count() == 1:
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        distributed.init_process_group()  # NCCL for what lies on GPUs, Gloo for the rest


def share(batch: int) -> slice:
    """This process's part of a batch that all processes draw alike.

    Raises:
        ValueError: the batch cannot be divided evenly; then the mean of the means would not be the mean.
    """
    if batch % count():
        raise ValueError(f"batch is {batch}, which {count()} processes cannot share: expected a multiple of {count()}")
    part = batch // count()
    first = 0 if count() == 1 else distributed.get_rank() * part
    return slice(first, first + part)


def average(tensors: Iterable[torch.Tensor]) -> None:
    """Replace floating-point tensors by their means over the processes: one message for all of them."""
    if count() > 1:
        tensors = [tensor for tensor in tensors if tensor.is_floating_point() and tensor.numel()]
        flat = torch.cat([tensor.detach().flatten() for tensor in tensors])
        distributed.all_reduce(flat)
        flat /= count()
        with torch.no_grad():
            for tensor, mean in zip(tensors, flat.split([tensor.numel() for tensor in tensors])):
                tensor.copy_(mean.reshape(tensor.shape))


def follow(tensors: Iterable[torch.Tensor]) -> None:
    """Replace tensors by the first process's; the others wait for it."""
    if count() > 1:
        for tensor in tensors:
            distributed.broadcast(tensor, 0)


def agreed(value: float) -> float:
    """The first process's value, in all of them: who decides otherwise would wait for the others for ever."""
    told = torch.tensor(value, dtype=torch.float64)
    follow([told])
    return told.item()
