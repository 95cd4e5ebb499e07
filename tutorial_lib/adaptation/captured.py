"""`adapt` for sliders: the same steps again and again, on a GPU as captured CUDA graphs.

A small network on a GPU spends its time launching kernels: an adaptation step is hundreds of them. A CUDA graph
launches them all at once, and has a price: it always reads and writes the same places, with the same shapes. So

- what changes from call to call (keypoints, labels, rate, weights) is copied into buffers that the graph reads, and
  every one of them lives as long as the graph: memory that is freed after the capture would be read all the same;
- fewer windows than the buffers hold are a matter of weights: each has a share in the loss, which is 0 for the rest;
- a graph holds one step, and is launched as often as there are steps.

On the CPU the same code runs step by step, without the idle windows.
"""

import copy
from dataclasses import dataclass

import torch

from tutorial_lib.adaptation.lifters import Diverged, check_support, self_supervised_loss, supervised_loss
from tutorial_lib.datasets.windows import Windows
from tutorial_lib.lifting import Lifter
from tutorial_lib.locking import MODEL_LOCK, gradients_on, interrupts_later
from tutorial_lib.metrics import root_relative
from tutorial_lib.skeleton import bone_lengths, length


@dataclass(frozen=True)
class Steps:
    """What an `Adapter` did, before the first and after every step.

    Attributes:
        poses: (steps + 1, *clips, T, joints, 3) the lifted video, on the network's device.
        losses: (steps) what was minimised, before every step.
        errors: (steps + 1) MPJPE of the poses in metres; empty without a truth.
        bone: (steps + 1) mean bone length of the support set relative to the start: an alarm for collapse.
    """

    poses: torch.Tensor
    losses: list[float]
    errors: list[float]
    bone: list[float]


class Adapter:
    """Adapts a lifter as `adapt` does, lifts a video after every step, and is quick about it on a GPU.

    The first call for a kind of support set and a shape captures; every later one, whatever the lens, the rate, the
    steps and the number of windows, only replays. The model may be trained in between: every call starts from the
    weights that it has then.

    Args:
        model: any lifter; it is not changed.
        windows: labelled windows that a call can give, at most.
        steps: of a call, at most.
        padded: whether idle windows are computed as well, as a graph must; by default on a GPU only.

    Raises:
        ValueError: windows below 1, negative steps, a model without a parameter that requires a gradient.
    """

    def __init__(self, model: Lifter, *, windows: int = 128, steps: int = 20, padded: bool | None = None):
        if windows < 1 or steps < 0:
            raise ValueError(f"windows={windows}, steps={steps}: expected at least 1 window, and 0 or more steps")
        weight = next((weight for weight in model.parameters() if weight.requires_grad), None)
        if weight is None:
            raise ValueError("model has no parameter that requires a gradient, expected some: unfreeze a layer")
        self.model, self.windows, self.steps, self.device = model, windows, steps, weight.device
        self.padded = self.device.type == "cuda" if padded is None else padded
        self._prepared: dict[tuple, _Prepared] = {}

    def __call__(
        self,
        support: Windows | torch.Tensor,
        video: torch.Tensor,
        truth: torch.Tensor | None = None,
        *,
        steps: int = 5,
        rate: float = 0.1,
    ) -> Steps:
        """Adapt from the model's present weights.

        Args:
            support: as `adapt` takes it, on the model's device.
            video: (*clips, T, 17, 2) screen keypoints to lift; the same tensor as `support` in scenario 2.
            truth: (*clips, T, 17, 3) of the video, for the errors.
            steps: gradient steps.
            rate: alpha.

        Raises:
            ValueError, Diverged: as `adapt`; more steps or windows than this adapter was made for.
        """
        keypoints = check_support(support, steps, rate)
        if steps > self.steps:
            raise ValueError(f"steps is {steps}, expected at most {self.steps}: make an Adapter with more")
        if isinstance(support, Windows):
            if len(keypoints) > self.windows:
                raise ValueError(
                    f"support holds {len(keypoints)} windows, at most {self.windows} expected: make a larger Adapter"
                )
            if len(support.pose) != len(keypoints):
                raise ValueError(
                    f"support holds keypoints of {len(keypoints)} windows and poses of {len(support.pose)}"
                )
        if truth is not None and truth.shape != (*video.shape[:-1], 3):
            raise ValueError(f"truth has shape {tuple(truth.shape)}, expected {(*video.shape[:-1], 3)} beside video")
        if keypoints.device != self.device or video.device != self.device:
            raise ValueError(f"support is on {keypoints.device} and video on {video.device}, expected {self.device}")
        with MODEL_LOCK, gradients_on():  # the buffers are one caller's at a time, and a cell may be training the model
            prepared = self._prepare(support, video)
            prepared.fill(support, video, rate)
            for step in range(steps + 1):
                prepared.advance(update=step < steps)
            with torch.no_grad():
                poses = prepared.poses[: steps + 1].clone()
                measured = [prepared.losses[: steps + 1], prepared.bone[: steps + 1]]
                if truth is not None:
                    measured.append(length(root_relative(poses - truth)).flatten(1).mean(1))
                losses, bone, *errors = torch.stack(measured).tolist()  # one transfer
        for step, loss in enumerate(losses):
            if not abs(loss) < float("inf"):
                raise Diverged(f"the adaptation loss is {loss} at step {step}: lower rate={rate}")
        relative = [size / max(bone[0], 1e-9) for size in bone]
        return Steps(poses, losses[:-1], errors[0] if errors else [], relative)

    def _prepare(self, support: Windows | torch.Tensor, video: torch.Tensor) -> "_Prepared":
        if isinstance(support, Windows):
            key = ("windows", support.keypoints.shape[1:], support.pose.shape[1:], video.shape)
        else:
            key = ("the video itself", video.shape) if support is video else (support.shape, video.shape)
        if key not in self._prepared:
            self._prepared[key] = _Prepared(self, support, video)
        return self._prepared[key]


