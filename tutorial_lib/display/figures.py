"""Static figures: pure functions from arrays to plotly figures, in one style.

The style is colour-blind safe (Okabe and Ito's palette), legible from the back row, writes the unit on every
axis and keeps ranges fixed. Left limbs are lighter *and* dashed, right limbs full. `preview.show` displays a
figure together with a picture for readers whose viewer runs no JavaScript.
"""

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import PIL.Image
import plotly.graph_objects as go
import torch
from numpy.typing import ArrayLike

from tutorial_lib.skeleton import JOINTS, check_joints

COLOURS = {
    "blue": "#0072B2", "vermillion": "#D55E00", "green": "#009E73", "purple": "#CC79A7",
    "orange": "#E69F00", "sky": "#56B4E9", "ink": "#1A1A1A", "grey": "#808080",
}  # fmt: skip
CYCLE = ("blue", "vermillion", "green", "purple", "orange", "sky")
NAMED = {"truth": "ink", "before": "vermillion", "after": "blue"}
"""What means the same has the same colour in every lesson."""
Values = ArrayLike | torch.Tensor
"""What can be drawn: a tensor on any device, an array, numbers."""
MOVING = ("x", "y", "z", "error_y")
"""What a sweep changes from step to step; colours and names stay."""

# one pen stroke per limb: (17-joint indices); -1 lifts the pen
STROKES = {
    "right": (10, 9, 8, 7, 0, 1, 2, 3, -1, 8, 14, 15, 16),  # and the spine
    "left": (0, 4, 5, 6, -1, 8, 11, 12, 13),
}  # fmt: skip
_AXIS = {
    "showline": True,
    "mirror": True,
    "linecolor": "#808080",
    "gridcolor": "#DDDDDD",
    "zeroline": False,
    "ticks": "",
}
_BOX = {
    "backgroundcolor": "#F4F4F4",
    "gridcolor": "#CCCCCC",
    "zeroline": False,
    "nticks": 6,
    "tickfont": {"size": 12},
}
HEIGHT = 380
"""Of a figure that names none, in CSS pixels: two of them fit a screen."""

TEMPLATE = go.layout.Template(
    layout={
        "font": {"size": 16, "color": COLOURS["ink"]}, "colorway": [COLOURS[name] for name in CYCLE],
        "paper_bgcolor": "white", "plot_bgcolor": "white", "title": {"x": 0.5, "xanchor": "center"},
        "margin": {"l": 75, "r": 25, "t": 55, "b": 65},
        # Upright, beside the picture: lying, it covers the title.
        "modebar": {"orientation": "v", "bgcolor": "rgba(0,0,0,0)"}, "legend": {"bgcolor": "rgba(255,255,255,0.7)"},
        "xaxis": _AXIS, "yaxis": _AXIS, "scene": {"xaxis": _BOX, "yaxis": _BOX, "zaxis": _BOX},
    }
)  # fmt: skip


def colours_of(names: Sequence[str], given: Mapping[str, str] | None = None) -> list[str]:
    """A hex colour for each name: the given one, the meaning's own (`NAMED`), or the next of the cycle."""
    given = {**NAMED, **(given or {})}
    free = iter([name for name in CYCLE if name not in [given.get(other) for other in names]] * len(names))
    return [COLOURS.get(given[name], given[name]) if name in given else COLOURS[next(free)] for name in names]


def skeletons_3d(
    skeletons: Mapping[str, Values],
    *,
    extent: Sequence[Sequence[float]] = ((-1, 1), (-1, 1), (0, 2)),
    up: Literal["z", "-y"] = "z",
    title: str = "",
    colours: Mapping[str, str] | None = None,
) -> go.Figure:
    """Overlaid 3D skeletons with equal aspect.

    Args:
        skeletons: name -> (17, 3) metres, tensor or array.
        extent: ((x0, x1), (y0, y1), (z0, z1)) metres, the fixed ranges.
        up: "z" (world) or "-y" (camera frame: x right, y down, z forward).
        title: above the figure.
        colours: name -> a name of the palette or "#rrggbb"; by default as `colours_of`.
    """
    if up not in ("z", "-y"):
        raise ValueError(f"up is {up!r}, expected 'z' or '-y'")
    order, turn = ((0, 1, 2), 1) if up == "z" else ((0, 2, 1), -1)
    names = [f"{'xyz'[i]} (m)" for i in order]
    ranges = [list(map(float, extent[i])) for i in order]
    ranges[2] = ranges[2][::turn]
    figure = go.Figure()
    for (name, points), colour in zip(skeletons.items(), colours_of(list(skeletons), colours)):
        for trace in _limbs(name, _plain("skeletons", points, 3)[:, order], colour):
            figure.add_trace(go.Scatter3d(**trace))
    sizes = [abs(hi - lo) for lo, hi in ranges]
    axes = {
        f"{axis}axis": {"title": {"text": text}, "range": span, "autorange": False}
        for axis, text, span in zip("xyz", names, ranges)
    }
    aspect = dict(zip("xyz", (size / max(sizes) for size in sizes)))
    eye = {"x": 1.3, "y": -1.8, "z": 0.55}
    scene = axes | {"aspectmode": "manual", "aspectratio": aspect, "camera": {"eye": eye}}
    return _styled(figure, title, scene=scene, height=520, margin={"l": 0, "r": 0, "t": 55, "b": 0})


