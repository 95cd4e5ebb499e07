"""Ties controls to a computation and a picture: `live(compute, view, controls)`.

The callback is plain and synchronous: the front end then holds moves back until the kernel is idle and
sends only the latest value, so a storm of slider events ends on the last one and nothing queues. JupyterLab
may call it from another thread while a cell is running, so every computation happens under one lock, with
the grad mode set inside it.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets
import torch

from tutorial_lib.display import recording, rerun, still
from tutorial_lib.display.controls import (
    StepSlider,
    choice,
    is_number,
    nearest,
    player,
    readout,
    refusal,
    slider,
    steps,
)
from tutorial_lib.display.moments import Moments
from tutorial_lib.display.stage import Stage
from tutorial_lib.display.transfer import fetch
from tutorial_lib.locking import MODEL_LOCK, gradients_on

__all__ = ["Demo", "choice", "live", "slider", "steps", "timing"]

Grab = Callable[[tuple[float, ...], dict], dict]
"""What moving a handle does: its new place and the controls' values to the controls' new values."""

CALLBACK_THREADS = 1
"""Threads of torch inside a callback. The networks are small: a second thread wins little on a quiet machine, and costs
ten times the time where others are at work, because OpenMP's threads spin while they wait for each other."""


def live(
    compute: Callable[..., Any],
    view: Callable[[Any, dict], dict],
    controls: dict[str, Any],
    *,
    presets: dict[str, dict] | None = None,
    title: str = "",
    folded: Sequence[str] = (),
    grabs: Mapping[str, Grab] | None = None,
    plays: str = "",
    device: torch.device | str = "cpu",
    recorded: Sequence[str] = (),
    in_page: Any = None,
) -> "Demo":
    """A live demo: whenever a control moves, `view(compute(**params), params)` is drawn.

    Args:
        compute: pure and seeded; gets the controls' values by name, returns arrays.
        view: arrays and params to a picture, from `stage.panes`.
        controls: name -> ipywidgets control (`slider`, `steps`, `choice`, or any with a `value`); `moments` stand right
            above the picture.
        presets: button name -> params to set at once.
        title: above the controls.
        folded: names of controls that stand behind "more controls", closed at first.
        grabs: name of a `stage.handle` -> what moving it does: (place, params) to new values of controls, each put at
            the nearest that its control takes, so that the controls move along.
        plays: name of a slider that a play button walks through.
        device: where `compute` computes. What it returns on a GPU is fetched from there before it is drawn, and the
            time under the picture counts until then.
        recorded: names of the one or two controls that move on a page without a kernel, see `recording`; by default the
            first slider in sight.
        in_page: what computes there instead, every control live: `adaptation.in_page.InPage`.

    Raises:
        ValueError: a folded, played or recorded name that is no control, a preset that some control does not take.
    """
    return Demo(
        compute, view, controls, presets=presets or {}, title=title, folded=folded, grabs=grabs, plays=plays,
        device=device, recorded=recorded, in_page=in_page,
    )  # fmt: skip


