"""Ties controls to a computation and a picture: `live(compute, view, controls)`.

The callback is plain and synchronous: the front end then holds moves back until the kernel is idle and
sends only the latest value, so a storm of slider events ends on the last one and nothing queues. JupyterLab
may call it from another thread while a cell is running, so every computation happens under one lock, with
the grad mode set inside it.
"""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Any

import ipywidgets
import torch

from tutorial_lib.display import rerun, still
from tutorial_lib.display.moments import Moments
from tutorial_lib.display.stage import Stage
from tutorial_lib.display.transfer import fetch
from tutorial_lib.locking import MODEL_LOCK, gradients_on

CALLBACK_THREADS = 1
"""Threads of torch inside a callback. The networks are small: a second thread wins little on a quiet machine, and costs
ten times the time where others are at work, because OpenMP's threads spin while they wait for each other."""

Grab = Callable[[tuple[float, ...], dict], dict]
"""What moving a handle does: its new place and the controls' values to the controls' new values."""

SHORT = 7
"""Characters of a read-out that every slider has room for."""

_WIDE = {"description_width": "11em"}
_LAYOUT = {"width": "48%", "min_width": "23em"}  # two beside each other: controls and picture fit one screen


class StepSlider(ipywidgets.SelectionSlider):
    """A slider over exact decimal numbers.

    Not a FloatSlider: its front end recomputes every number it is given, finds 0.19999999999999996 for 0.2
    and sends that back, which undoes what the kernel has set in the meantime.
    """

    def __init__(self, value: float, low: float, high: float, step: float, fmt: str, **kwargs):
        count = math.floor((high - low) / step + 1e-6) + 1
        if not (low <= value <= high and 2 <= count <= 2001):
            raise ValueError(
                f"slider at {value} from {low} to {high} in steps of {step}: expected the value between the "
                "ends, and 1 to 2000 steps"
            )
        self.low, self.high, self.step, self._fmt = low, high, step, fmt
        grid = [round(low + i * step, 12) for i in range(count)]
        options = self._stops(grid, [value])
        super().__init__(options=options, value=value, equals=lambda a, b: abs(a - b) < step * 1e-6, **kwargs)

    def allow(self, values: Iterable[float]) -> None:
        """Stop at these values too, between the steps: for presets. Before the slider is shown."""
        kept = self.value
        self.options = self._stops([known for _, known in self.options], values)
        self.value = kept

    def _stops(self, grid: Sequence[float], more: Iterable[float]) -> list[tuple[str, float]]:
        extra = [v for v in more if all(abs(v - known) >= self.step * 1e-6 for known in grid)]
        texts = {v: format(v, self._fmt) for v in sorted({*grid, *extra})}
        exact = {v: text if abs(float(text) - v) < self.step * 1e-6 else f"{v:g}" for v, text in texts.items()}
        return [(_typeset(text), v) for v, text in exact.items()]


def slider(
    value: float,
    low: float,
    high: float,
    step: float,
    label: str = "",
    *,
    continuous: bool = True,
    fmt: str | None = None,
):
    """A slider; whole numbers for all four make an IntSlider. Say the unit in the label: "distance (m)".

    Args:
        value: where it stands at first.
        low: the lower end.
        high: the upper end.
        step: from one stop to the next.
        label: what stands before it.
        continuous: False above 200 ms of computation: the picture then follows when the mouse lets go.
        fmt: format of the read-out, such as ".2f"; by default as many digits as the step has.
    """
    common = {"description": label, "continuous_update": continuous, "style": _WIDE, "layout": _LAYOUT}
    if all(isinstance(number, int) for number in (value, low, high, step)):
        return ipywidgets.IntSlider(value=value, min=low, max=high, step=step, **common)
    digits = len(f"{step:.10f}".rstrip("0").split(".")[1])
    return StepSlider(value, low, high, step, fmt or f".{digits}f", **common)