def image_plane(
    *,
    skeletons: Mapping[str, Values] | None = None,
    grid: Values | None = None,
    circles: Mapping[str, float] | None = None,
    dots: Mapping[str, Values] | None = None,
    heat: Values | None = None,
    heat_name: str = "",
    aspect: float = 1.0,
    margin: float = 0.08,
    title: str = "",
    colours: Mapping[str, str] | None = None,
) -> go.Figure:
    """The camera's image: x in [-1, 1] across the width, y down.

    Args:
        skeletons: name -> (17, 2) screen coordinates.
        grid: (lines, length, 2) screen coordinates; NaN lifts the pen.
        circles: name -> radius around the principal point, in half widths.
        dots: name -> (count, 2) screen coordinates.
        heat: (rows, columns) drawn as a heat map, cells centred at (i + 0.5) / columns.
        heat_name: what the scale says.
        aspect: width / height.
        margin: room around the frame, as a share of the width.
        title: above the figure.
        colours: name -> a name of the palette or "#rrggbb"; by default as `colours_of`.
    """
    skeletons, circles, dots = skeletons or {}, circles or {}, dots or {}
    tall, room = 1 / aspect, 1 + margin
    figure = go.Figure()
    if heat is not None:
        cells = _array(heat)
        rows, columns = cells.shape
        place = {
            "x0": -1 + 1 / columns,
            "dx": 2 / columns,
            "y0": tall * (1 / rows - 1),
            "dy": 2 * tall / rows,
        }
        scale = [[0, "#FFFFFF"], [1, COLOURS["vermillion"]]]
        bar = {"title": {"text": heat_name}}
        figure.add_trace(go.Heatmap(z=cells, **place, colorscale=scale, name=heat_name, colorbar=bar))
    if grid is not None:
        lines = _array(grid)
        lines = lines.reshape(-1, *lines.shape[-2:])
        pen = np.concatenate([lines, np.full_like(lines[:, :1], np.nan)], axis=1).reshape(-1, 2)
        figure.add_trace(_line("grid", pen[:, 0], pen[:, 1], COLOURS["grey"], 1.2))
    angle = np.linspace(0, 2 * np.pi, 61)
    for (name, radius), colour in zip(circles.items(), colours_of(list(circles), colours)):
        figure.add_trace(_line(name, radius * np.cos(angle), radius * np.sin(angle), colour, 2, "dot"))
    for (name, points), colour in zip(skeletons.items(), colours_of(list(skeletons), colours)):
        for trace in _limbs(name, _plain("skeletons", points, 2), colour):
            figure.add_trace(go.Scatter(**trace))
    for (name, points), colour in zip(dots.items(), colours_of(list(dots), colours)):
        x, y = _array(points).reshape(-1, 2).T
        figure.add_trace(go.Scatter(x=x, y=y, name=name, mode="markers", marker={"color": colour, "size": 11}))
    frame = {
        "type": "rect",
        "x0": -1,
        "x1": 1,
        "y0": -tall,
        "y1": tall,
        "line": {"color": COLOURS["ink"], "width": 2},
    }
    return _styled(
        figure, title, shapes=[frame], height=520,
        xaxis={"title": {"text": "x (half widths, right)"}, "range": [-room, room], "constrain": "domain"},
        yaxis={
            "title": {"text": "y (half widths, down)"}, "range": [tall * room, -tall * room],
            "scaleanchor": "x", "constrain": "domain",
        },
    )  # fmt: skip


def picture(cells: np.ndarray, title: str = "", quality: int = 85) -> go.Figure:
    """Photos without axes: x in [-1, 1] across the width, y down.

    Args:
        cells: (rows, columns, 3) in [0, 1].
        title: of the figure.
        quality: of the JPEG that the figure holds, up to 95.
    """
    rows, columns = cells.shape[:2]
    tall = rows / columns
    figure = image_plane(aspect=1 / tall, margin=0.01, title=title)
    for name in ("xaxis", "yaxis"):
        figure.layout[name].update(visible=False)
    file = io.BytesIO()
    PIL.Image.fromarray(np.round(255 * cells).astype(np.uint8)).save(file, format="JPEG", quality=quality)
    source = f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
    place = {"x0": -1 + 1 / columns, "dx": 2 / columns, "y0": tall * (1 / rows - 1), "dy": 2 * tall / rows}
    return figure.add_trace(go.Image(source=source, name="photos", **place)).update_layout(showlegend=False)


