"""One small training loop: progress bar, seeds, an early interrupt that keeps the best weights."""

import copy
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import torch
from torch import nn
from tqdm.auto import tqdm

from tutorial_lib import processes
from tutorial_lib.locking import MODEL_LOCK, gradients_on, interrupts_later


def resolve_device(device: str = "auto") -> torch.device:
    """Find the device; "auto" is CUDA where there is one, else the CPU.

    The one place that decides. An Apple GPU (mps) is not used: it computes in single precision only, and undistorting
    works in double.

    Raises:
        ValueError: an unknown name, or a CUDA device where there is none.
    """
    if str(device).split(":")[0] == "mps":
        raise ValueError(f"device is {device!r}, which the course does not use: take 'auto' or 'cpu'")
    if str(device).split(":")[0] not in ("auto", "cpu", "cuda"):
        raise ValueError(f"device is {device!r}, expected 'auto', 'cpu' or 'cuda'")
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if str(device).startswith("cuda") and not torch.cuda.is_available():
        raise ValueError(f"device is {device!r} but this machine has no CUDA device: use 'auto' or 'cpu'")
    return torch.device(device)


@dataclass
class History:
    """What a run of `fit` measured.

    Attributes:
        loss: training loss of every step.
        checks: (step, validation value) pairs.
        best: the smallest validation value, and `best_step` when it was seen.
        interrupted: whether the student stopped it.
    """

    loss: list[float] = field(default_factory=list)
    checks: list[tuple[int, float]] = field(default_factory=list)
    best: float = float("inf")
    best_step: int = -1
    interrupted: bool = False

    def whole(self, label: str) -> "History":
        """This history, if nobody stopped the training: half a one on disk would be taken for finished.

        Args:
            label: of the training, for the message.

        Raises:
            KeyboardInterrupt: somebody stopped it.
        """
        if self.interrupted:
            raise KeyboardInterrupt(f"{label} was stopped")
        return self


def fit(
    model: nn.Module,
    loss: Callable[[int], torch.Tensor],
    steps: int,
    *,
    rate: float = 1e-3,
    final_rate: float = 1e-5,
    validate: Callable[[], float] | None = None,
    every: int = 500,
    clip: float | None = 1.0,
    label: str = "training",
    progress: bool = True,
) -> History:
    """Train `model` in place with Adam (amsgrad) and a cosine schedule; it ends with its best weights.

    In several processes (see `processes`) each computes the loss of its share of the batch; gradients and losses are
    averaged, so the result is that of one process with the whole batch. Only batch norm in training mode normalises by
    the share alone, as is usual; its running statistics are averaged. The first process validates.

    Args:
        model: its parameters are optimised; put it in train or eval mode yourself.
        loss: step number -> scalar to minimise (it draws its own batch).
        steps: number of updates.
        rate: first learning rate.
        final_rate: last learning rate.
        validate: called every `every` steps and at the end; smaller is better. Without it the last weights stay.
        every: steps from one validation to the next.
        clip: largest norm of the gradient.
        label: what the bar says.
        progress: show a bar.

    Returns:
        The history. A keyboard interrupt ends the loop early, keeps the best weights and sets `interrupted`; in several
        processes it is passed on, because the others cannot know of it.

    Raises:
        ValueError: steps below 1, or a loss that is not finite (it names the step; the best weights are kept).
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}, expected at least 1")
    if every < 1:
        raise ValueError(f"every is {every}, expected a validation every 1 or more steps")
    with interrupts_later():  # the first optimiser of a process imports torch's compiler
        # Fused: one pass over the weights, not ten. A step of the lifter of 1024 channels takes 10 to 20 % less time.
        optimiser = torch.optim.Adam(model.parameters(), lr=rate, amsgrad=True, fused=True)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps, eta_min=final_rate)
    history, best = History(), None
    processes.follow(model.state_dict().values())  # they are the model's own tensors
    bar = tqdm(range(steps), desc=label, disable=not (progress and processes.is_first()), mininterval=0.5)
    try:
        for step in bar:
            MODEL_LOCK.let_others()
            with MODEL_LOCK, gradients_on():
                optimiser.zero_grad(set_to_none=True)
                value = loss(step)
                if value.numel() != 1:
                    raise ValueError(f"loss returned shape {tuple(value.shape)} at step {step}, expected one number")
                value.backward()
                processes.average([p.grad for p in model.parameters() if p.grad is not None] + [value.detach()])
                if clip is not None:
                    nn.utils.clip_grad_norm_(model.parameters(), clip)
                current = value.item()
                if not math.isfinite(current):
                    raise ValueError(f"the loss is {current} at step {step}: lower rate={rate} or look at the data")
                optimiser.step()
                schedule.step()
                history.loss.append(current)
                if validate is not None and (step % every == every - 1 or step == steps - 1):
                    processes.average(model.buffers())
                    with torch.no_grad():
                        checked = processes.agreed(float(validate()) if processes.is_first() else 0.0)
                    if not math.isfinite(checked):
                        raise ValueError(f"validate returned {checked} at step {step}: look at the validation data")
                    history.checks.append((step + 1, checked))
                    if checked < history.best:
                        history.best, history.best_step = checked, step + 1
                        best = copy.deepcopy(model.state_dict())
                    bar.set_postfix_str(f"loss {current:.4f}, validation {checked:.4f}", refresh=False)
    except KeyboardInterrupt:
        if processes.count() > 1:
            raise
        history.interrupted = True
    finally:
        bar.close()
        if best is not None:
            with MODEL_LOCK:
                model.load_state_dict(best)
    if best is None:
        processes.average(model.buffers())
    return history


def kept_bytes(function: Callable[[], torch.Tensor], without: Iterable[torch.Tensor] = ()) -> int:
    """Bytes that autograd keeps between `function()` and its backward pass, every storage counted once.

    Args:
        function: computes a loss.
        without: what does not count, such as a network's weights.
    """
    kept = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor), torch.enable_grad():
        value = function()
    for tensor in without:
        kept.pop(tensor.untyped_storage().data_ptr(), None)
    return sum(kept.values()) if value is not None else 0