def steps(options: Iterable[Any], value: Any = None, label: str = "", *, continuous: bool = True):
    """A slider over given values: a list, or (label, value) pairs where the label is what is shown."""
    made = _selection(ipywidgets.SelectionSlider, options, value, label, continuous_update=continuous)
    if max(len(text) for text, _ in _pairs(made)) > SHORT:
        made.add_class("pose-long")  # room for the longest, or the track would change under the pointer
    return made


def choice(options: Iterable[Any], value: Any = None, label: str = ""):
    """A drop-down over given values: a list, or (label, value) pairs."""
    return _selection(ipywidgets.Dropdown, options, value, label)


def _selection(widget: type, options: Iterable[Any], value: Any, label: str, **more: Any) -> Any:
    options = list(options)
    first = options[0][1] if isinstance(options[0], tuple) else options[0]
    value = first if value is None else value
    return widget(options=options, value=value, description=label, style=_WIDE, layout=_LAYOUT, **more)


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

    Raises:
        ValueError: a folded or played name that is no control, a preset that some control does not take.
    """
    return Demo(
        compute, view, controls, presets=presets or {}, title=title, folded=folded, grabs=grabs or {}, plays=plays,
        device=device,
    )  # fmt: skip


class Demo(ipywidgets.VBox):
    """Controls above a `Stage`. See `live`.

    Attributes:
        params, arrays: values and result of the picture on the stage.
        runs, compute_ms: number of computations so far, time of the last one.
        error, last_exception: "" and None when the last run was fine.
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
    ):
        self.compute, self.view, self.title, self.device = compute, view, title, torch.device(device)
        self.controls, self.presets, self.stage = dict(controls), dict(presets), Stage()
        self.params, self.arrays, self.runs, self.compute_ms = {}, None, 0, 0.0
        self.error, self.last_exception, self._held = "", None, False
        self.folded, self.grabs = tuple(folded), dict(grabs or {})
        for name, control in self.controls.items():
            control.description = control.description or name
            if isinstance(control, StepSlider):
                wanted = [params[name] for params in self.presets.values() if name in params]
                control.allow(v for v in wanted if _number(v) and control.low <= v <= control.high)
        self._first = self._values()
        for name, params in self.presets.items():
            self._check(params, f"preset {name!r}: ")
        for argument, names in (("folded", folded), ("plays", [plays] if plays else [])):
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
        with MODEL_LOCK:
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
        return self.set(**self._first)

    def check(self) -> "Demo":
        """Raise the exception of the last run, if there was one: for cells that must fail loudly."""
        if self.last_exception is not None:
            raise self.last_exception
        return self

    def caption(self, folded: bool = True) -> str:
        """The controls' present values, written as their read-outs write them.

        Args:
            folded: also of those that stand behind "more controls".
        """
        named = [control for name, control in self.controls.items() if folded or name not in self.folded]
        return ", ".join(f"{control.description} {_readout(control)}" for control in named)

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
            arrays = self.compute(**params)
            if self.device.type == "cuda":
                arrays = fetch(arrays)
                torch.cuda.synchronize(self.device)  # also where nothing was fetched
            self.compute_ms = 1000 * (time.perf_counter() - start)
            picture = self.view(arrays, params)
            if not isinstance(picture, dict) or "panes" not in picture:
                raise TypeError(f"view returned {type(picture).__name__}, expected what stage.panes(...) returns")
        except (Exception, KeyboardInterrupt) as problem:
            kind = "interrupted" if isinstance(problem, KeyboardInterrupt) else type(problem).__name__
            self.error = f"{kind}: {problem} (at {caption})" if str(problem) else f"{kind} (at {caption})"
            self.last_exception = problem
            self.stage.state = {**self.stage.state, "error": self.error}
            return
        self.params, self.arrays, self.error, self.last_exception = params, arrays, "", None
        caption = self.caption(folded=False)
        self.stage.state = {**picture, "caption": caption, "timing": timing(self.compute_ms, self.device)}

    def _check(self, params: dict, where: str) -> None:
        for name, value in params.items():
            if name not in self.controls:
                raise ValueError(f"{where}unknown control {name!r}, expected one of {', '.join(self.controls)}")
            expected = _refusal(self.controls[name], value)
            if expected:
                raise ValueError(f"{where}{name} is {value!r}, expected {expected}")

    def _buttons(self, plays: str) -> ipywidgets.HBox:
        jobs = [(name, lambda _, params=params: self.set(**params)) for name, params in self.presets.items()]
        row = []
        for name, job in [*jobs, ("reset", lambda _: self.reset())]:
            button = ipywidgets.Button(description=name, layout={"width": "auto"})
            button.on_click(job)
            row.append(button)
        if plays:
            row += _player(self.controls[plays])
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
        return bundle, {"image/png": {"alt": bundle["text/plain"]}}