def curves(
    series: Mapping[str, tuple],
    *,
    x_title: str,
    y_title: str,
    x_range: Sequence[float] | None = None,
    y_range: Sequence[float] | None = None,
    bands: Mapping[str, tuple | np.ndarray] | None = None,
    lines: Mapping[str, float] | None = None,
    mode: Literal["lines", "markers", "lines+markers"] = "lines",
    x_log: bool = False,
    y_log: bool = False,
    title: str = "",
    colours: Mapping[str, str] | None = None,
) -> go.Figure:
    """Lines over one axis.

    Args:
        series: name -> (x, y), each (points,), in the units that the titles say.
        x_title: what is measured, and its unit.
        y_title: what is measured, and its unit.
        x_range: (low, high) in the axis's own unit; fitted by default.
        y_range: (low, high) in the axis's own unit; fitted by default, and where one seed's interval makes it NaN.
        bands: name -> (low, high), each (points,), shaded behind the line of that name; NaN alone, as from one seed, is
            no band.
        lines: name -> y of a horizontal reference line.
        mode: plotly's "lines", "markers" or "lines+markers".
        x_log: logarithmic axes; ranges stay in the axis's own unit.
        y_log: logarithmic axes; ranges stay in the axis's own unit.
        title: above the figure.
        colours: name -> a name of the palette or "#rrggbb"; by default as `colours_of`.
    """
    figure = go.Figure()
    for index, ((name, (x, y)), colour) in enumerate(zip(series.items(), colours_of(list(series), colours))):
        x = _array(x)
        low, high = (_array(side) for side in (bands or {}).get(name, ((), ())))
        if np.isfinite(low).any():
            shade = {"fill": "toself", "fillcolor": _fade(colour), "line": {"width": 0}, "hoverinfo": "skip"}
            around = {"x": np.concatenate([x, x[::-1]]), "y": np.concatenate([high, low[::-1]])}
            figure.add_trace(go.Scatter(**around, mode="lines", showlegend=False, **shade))
        trace = _line(name, x, _array(y), colour, 3, ("solid", "dash", "dot", "dashdot")[index % 4])
        figure.add_trace(trace.update(mode=mode, marker={"size": 9, "color": colour}))
    shapes, notes = [], []
    for name, y in (lines or {}).items():
        pen = {"color": COLOURS["grey"], "width": 2, "dash": "dash"}
        across = {"xref": "paper", "x0": 0, "x1": 1, "y0": float(y), "y1": float(y)}
        shapes.append({"type": "line", **across, "line": pen})
        place = {"xref": "paper", "x": 0.99, "xanchor": "right", "yanchor": "bottom", "showarrow": False}
        notes.append({"y": float(np.log10(y) if y_log else y), "text": name, **place})
    axes: dict[str, dict] = {}
    for axis, text, span, log in (("xaxis", x_title, x_range, x_log), ("yaxis", y_title, y_range, y_log)):
        axes[axis] = {"title": {"text": text}, "type": "log" if log else "linear"}
        if span is not None and not np.isnan(span).any():
            axes[axis]["range"] = [float(np.log10(v)) if log else float(v) for v in span]
    return _styled(figure, title, **axes, shapes=shapes, annotations=notes)


def bars(
    groups: Mapping[str, Values],
    names: Sequence[str],
    *,
    y_title: str,
    intervals: Mapping[str, Sequence | np.ndarray] | None = None,
    y_range: Sequence[float] | None = None,
    title: str = "",
    colours: Mapping[str, str] | None = None,
) -> go.Figure:
    """Grouped bars with error intervals.

    Args:
        groups: legend entry -> one value per name.
        names: what stands under the bars.
        y_title: what is measured, and its unit.
        intervals: legend entry -> (low, high), each one value per name.
        y_range: (low, high) in the axis's own unit; fitted by default, and where one seed's interval makes it NaN.
        title: above the figure.
        colours: name -> a name of the palette or "#rrggbb"; by default as `colours_of`.
    """
    figure = go.Figure()
    for (group, values), colour in zip(groups.items(), colours_of(list(groups), colours)):
        y = _array(values)
        if y.shape != (len(names),):
            raise ValueError(f"groups[{group!r}] has shape {y.shape}, expected ({len(names)},): one value per name")
        error = None
        if intervals and group in intervals:
            low, high = (_array(side) for side in intervals[group])
            error = {
                "type": "data",
                "symmetric": False,
                "array": high - y,
                "arrayminus": y - low,
                "thickness": 2,
            }
        figure.add_trace(go.Bar(name=group, x=list(names), y=y, marker={"color": colour}, error_y=error))
    axis: dict = {"title": {"text": y_title}}
    if y_range is not None and not np.isnan(y_range).any():
        axis["range"] = list(map(float, y_range))
    return _styled(figure, title, yaxis=axis, barmode="group")


