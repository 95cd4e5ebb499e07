"""Showing figures: `show` puts a PNG beside the interactive figure of a notebook that is executed to be committed.

Previews of notebooks (code hosts, nbconvert, mail) run no JavaScript. In front of a reader whose cell runs there is no
PNG: JupyterLab would show it first, and the figure, of another size and type, when the pointer happens to enter it. The
PNG is painted with matplotlib from the plotly figure itself, for the kinds of traces that `figures` draws; the bytes
are the same at every run.
"""

import base64
import io
import json
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import PIL.Image
import plotly.graph_objects as go
from IPython.display import display
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.figure import Figure

from tutorial_lib.display import rerun
from tutorial_lib.display.beside import beside
from tutorial_lib.display.essence import source as source  # lessons take both from here
from tutorial_lib.display.figures import HEIGHT, MOVING

_DASH = {"solid": "-", "dash": (0, (4, 2)), "dot": (0, (1, 1.5)), "dashdot": "-.", None: "-"}
_DPI = 100
PALETTE = 160
"""Colours of a PNG."""
KINDS = ("scatter", "scatter3d", "bar", "heatmap", "image")


def show(figure: go.Figure, right: go.Figure | None = None) -> None:
    """Display a figure: interactive for a reader whose kernel runs; where none does, also as a PNG.

    Args:
        figure: what is shown.
        right: what stands beside it, see `beside`.
    """
    figure = figure if right is None else beside(figure, right)
    shown = json.loads(figure.to_json()) | {"config": {"responsive": True, "displaylogo": False}}
    shown["layout"].setdefault("height", HEIGHT)
    titles = [figure.layout.title.text] if right is None else [note.text for note in figure.layout.annotations]
    title = ", ".join(filter(None, titles)) or ", ".join(t.name for t in figure.data if t.name)
    bundle = {
        "application/vnd.plotly.v1+json": shown,
        "text/plain": f"figure: {_text(title)}",
    }
    if not rerun.in_a_page():
        bundle["image/png"] = png_base64(figure, right is not None)
    display(bundle, raw=True, metadata={"image/png": {"alt": bundle["text/plain"]}})


def png_base64(figure: go.Figure, halves: bool = False) -> str:
    """`png` as notebooks store it."""
    return base64.b64encode(png(figure, halves)).decode()


def png(figure: go.Figure, halves: bool = False) -> bytes:
    """The figure as a PNG; of a sweep its first, middle and last step side by side.

    At most 800 pixels wide: JupyterLab shows it unscaled until the pointer first enters the figure.

    Args:
        figure: of the kinds of traces that `figures` draws.
        halves: whether it came from `beside`, and its letters have to be small.
    """
    steps = _steps(figure)
    many = len(steps) > 1
    width, height = (
        (800, 380) if many else (figure.layout.width or (800 if halves else 720), figure.layout.height or HEIGHT)
    )
    size = (figure.layout.font.size or figure.layout.template.layout.font.size or 14) * (
        0.55 if many or halves else 0.72
    )
    canvas = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor="white")
    FigureCanvasAgg(canvas)
    axes = []
    for part, (heading, data) in zip(np.atleast_1d(np.asarray(canvas.subfigures(1, len(steps)))), steps):
        drawn = _paint(part, data, figure.layout, heading, size)
        for ax in drawn if axes else ():  # the steps share their upright axis
            (ax.set_zlabel if hasattr(ax, "set_zlabel") else ax.set_ylabel)("")
        axes += drawn
    handles = {}
    for ax in axes:
        handles |= dict(zip(*ax.get_legend_handles_labels()[::-1]))
    if len(figure.data) > 1 and figure.layout.showlegend is not False:
        style = {"loc": "lower center", "fontsize": size, "frameon": False}
        for columns in range(min(4, len(handles)) or 1, 0, -1):
            legend = canvas.legend(handles.values(), handles.keys(), ncols=columns, **style)
            if columns == 1 or legend.get_window_extent().width <= width:
                break
            legend.remove()
    return painted(canvas)