def _player(control: Any) -> list[Any]:
    """A play button that walks a slider through its stops, from where it stands to its end."""
    stops = isinstance(control, ipywidgets.SelectionSlider)
    low, high, step = (0, len(control.options) - 1, 1) if stops else (control.min, control.max, control.step)
    trait = "index" if stops else "value"
    pace = max(40, 4000 * step // (high - low))  # four seconds from end to end, if the kernel keeps up
    play = ipywidgets.Play(
        value=getattr(control, trait), min=low, max=high, step=step, interval=pace, show_repeat=False,
        tooltip=f"play {control.description}",
    )  # fmt: skip
    ipywidgets.jslink((play, "value"), (control, trait))
    return [ipywidgets.Label(f"play {control.description}", layout={"margin": "2px 4px 2px 16px"}), play]


def nearest(control: Any, value: Any) -> Any:
    """The value of a slider that lies nearest to a number, in its range; another control's value as it is."""
    if isinstance(control, ipywidgets.SelectionSlider):
        stops = [known for _, known in _pairs(control)]
        return min(stops, key=lambda known: abs(known - value)) if _number(value) else value
    if hasattr(control, "max"):
        kept = min(max(value, control.min), control.max)
        return round(kept) if isinstance(control.min, int) and isinstance(control.max, int) else kept
    return value


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


def _refusal(control: Any, value: Any) -> str:
    """What the control takes, if it does not take the value; else nothing."""
    if isinstance(control, Moments):
        return control.refusal(value)
    if hasattr(control, "options"):
        values = [value for _, value in _pairs(control)]
        if any(_same(control, known, value) for known in values):
            return ""
        if isinstance(control, StepSlider):
            return f"a number from {control.low} to {control.high} in steps of {control.step}"
        return f"one of {values}"
    if hasattr(control, "max"):
        whole = isinstance(control.min, int) and isinstance(control.max, int)
        number = isinstance(value, int) if whole else _number(value)
        if not number or not control.min <= value <= control.max:
            return f"a {'whole ' * whole}number from {control.min} to {control.max}"
    return ""


def _pairs(control: Any) -> list[tuple[str, Any]]:
    """What a selection shows and means. `options` keeps them as they were given, and ipywidgets reads a list as
    (text, value) only if every one of them is a pair."""
    given = list(control.options.items() if isinstance(control.options, Mapping) else control.options)
    paired = all(isinstance(option, (tuple, list)) and len(option) == 2 for option in given)
    return [(str(text), value) for text, value in (given if paired else zip(given, given))]


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _same(control: Any, known: Any, value: Any) -> bool:
    try:
        return bool(control.equals(known, value))
    except TypeError:  # a word where a number belongs
        return False


def _readout(control: Any) -> str:
    """The control's value as its read-out shows it."""
    if isinstance(control, Moments):
        return control.readout()
    if hasattr(control, "options"):
        return next(text for text, known in _pairs(control) if _same(control, known, control.value))
    if isinstance(control.value, bool):
        return "on" if control.value else "off"
    return _typeset(format(control.value, getattr(control, "readout_format", "")))


def _typeset(number: str) -> str:
    """With the typographic minus that ipywidgets' read-outs have."""
    return number.replace("-", "\u2212")
