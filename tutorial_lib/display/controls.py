"""The controls of a live demo: sliders and choices, the values that each takes, and how they are read out."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import ipywidgets

from tutorial_lib.display.moments import Moments

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
        return [(typeset(text), v) for v, text in exact.items()]


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
    if max(len(text) for text, _ in pairs(made)) > SHORT:
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


def player(control: Any) -> list[ipywidgets.Widget]:
    """A play button that walks a slider through its stops, from where it stands to its end, and its name."""
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
        stops = [known for _, known in pairs(control)]
        return min(stops, key=lambda known: abs(known - value)) if is_number(value) else value
    if hasattr(control, "max"):
        kept = min(max(value, control.min), control.max)
        return round(kept) if isinstance(control.min, int) and isinstance(control.max, int) else kept
    return value


def refusal(control: Any, value: Any) -> str:
    """What the control takes, if it does not take the value; else nothing."""
    if isinstance(control, Moments):
        return control.refusal(value)
    if hasattr(control, "options"):
        values = [value for _, value in pairs(control)]
        if any(_same(control, known, value) for known in values):
            return ""
        if isinstance(control, StepSlider):
            return f"a number from {control.low} to {control.high} in steps of {control.step}"
        return f"one of {values}"
    if hasattr(control, "max"):
        whole = isinstance(control.min, int) and isinstance(control.max, int)
        number = isinstance(value, int) if whole else is_number(value)
        if not number or not control.min <= value <= control.max:
            return f"a {'whole ' * whole}number from {control.min} to {control.max}"
    return ""


def pairs(control: Any) -> list[tuple[str, Any]]:
    """What a selection shows and means. `options` keeps them as they were given, and ipywidgets reads a list as
    (text, value) only if every one of them is a pair."""
    given = list(control.options.items() if isinstance(control.options, Mapping) else control.options)
    paired = all(isinstance(option, (tuple, list)) and len(option) == 2 for option in given)
    return [(str(text), value) for text, value in (given if paired else zip(given, given))]


def is_number(value: Any) -> bool:
    """Whether it is one; True and False are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _same(control: Any, known: Any, value: Any) -> bool:
    try:
        return bool(control.equals(known, value))
    except TypeError:  # a word where a number belongs
        return False


def readout(control: Any, value: Any) -> str:
    """A value as the control's read-out shows it."""
    if isinstance(control, Moments):
        return control.readout(value)
    if hasattr(control, "options"):
        return next(text for text, known in pairs(control) if _same(control, known, value))
    if isinstance(value, bool):
        return "on" if value else "off"
    return typeset(format(value, getattr(control, "readout_format", "")))


def typeset(number: str) -> str:
    """With the typographic minus that ipywidgets' read-outs have."""
    return number.replace("-", "\u2212")


def stops(control: Any) -> list[tuple[str, Any]]:
    """Every value that the control can take, as (read-out, value); nothing where they cannot be listed."""
    if hasattr(control, "options"):
        return pairs(control)
    if isinstance(control, ipywidgets.IntSlider):
        values = range(control.min, control.max + 1, control.step)
        return [(readout(control, value), value) for value in values]
    if isinstance(control.value, bool):
        return [(readout(control, value), value) for value in (False, True)]
    return []