class Demo(ipywidgets.VBox):
    """Controls above a `Stage`. See `live`.

    Attributes:
        params, arrays: values and result of the picture on the stage.
        runs, compute_ms: number of computations so far, time of the last one.
        error, last_exception: "" and None when the last run was fine.
        first: the values that it started with.
    """

    def __init__(
        self,
        compute: Callable[..., Any],
        view: Callable[[Any, dict], dict],
        controls: Mapping[str, Any],
        *,
        presets: Mapping[str, dict],
        title: str,
        folded: Sequence[str] = (),
        grabs: Mapping[str, Grab] | None = None,
        plays: str = "",
        device: torch.device | str = "cpu",
        recorded: Sequence[str] = (),
        in_page: Any = None,
    ):
        self.compute, self.view, self.title, self.device = compute, view, title, torch.device(device)
        self.controls, self.presets, self.stage = dict(controls), dict(presets), Stage()
        self.params, self.arrays, self.runs, self.compute_ms = {}, None, 0, 0.0
        self.error, self.last_exception, self._held = "", None, False
        self.folded, self.recorded, self.in_page = tuple(folded), tuple(recorded), in_page
        self.grabs = dict(grabs or {})
        for name, control in self.controls.items():
            control.description = control.description or name
            if isinstance(control, StepSlider):
                wanted = [params[name] for params in self.presets.values() if name in params]
                control.allow(v for v in wanted if is_number(v) and control.low <= v <= control.high)
        self.first = self._values()
        for name, params in self.presets.items():
            self._check(params, f"preset {name!r}: ")
        for argument, names in (("folded", folded), ("plays", [plays] * bool(plays)), ("recorded", recorded)):
            unknown = [name for name in names if name not in self.controls]
            if unknown:
                raise ValueError(f"{argument} names {unknown}, expected some of {', '.join(self.controls)}")
        heading = [ipywidgets.HTML(f"<b style='font-size:16px'>{escape(title)}</b>")] if title else []
        self._strips = [control for control in self.controls.values() if isinstance(control, Moments)]
        pictured = [name for name in folded if isinstance(self.controls[name], Moments)]
        if pictured:
            raise ValueError(f"folded names {pictured}, expected no moments: they stand above the stage")
        shown = [
            control
            for name, control in self.controls.items()
            if name not in folded and not isinstance(control, Moments)
        ]
        if folded:
            shown = _with_lid(shown, [self.controls[name] for name in folded])
        panel = ipywidgets.Box(shown, layout={"flex_flow": "row wrap"})
        panel.add_class("pose-controls")
        super().__init__([*heading, panel, self._buttons(plays), *self._strips, self.stage])
        for control in self.controls.values():
            control.observe(self._moved, names="value")
        self.stage.observe(self._grabbed, names="grabbed")
        self._run()

    def set(self, **params) -> "Demo":
        """Set several controls with one recomputation.

        Raises:
            ValueError: unknown name, or a value the control does not take. Errors of `compute` do not raise
                here: they stand in `error`, and `check` raises them.
        """
        self._check(params, "")
        with MODEL_LOCK, ExitStack() as sent_last:  # the picture travels first: it is what a hand that drags waits for
            for name in params:
                sent_last.enter_context(self.controls[name].hold_sync())
            self._held = True
            try:
                for name, value in params.items():
                    self.controls[name].value = value
            finally:
                self._held = False
            self._run()
        return self

    def reset(self) -> "Demo":
        """Back to the values the demo started with."""
        return self.set(**self.first)

    def check(self) -> "Demo":
        """Raise the exception of the last run, if there was one: for cells that must fail loudly."""
        if self.last_exception is not None:
            raise self.last_exception
        return self

    def caption(self, folded: bool = True, params: Mapping[str, Any] | None = None) -> str:
        """The controls' values, written as their read-outs write them.

        Args:
            folded: also of those that stand behind "more controls".
            params: the values; by default the present ones.
        """
        values = self._values() if params is None else params
        named = {name: control for name, control in self.controls.items() if folded or name not in self.folded}
        return ", ".join(f"{control.description} {readout(control, values[name])}" for name, control in named.items())

    def _values(self) -> dict:
        return {name: control.value for name, control in self.controls.items()}

    def _moved(self, change: Any) -> None:
        if not self._held:
            self._run()

    def _grabbed(self, change: Any) -> None:
        name, at = change["new"]["name"], tuple(change["new"]["at"])
        moved = self.grabs[name](at, self._values())
        self.set(**{control: nearest(self.controls[control], value) for control, value in moved.items()})

    def _run(self) -> None:
        """Compute and draw the present values; an error leaves the last good picture and the demo usable."""
        with MODEL_LOCK.announced(), gradients_on():
            MODEL_LOCK.arrived()
            threads = torch.get_num_threads()
            torch.set_num_threads(CALLBACK_THREADS)
            try:
                self._draw()
            finally:
                torch.set_num_threads(threads)

    def _draw(self) -> None:
        params, caption = self._values(), self.caption()
        self.runs += 1
        try:
            start = time.perf_counter()
            arrays = self._computed(params)
            self.compute_ms = 1000 * (time.perf_counter() - start)
            picture = self._pictured(arrays, params)
        except (Exception, KeyboardInterrupt) as problem:
            self.error = _in_words(problem, caption)
            self.last_exception = problem
            said = str(problem) or _in_words(problem, "")  # an audience sees where the controls stand
            self.stage.state = {**self.stage.state, "error": said}
            return
        self.params, self.arrays, self.error, self.last_exception = params, arrays, "", None
        self.stage.state = {**picture, "timing": timing(self.compute_ms, self.device)}

    def _computed(self, params: dict) -> Any:
        arrays = self.compute(**params)
        if self.device.type == "cuda":
            arrays = fetch(arrays)
            torch.cuda.synchronize(self.device)  # also where nothing was fetched
        return arrays

    def _pictured(self, arrays: Any, params: dict) -> dict:
        picture = self.view(arrays, params)
        if not isinstance(picture, dict) or "panes" not in picture:
            raise TypeError(f"view returned {type(picture).__name__}, expected what stage.panes(...) returns")
        return {**picture, "caption": self.caption(folded=False, params=params)}

    def state(self, **params) -> dict:
        """What would stand on the stage for these values of the controls; those not named are the present ones.

        Nothing moves. An error of `compute` stands in the state, beside the picture that is on the stage.
        """
        values = self._values() | params
        with MODEL_LOCK, gradients_on():
            try:
                return self._pictured(self._computed(values), values)
            except Exception as problem:
                return {**self.stage.state, "error": _in_words(problem, self.caption(params=values))}

    def _check(self, params: dict, where: str) -> None:
        for name, value in params.items():
            if name not in self.controls:
                raise ValueError(f"{where}unknown control {name!r}, expected one of {', '.join(self.controls)}")
            expected = refusal(self.controls[name], value)
            if expected:
                raise ValueError(f"{where}{name} is {value!r}, expected {expected}")

    def _buttons(self, plays: str) -> ipywidgets.HBox:
        jobs = [(name, lambda _, params=params: self.set(**params)) for name, params in self.presets.items()]
        row: list[ipywidgets.Widget] = []
        for name, job in [*jobs, ("reset", lambda _: self.reset())]:
            button = ipywidgets.Button(description=name, layout={"width": "auto"})
            button.on_click(job)
            row.append(button)
        if plays:
            row += player(self.controls[plays])
        box = ipywidgets.HBox(row, layout={"flex_flow": "row wrap"})
        box.add_class("pose-buttons")
        return box

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        """Adds a PNG of the picture on the stage: previews and readers without a kernel see that."""
        rerun.shown(self)
        bundle = super()._repr_mimebundle_(**kwargs)
        bundle["text/plain"] = f"live demo {self.title!r}: {self.caption()}"
        if self.arrays is not None:
            bundle["image/png"] = still.png_base64(self.stage.state, title=self.title, strips=self._strips)
            if folder := os.environ.get(recording.VARIABLE):
                recording.record(self, Path(folder), bundle["text/plain"])
        return bundle, {"image/png": {"alt": bundle["text/plain"]}}