def sweep(figures: Sequence[go.Figure], labels: Sequence[object], name: str, active: int = 0) -> go.Figure:
    """One figure whose slider steps through figures of the same traces: the demo's sweep without a kernel.

    Args:
        figures: one a step, with the same traces.
        labels: one per figure, what the slider says.
        name: stands before the label.
        active: index of the figure that shows first.
    """
    if len(figures) != len(labels) or not figures:
        raise ValueError(f"sweep got {len(figures)} figures and {len(labels)} labels, expected as many, at least one")
    kinds = [[trace.type for trace in figure.data] for figure in figures]
    if any(kind != kinds[0] for kind in kinds):
        raise ValueError(f"figures have traces {kinds}, expected the same in all: draw an empty trace instead of none")
    result = go.Figure(figures[active])
    result.frames = [
        go.Frame(
            name=str(label),
            data=[
                {"type": t.type} | {key: t[key] for key in MOVING if key in t and t[key] is not None}
                for t in figure.data
            ],
            layout={"title": {"text": figure.layout.title.text}} if figure.layout.title.text else None,
        )
        for figure, label in zip(figures, labels)
    ]
    at_once = {"mode": "immediate", "frame": {"duration": 0, "redraw": True}, "transition": {"duration": 0}}
    stops = [{"label": str(label), "method": "animate", "args": [[str(label)], at_once]} for label in labels]
    result.layout.sliders = [
        {"active": active, "currentvalue": {"prefix": f"{name}: "}, "steps": stops,
         "pad": {"t": 46, "l": min(40, 3.5 * len(stops[0]["label"])), "r": min(40, 3.5 * len(stops[-1]["label"]))}}
    ]  # fmt: skip
    result.update_xaxes(title_standoff=8)  # else the title stands where the slider's words begin
    return result.update_layout(height=(result.layout.height or HEIGHT) + 90, margin={"b": 110})


# ------------------------------------------------------------------ pieces
def _array(value: Values) -> np.ndarray:
    """float32 array rounded to 3 decimals: small in the notebook, equal on every processor."""
    value = value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)
    return np.round(value.astype(np.float64), 3).astype(np.float32)


def _plain(argument: str, points: Values, dims: int) -> np.ndarray:
    array = _array(points)
    check_joints(array, dims, argument)
    if array.ndim != 2:
        raise ValueError(f"{argument} has shape {array.shape}, expected ({len(JOINTS)}, {dims}): pick one frame")
    return array


def _limbs(name: str, points: np.ndarray, colour: str) -> list[dict]:
    """Arguments of two traces (right limbs and spine, left limbs) of one skeleton; (17, dims) points."""
    traces = []
    for side, stroke in STROKES.items():
        path = np.where(np.array(stroke)[:, None] < 0, np.float32(np.nan), points[list(stroke)])
        shade = _fade(colour, 0.4, on_white=True) if side == "left" else colour
        width, dot = (7, 4) if points.shape[1] == 3 else (4, 7)  # scatter3d counts differently
        traces.append(
            dict(zip("xyz", path.T))
            | {
                "name": name, "legendgroup": name, "showlegend": side == "right", "mode": "lines+markers",
                "line": {"color": shade, "width": width, "dash": "dash" if side == "left" else "solid"},
                "marker": {"size": dot, "color": shade},
            }
        )  # fmt: skip
    return traces


def _line(name: str, x: Values, y: Values, colour: str, width: float, dash: str = "solid") -> go.Scatter:
    line = {"color": colour, "width": width, "dash": dash}
    return go.Scatter(x=_array(x), y=_array(y), name=name, mode="lines", line=line)


def _fade(colour: str, share: float = 0.8, on_white: bool = False) -> str:
    """The colour nearer to white, or transparent by that share."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    if on_white:
        return "#" + "".join(f"{round(c + (255 - c) * share):02X}" for c in (red, green, blue))
    return f"rgba({red},{green},{blue},{1 - share:.2f})"


def _styled(figure: go.Figure, title: str, **layout) -> go.Figure:
    return figure.update_layout(template=TEMPLATE, title={"text": title} if title else None, **layout)