def painted(canvas: Figure) -> bytes:
    """A matplotlib figure as a PNG; with a palette: a third of the size, and the eye sees no difference.

    The palette covers all colours that there are. One of the colours that there are most of, Pillow's own choice, lets
    a small dot beside a photo take the colour of another.
    """
    out, small = io.BytesIO(), io.BytesIO()
    canvas.savefig(out, format="png", dpi=_DPI, metadata={"Software": None})
    whole = PIL.Image.open(out).convert("RGB")
    whole.quantize(PALETTE, PIL.Image.Quantize.MAXCOVERAGE, dither=PIL.Image.Dither.NONE).save(
        small, "PNG", optimize=True
    )
    return small.getvalue()


def _steps(figure: go.Figure) -> list[tuple[str, list[go.Figure]]]:
    """(heading, traces) of the pictures to paint: the figure itself, or three steps of a sweep."""
    title = _text(figure.layout.title.text or "")
    if not figure.frames:
        return [(title, list(figure.data))]
    chosen = sorted({0, len(figure.frames) // 2, len(figure.frames) - 1})
    prefix = figure.layout.sliders[0].currentvalue.prefix if figure.layout.sliders else ""
    result = []
    for index in chosen:
        frame = figure.frames[index]
        still = go.Figure(data=figure.data)
        for trace, moved in zip(still.data, frame.data):
            trace.update({key: moved[key] for key in MOVING if key in moved and moved[key] is not None})
        own = _text((frame.layout.title.text if frame.layout else None) or title)
        result.append((f"{own}\n{prefix}{frame.name}".strip(), list(still.data)))
    return result


def _paint(part: Any, data: Sequence[Any], layout: go.Layout, heading: str, size: float) -> list:
    """Draw the traces into a matplotlib (sub)figure; returns its axes."""
    axes = {}
    for trace in data:
        if trace.type not in KINDS:
            raise ValueError(f"png cannot paint a trace of type {trace.type!r}, expected one of {', '.join(KINDS)}")
        key = _key(trace)
        if key not in axes:
            axes[key] = _axes(part, layout, key, size)
        _trace(axes[key], trace, data)
    for key, ax in axes.items():
        if isinstance(key, tuple):
            _marks(ax, layout, key, size)
    if heading:
        part.suptitle(heading, fontsize=size * 1.2, y=0.98)
    return list(axes.values())


def _key(trace: Any):
    """Which axes a trace belongs to: ("x2", "y2") or "scene2"."""
    return (trace.scene or "scene") if trace.type == "scatter3d" else (trace.xaxis or "x", trace.yaxis or "y")


def _axes(part: Any, layout: go.Layout, key: tuple[str, str] | str, size: float):
    """Matplotlib axes at the domain of plotly's, with its titles, ranges and ticks."""
    solid = isinstance(key, str)
    if solid:
        scene = layout[key]
        spans, parts = (
            (scene.domain.x or (0, 1), scene.domain.y or (0, 1)),
            [scene.xaxis, scene.yaxis, scene.zaxis],
        )
    else:
        parts = [layout[f"{name[0]}axis{name[1:]}"] for name in key]
        spans = [axis.domain or (0, 1) for axis in parts]
    (x0, x1), (y0, y1) = spans
    left, bottom, wide, high = (0.0, 0.06, 0.97, 0.84) if solid else (0.13, 0.24, 0.83, 0.62)
    if not solid and part.bbox.width < 400:  # one of several steps
        left, wide = 0.23, 0.74
    place = [left + x0 * wide, bottom + y0 * high, (x1 - x0) * wide, (y1 - y0) * high]
    ax = part.add_axes(place, projection="3d" if solid else None)
    for name, axis in zip("xyz", parts):
        getattr(ax, f"set_{name}label")(_text(axis.title.text or ""), fontsize=size)
        if axis.type == "log":
            getattr(ax, f"set_{name}scale")("log")
        if axis.range:
            span = [10**v for v in axis.range] if axis.type == "log" else axis.range
            getattr(ax, f"set_{name}lim")(*span)
        if axis.tickvals is not None:
            getattr(ax, f"set_{name}ticks")(list(axis.tickvals), axis.ticktext)
    ax.tick_params(labelsize=size * 0.85)
    if solid:
        ax.set_facecolor("none")  # its square of axes is larger than what is drawn, and would cover a neighbour
        ratio = scene.aspectratio
        ax.set_box_aspect([ratio.x or 1, ratio.y or 1, ratio.z or 1], zoom=0.9)
        eye = scene.camera.eye
        ax.view_init(np.degrees(np.arctan2(eye.z, np.hypot(eye.x, eye.y))), np.degrees(np.arctan2(eye.y, eye.x)))
        ax.locator_params(nbins=4)
    else:
        ax.grid(color="#DDDDDD", linewidth=0.8)
        ax.set_axisbelow(True)
        if parts[1].scaleanchor:
            ax.set_aspect("equal")
        if parts[0].visible is False and parts[1].visible is False:
            ax.set_axis_off()
    return ax


def _trace(ax: Any, trace: Any, data: Sequence[Any]) -> None:
    listed = trace.type != "image" and trace.showlegend is not False
    name = trace.name if trace.name and listed else "_hidden"
    if trace.type in ("scatter", "scatter3d"):
        _scatter(ax, trace, name)
    elif trace.type == "bar":
        group = [other for other in data if other.type == "bar" and _key(other) == _key(trace)]
        width, spots = 0.8 / len(group), np.arange(len(trace.y))
        spots = spots - 0.4 + width * ([t is trace for t in group].index(True) + 0.5)
        ax.bar(spots, trace.y, width * 0.95, color=trace.marker.color, label=name)
        ax.set_xticks(range(len(trace.y)), [str(v) for v in trace.x])
        if trace.error_y.array is not None:
            below = trace.error_y.arrayminus if trace.error_y.arrayminus is not None else trace.error_y.array
            error = np.maximum([below, trace.error_y.array], 0)
            ax.errorbar(spots, trace.y, error, fmt="none", ecolor="#1A1A1A", capsize=4, linewidth=1.6)
    elif trace.type == "image":
        picture = np.asarray(trace.z, dtype=np.uint8) if trace.source is None else _photo(trace.source)
        x, y = ((trace[f"{a}0"] or 0.0, trace[f"d{a}"] or 1.0, n) for a, n in zip("xy", picture.shape[1::-1]))
        (left, right), (top, bottom) = ((start - step / 2, start + (n - 0.5) * step) for start, step, n in (x, y))
        limits = ax.get_xlim(), ax.get_ylim()
        ax.imshow(picture, extent=(left, right, bottom, top), aspect=ax.get_aspect(), zorder=0)
        ax.set(xlim=limits[0], ylim=limits[1])
    else:
        cells = np.asarray(trace.z)
        xs, ys = _edges(trace, "x", cells.shape[1]), _edges(trace, "y", cells.shape[0])
        mesh = ax.pcolormesh(xs, ys, cells, cmap=_colormap(trace.colorscale), vmin=trace.zmin, vmax=trace.zmax)
        if trace.showscale is not False:
            spot = ax.inset_axes([1.02, 0, 0.04, 1])
            ax.figure.colorbar(mesh, cax=spot, label=_text(trace.colorbar.title.text or ""))


def _scatter(ax: Any, trace: Any, name: str) -> None:
    mode, thin = trace.mode or "lines", 0.6 if ax.bbox.width < 300 else 1.0
    solid = trace.type == "scatter3d"
    xyz = [
        np.asarray(trace[axis], dtype=object if axis == "x" and not solid else float)
        for axis in ("xyz" if solid else "xy")
    ]
    if not solid and trace.fill == "toself":
        ax.fill(*xyz, color=_rgba(trace.fillcolor), linewidth=0)
        return
    line = trace.line.color or trace.marker.color
    style = {"color": _rgba(line), "label": name}
    style |= {
        "linestyle": _DASH[trace.line.dash],
        "linewidth": (trace.line.width or 2) * (0.35 if solid else 0.75) * thin,
    }
    if "lines" not in mode:
        style["linestyle"] = "none"
    if "markers" in mode:
        many = not isinstance(trace.marker.color, (str, type(None)))
        style |= {"marker": "o", "markersize": (trace.marker.size or 6) * (0.9 if solid else 0.7) * thin}
        style["markerfacecolor"] = style["markeredgecolor"] = _rgba(None if many else trace.marker.color or line)
    ax.plot(*xyz, **style)
    if not solid and trace.error_y.array is not None:
        below = trace.error_y.arrayminus if trace.error_y.arrayminus is not None else trace.error_y.array
        ax.errorbar(*xyz, np.maximum([below, trace.error_y.array], 0), fmt="none", ecolor=_rgba(line), capsize=3)


def _marks(ax: Any, layout: go.Layout, key: tuple[str, str] | str, size: float) -> None:
    """Shapes and annotations that belong to these axes."""
    paper = {"paper": ax.transAxes}
    for shape in layout.shapes or ():
        if shape.xref not in (key[0], "paper", f"{key[0]} domain", None) or shape.yref not in (
            key[1],
            "paper",
            f"{key[1]} domain",
            None,
        ):
            continue
        pen = {"color": shape.line.color or "#1A1A1A", "linewidth": shape.line.width or 1.5}
        pen["linestyle"] = _DASH[shape.line.dash]
        wide = ax.get_yaxis_transform() if shape.xref in ("paper", f"{key[0]} domain") else ax.transData
        wide = ax.get_xaxis_transform() if shape.yref in ("paper",) else wide
        x0, x1, y0, y1 = shape.x0, shape.x1, shape.y0, shape.y1
        if shape.type == "line":
            ax.plot([x0, x1], [y0, y1], transform=wide, **pen)
        elif shape.type == "rect":
            ax.plot([x0, x1, x1, x0, x0], [y0, y0, y1, y1, y0], transform=wide, **pen)
        elif shape.type == "circle":
            turn = np.linspace(0, 2 * np.pi, 90)
            ax.plot(
                (x0 + x1) / 2 + (x1 - x0) / 2 * np.cos(turn),
                (y0 + y1) / 2 + (y1 - y0) / 2 * np.sin(turn),
                **pen,
            )
    for note in layout.annotations or ():
        if note.xref not in (key[0], "paper", f"{key[0]} domain", None):
            continue
        whole = note.xref in ("paper", f"{key[0]} domain")
        across = ax.get_yaxis_transform() if whole and note.yref != "paper" else ax.transData
        where = paper["paper"] if whole and note.yref == "paper" else across
        y = 10**note.y if where is not paper["paper"] and ax.get_yscale() == "log" else note.y
        sides = {
            "ha": note.xanchor or "center",
            "va": {"middle": "center", None: "bottom"}.get(note.yanchor, note.yanchor),
        }
        ax.text(note.x, y, _text(note.text), transform=where, fontsize=size * 0.85, **sides)


def _photo(uri: str) -> np.ndarray:
    """(rows, columns, 3) uint8 from a data URI, which holds a PNG or a JPEG."""
    data = base64.b64decode(uri.partition(";base64,")[2])
    return np.asarray(PIL.Image.open(io.BytesIO(data)).convert("RGB"))


def _edges(trace: Any, axis: str, count: int) -> np.ndarray:
    """Cell borders of a heat map from x or x0 and dx."""
    if trace[axis] is not None:
        middle = np.asarray(trace[axis], dtype=float)
        step = middle[1] - middle[0] if count > 1 else 1.0
        return np.append(middle - step / 2, middle[-1] + step / 2)
    start, step = trace[f"{axis}0"] or 0.0, trace[f"d{axis}"] or 1.0
    return start + step * (np.arange(count + 1) - 0.5)


def _colormap(scale: Sequence | None):
    if scale is None:
        return colormaps["cividis"]
    return LinearSegmentedColormap.from_list("scale", [(float(at), _rgba(colour)) for at, colour in scale])


def _rgba(colour: str | None):
    """Matplotlib's colour for plotly's."""
    if colour is None:
        return to_rgba("#0072B2")
    match = re.fullmatch(r"rgba?\(([^)]*)\)", colour)
    if not match:
        return to_rgba(colour)
    parts = [float(p) for p in match[1].split(",")]
    return (*(p / 255 for p in parts[:3]), *(parts[3:] or [1.0]))


def _text(text: str) -> str:
    return re.sub(r"<[^>]+>", "", re.sub(r"<br\s*/?>", "\n", text))