class _Prepared:
    """A copy of the network and every buffer that its steps read or write; on a GPU, the graphs of a step."""

    def __init__(self, adapter: Adapter, support: Windows | torch.Tensor, video: torch.Tensor):
        self.source, self.padded = adapter.model, adapter.padded
        self.network = copy.deepcopy(adapter.model).eval()
        self.weights = [weight for weight in self.network.parameters() if weight.requires_grad]
        new = self.weights[0].new_zeros  # the network's dtype and device
        self.video, self.rate, self.target = new(video.shape), new(()), new(0)
        self.labelled = isinstance(support, Windows)
        if isinstance(support, Windows):
            self.keypoints = new((adapter.windows, *support.keypoints.shape[1:]))
            self.target = new((adapter.windows, *support.pose.shape[1:]))
        else:
            self.keypoints = self.video if support is video else new(support.shape)
        self.share, self.rows = new(adapter.windows), adapter.windows
        moments = adapter.steps + 1
        self.poses = new((moments, *video.shape[:-2], self.network.outputs, 3))
        self.losses, self.bone = new(moments), new(moments)
        self.moment = torch.zeros(1, dtype=torch.long, device=adapter.device)
        self.graphs: dict[bool, torch.cuda.CUDAGraph] = {}
        if adapter.device.type == "cuda":
            with torch.cuda.device(adapter.device), interrupts_later():
                self._capture()

    @torch.no_grad()
    def fill(self, support: Windows | torch.Tensor, video: torch.Tensor, rate: float) -> None:
        """Start anew: the model's present weights and statistics, and this call's data."""
        for mine, theirs in zip(_tensors(self.network), _tensors(self.source), strict=True):
            mine.copy_(theirs)
        self.moment.zero_()
        self.rate.fill_(rate)
        self.video.copy_(video)
        if not isinstance(support, Windows):
            self.keypoints.copy_(support)
            return
        given = len(support.keypoints)
        self.rows = len(self.share) if self.padded else given
        for buffer, values in ((self.keypoints, support.keypoints), (self.target, support.pose)):
            buffer[:given].copy_(values)
            buffer[given:].zero_()
        self.share.zero_()
        self.share[:given] = 1 / given

    def advance(self, update: bool) -> None:
        """Note loss, bones and the lifted video as they are now; then one gradient step, if `update`."""
        if self.graphs:
            self.graphs[update].replay()
        else:
            self._step(update)

    def _step(self, update: bool) -> None:
        with torch.set_grad_enabled(update):
            if not self.labelled:
                pose = self.network.lift(self.keypoints)
                loss = self_supervised_loss(pose)
            else:
                share = self.share[: self.rows]
                pose = self.network.windows(self.keypoints[: self.rows])
                loss = supervised_loss(pose, self.target[: self.rows], share)
        with torch.no_grad():
            sizes = bone_lengths(pose.detach()).mean(-1)
            size = (sizes * share).sum() if self.labelled else sizes.mean()
            lifted = pose if self.keypoints is self.video else self.network.lift(self.video)
            for kept, value in ((self.poses, lifted), (self.losses, loss), (self.bone, size)):
                kept.index_copy_(0, self.moment, value.detach()[None])
            self.moment += 1
            if update:
                for weight, gradient in zip(self.weights, torch.autograd.grad(loss, self.weights), strict=True):
                    weight.addcmul_(gradient, self.rate, value=-1)

    def _capture(self) -> None:
        """Record both kinds of step, on a stream of their own, after runs that let the libraries set themselves up.

        Only this thread's calls are watched meanwhile ("thread_local"): another cell may be training.
        """
        here, stream = torch.cuda.current_stream(), torch.cuda.Stream()
        stream.wait_stream(here)
        with torch.cuda.stream(stream):
            for _ in range(3):
                for update in (True, False):
                    self.moment.zero_()
                    self._step(update)
            self.moment.zero_()
        here.wait_stream(stream)
        pool = torch.cuda.graph_pool_handle()  # one for both: they never run at the same time, and leave nothing there
        graphs = {update: torch.cuda.CUDAGraph() for update in (True, False)}
        for update, graph in graphs.items():
            with torch.cuda.graph(graph, pool=pool, stream=stream, capture_error_mode="thread_local"):
                self._step(update)
        here.wait_stream(stream)
        self.graphs = graphs


def _tensors(model: Lifter) -> list[torch.Tensor]:
    """Parameters and buffers, always in the same order."""
    return [*model.parameters(), *(buffer for module in model.modules() for buffer in module.buffers(recurse=False))]