def _in_words(problem: BaseException, caption: str) -> str:
    kind = "interrupted" if isinstance(problem, KeyboardInterrupt) else type(problem).__name__
    where = f" (at {caption})" if caption else ""
    return f"{kind}: {problem}{where}" if str(problem) else f"{kind}{where}"


def _with_lid(shown: Sequence[Any], folded: Sequence[Any]) -> list[Any]:
    """Controls in sight, and a lid over the others that is closed at first, all in one row: one screen is small."""
    lid = ipywidgets.Accordion([ipywidgets.VBox(list(folded))], titles=["more controls"], selected_index=None)
    for control in (*shown, *folded):
        control.style = {"description_width": "initial"}
    for control in folded:
        control.layout = {"width": "98%"}
    for part in (*shown, lid):
        part.layout = {"flex": "1 1 16em", "width": "auto", "min_width": "14em", "margin": "2px"}
    return [*shown, lid]


def timing(milliseconds: float, device: torch.device) -> str:
    """What stands under a picture, such as "computed in 1.7 ms on cuda:0"."""
    digits = 1 if milliseconds < 10 else 0
    if device.type == "cuda":
        place = f"cuda:{torch.cuda.current_device() if device.index is None else device.index}"
    else:
        place = "the CPU"
    return f"computed in {milliseconds:.{digits}f} ms on {place}"
