"""A demo's picture where nothing runs: what `stage.panes` describes, painted as a PNG.

The same description is drawn by stage.js in a live notebook, so the two cannot show different things. Previews of
notebooks (code hosts, nbconvert, mail) run no JavaScript; they show this.
"""

import base64
import sys
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from mpl_toolkits.mplot3d.art3d import Poly3DCollection

from tutorial_lib.display.figures import COLOURS, STROKES
from tutorial_lib.display.moments import Moments
from tutorial_lib.display.preview import painted
from tutorial_lib.display.stage import unpack

WIDTH, HEIGHT, ROW, STRIP = 8.0, 3.4, 0.24, 0.8
"""Inches at 100 pixels each: of a row of panes without its legends, the height of a table's row and of a strip."""
_BELOW = 0.1

_DASHES = {"solid": "-", "dash": (0, (4, 2)), "dot": (0, (1, 1.5))}
_MARKERS = {"circle": "o", "square": "s", "diamond": "D"}
_SIZE = 9


def png(picture: dict[str, Any], frame: int | None = None, title: str = "", strips: Sequence[Moments] = ()) -> bytes:
    """Paint a picture; the bytes are the same at every run.

    Args:
        picture: what `stage.panes` returns.
        frame: which frame of what moves; by default the middle one, of steps the last.
        title: above the picture's own note.
        strips: controls that are pictures themselves, above the panes.
    """
    if frame is None and picture["plays"] == "steps":
        frame = sys.maxsize
    panes = [pane for pane in picture["panes"] if pane["kind"] != "table"]
    tables = [pane for pane in picture["panes"] if pane["kind"] == "table"]
    shares = [pane["weight"] for pane in panes]
    wides = [WIDTH * share / sum(shares) for share in shares]
    rows = [-(-len(_names(pane)) // _columns(pane, wide)) for pane, wide in zip(panes, wides)]
    legend = 0.14 * max(rows, default=0) + 0.1 * any(rows)
    lines = max((_heading(pane, wide).count("\n") for pane, wide in zip(panes, wides)), default=0)
    tall = (HEIGHT + legend + 0.14 * lines) * bool(panes)
    heights = [ROW * (_head(table) + len(table["rows"]) + bool(table["title"]) + 0.6) for table in tables]
    head = [text for text in (title, picture["note"]) if text]
    total = 0.3 * len(head) + STRIP * len(strips) + tall + sum(heights)
    canvas = Figure(figsize=(WIDTH, total), facecolor="white")
    FigureCanvasAgg(canvas)
    for number, text in enumerate(head):
        style: dict[str, Any] = {"fontsize": _SIZE + 2, "fontweight": "bold"} if text == title else {"fontsize": _SIZE}
        canvas.text(0.5, 1 - 0.3 * (number + 0.6) / total, text, ha="center", va="center", **style)
    top = total - 0.3 * len(head)
    for strip in strips:
        top -= STRIP
        ax = _Box(0, top, WIDTH, STRIP).axes(canvas, (0.1, 0.05, 0.1, 0.22))
        ax.set_title(f"{strip.description}: {strip.readout()}", fontsize=_SIZE, pad=3)
        strip.paint(ax)
    left = 0.0
    for pane, wide in zip(panes, wides):
        _PAINTERS[pane["kind"]](canvas, pane, _Box(left, top - tall + legend, wide, HEIGHT), frame)
        left += wide
    top -= tall
    for table, high in zip(tables, heights):
        top -= high
        _table(canvas, table, _Box(0.3, top, WIDTH - 0.6, high))
    return painted(canvas)


def png_base64(picture: dict[str, Any], frame: int | None = None, title: str = "", **more: Any) -> str:
    """`png` as notebooks store it."""
    return base64.b64encode(png(picture, frame, title, **more)).decode()


class _Box(tuple):
    """Left, bottom, width and height in inches of a part of the canvas."""

    def __new__(cls, *sides: float) -> "_Box":
        return super().__new__(cls, sides)

    def axes(self, canvas: Figure, inner: tuple[float, float, float, float], **options: Any) -> Axes:
        """Axes inside, with margins in inches: left, bottom, right, top."""
        (x, y, wide, high), (left, bottom, right, top) = self, inner
        total = canvas.get_figheight()
        place = ((x + left) / WIDTH, (y + bottom) / total, (wide - left - right) / WIDTH, (high - bottom - top) / total)
        return canvas.add_axes(place, **options)


def _points(packed: dict[str, Any], frame: int | None) -> np.ndarray:
    """(count, dims) of one frame of a packed array (frames, count, dims)."""
    array = unpack(packed)
    return array[len(array) // 2 if frame is None else min(frame, len(array) - 1)]


def _hex(colour: str) -> str:
    return COLOURS.get(colour, colour)


def _pen(part: dict[str, Any]) -> dict[str, Any]:
    return {"color": _hex(part["colour"]), "linestyle": _DASHES[part["dash"]], "linewidth": 0.6 * part["width"]}


def _skeleton(
    ax: Axes, part: dict[str, Any], frame: int | None, order: tuple[int, ...], signs: tuple[int, ...]
) -> None:
    points = _points(part["points"], frame)[:, order] * signs
    full = np.array(to_rgba(_hex(part["colour"])))
    for side, stroke in STROKES.items():
        path = np.where(np.array(stroke)[:, None] < 0, np.nan, points[list(stroke)])
        pen: dict[str, Any] = _pen(part) | (
            {"color": 1 - 0.6 * (1 - full[:3]), "linestyle": (0, (2, 1))} if side == "left" else {}
        )
        ax.plot(*path.T, **pen, marker="o", markersize=0.7 * part["width"] + 0.5)
    ax.plot(*[[np.nan]] * points.shape[1], **_pen(part), label=part["name"])


def _names(pane: dict[str, Any]) -> list[str]:
    """What the legend of a pane lists."""
    parts = [
        part for key in ("skeletons", "meshes", "lines", "circles", "dots", "series") for part in pane.get(key, ())
    ]
    parts += [pane["heat"]] if "heat" in pane else []
    return list(
        dict.fromkeys(
            part["name"] for part in parts if part["name"] and (pane["kind"] != "curve" or "y" in part and "x" in part)
        )
    )


def _columns(pane: dict[str, Any], wide: float) -> int:
    """How many names of the legend fit beside each other in so many inches."""
    longest = max((len(name) for name in _names(pane)), default=0)
    return max(1, min(3, int(13 * wide / (longest + 7))))


def _legend(ax: Axes, pane: dict[str, Any], wide: float, below: float) -> None:
    handles = dict(zip(*ax.get_legend_handles_labels()[::-1]))
    names = [name for name in _names(pane) if name in handles]
    if names:
        ax.legend(
            [handles[name] for name in names], names, loc="upper center", bbox_to_anchor=(0.5, -below), frameon=False,
            fontsize=_SIZE - 2, ncols=_columns(pane, wide), columnspacing=1.0, handlelength=1.6, labelspacing=0.2,
            markerscale=0.6,
        )  # fmt: skip


def _heading(pane: dict[str, Any], wide: float) -> str:
    """The pane's title on as many lines as it needs."""
    return "\n".join(textwrap.wrap(pane["title"], int(11 * wide)))


def _title(ax: Axes, pane: dict[str, Any], box: _Box) -> None:
    ax.set_title(_heading(pane, box[2]), fontsize=_SIZE, pad=5)


def _scene(canvas: Figure, pane: dict[str, Any], box: _Box, frame: int | None) -> None:
    ax: Any = box.axes(canvas, (0.0, _BELOW + 0.1, 0.0, 0.2), projection="3d")
    # Matplotlib has z up: which of our axes stands for it, and which way.
    order, signs = {"z": ((0, 1, 2), (1, 1, 1)), "-y": ((0, 2, 1), (1, 1, -1)), "y": ((0, 2, 1), (1, -1, 1))}[
        pane["up"]
    ]
    for part in pane["skeletons"]:
        _skeleton(ax, part, frame, order, signs)
    _handles(ax, pane, order, signs)
    extent = np.array(pane["extent"])[list(order)] * np.array(signs)[:, None]
    for axis, number, sign, span in zip("xyz", order, signs, np.sort(extent, axis=1)):
        getattr(ax, f"set_{axis}lim")(*span)
        getattr(ax, f"set_{axis}label")(f"{'xyz'[number]} (m)", fontsize=_SIZE - 2, labelpad=-7)
        ticks = getattr(ax, f"{axis}axis")
        ticks.set_major_locator(MaxNLocator(3))
        ticks.set_major_formatter(lambda value, _, sign=sign: f"{sign * value + 0.0:g}")
    azimuth, elevation = pane["view"]
    ax.view_init(elevation, azimuth - 90)
    ax.computed_zorder = not pane["meshes"]  # skeletons shine through meshes, as they do on the stage
    if pane["meshes"]:
        # One collection: matplotlib sorts triangles by depth within a collection only.
        corners, inks = zip(*(_shaded(ax, part, frame, order, signs) for part in pane["meshes"]))
        colours = np.concatenate(inks)
        ax.add_collection3d(
            Poly3DCollection(np.concatenate(corners), facecolors=colours, edgecolors=colours, linewidths=0.2)
        )
    ax.tick_params(labelsize=_SIZE - 3, pad=-3)
    ax.set_facecolor("none")
    _within(ax, box, np.ptp(extent, axis=1))
    _title(ax, pane, box)
    _legend(ax, pane, box[2], 0.04)


def _shaded(ax: Any, part: dict[str, Any], frame: int | None, order: Any, signs: Any) -> tuple[np.ndarray, np.ndarray]:
    """Triangles (F, 3, 3) that face the viewer, and their colours (F, 3), shaded as stage.js shades: light from above
    the viewer's left shoulder."""
    corners = _points(part["points"], frame)[:, order] * signs
    faces = unpack(part["faces"]).astype(int)
    normal = np.cross(corners[faces[:, 1]] - corners[faces[:, 0]], corners[faces[:, 2]] - corners[faces[:, 0]])
    normal *= np.linalg.det(np.eye(3)[list(order)] * signs) / np.linalg.norm(normal, axis=1, keepdims=True).clip(1e-12)
    azimuth, elevation = np.deg2rad([ax.azim, ax.elev])
    right = np.array([-np.sin(azimuth), np.cos(azimuth), 0])
    toward = np.array([np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)])
    light = normal @ (0.85 * toward + 0.35 * np.cross(toward, right) - 0.25 * right)
    own, hot = (np.array(to_rgba(_hex(part[key])))[:3] for key in ("colour", "hot"))
    heat = np.zeros(len(faces)) if part["values"] is None else _points(part["values"], frame)[faces].mean(1)
    inks = (own + heat[:, None] * (hot - own)) * (0.3 + 0.7 * light).clip(0, 1)[:, None]
    seen = normal @ toward > 0
    ax.plot([np.nan], [np.nan], [np.nan], "s", color=own, label=part["name"])
    return corners[faces[seen]], inks[seen]


def _handles(ax: Any, pane: dict[str, Any], order: Sequence[int], signs: Sequence[int]) -> None:
    """Rings where a reader with a kernel can take hold of the picture."""
    for held in pane["handles"]:
        place = [[sign * held["at"][number]] for number, sign in zip(order, signs)]
        ax.plot(*place, "o", color=_hex(held["colour"]), markerfacecolor="none", markersize=9, markeredgewidth=1.6)


def _within(ax: Any, box: _Box, sides: np.ndarray) -> None:
    """Smaller, and moved aside, until no wall or label of a scene stands in the next pane."""
    canvas = ax.figure
    left, right = (canvas.dpi * edge for edge in (box[0] + 0.04, box[0] + box[2] - 0.04))
    low = high = 0.0
    for zoom in (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7):
        ax.set_box_aspect(sides, zoom=zoom)
        canvas.draw_without_rendering()  # both have a place only after they were drawn
        drawn = [
            part.get_window_extent() for axis in (ax.xaxis, ax.yaxis, ax.zaxis) for part in (axis.label, axis.pane)
        ]
        low, high = min(part.x0 for part in drawn), max(part.x1 for part in drawn)
        if high - low <= right - left:
            break
    aside = min(max(low, left), right - (high - low)) - low
    ax.set_position(ax.get_position(original=True).translated(aside / canvas.bbox.width, 0))


def _image(canvas: Figure, pane: dict[str, Any], box: _Box, frame: int | None) -> None:
    ax = box.axes(canvas, (0.12, _BELOW, 0.12, 0.3))
    tall, room = 1 / pane["aspect"], 1 + pane["margin"]
    for key in ("picture", "heat"):
        if key in pane:
            low, high = pane[key]["range"]
            cells = np.clip((unpack(pane[key]["cells"]) - low) / (high - low), 0, 1)
            if key == "heat":
                cells = np.concatenate(
                    [np.broadcast_to(to_rgba(_hex(pane[key]["colour"]))[:3], (*cells.shape, 3)), cells[..., None]], -1
                )
            ax.imshow(
                cells, extent=(-1, 1, tall, -tall), cmap="gray", vmin=0, vmax=1, interpolation="nearest", zorder=0
            )
    if "heat" in pane:  # an area without a corner, for the legend
        ax.fill([np.nan], [np.nan], color=_hex(pane["heat"]["colour"]), label=pane["heat"]["name"])
    for part in pane["lines"]:
        for number, line in enumerate(unpack(part["points"])):
            ax.plot(*line.T, **_pen(part), label=part["name"] if not number else None)
    angle = np.linspace(0, 2 * np.pi, 90)
    for part in pane["circles"]:
        x, y = part["centre"]
        ax.plot(
            x + part["radius"] * np.cos(angle), y + part["radius"] * np.sin(angle), **_pen(part), label=part["name"]
        )
    for part in pane["skeletons"]:
        _skeleton(ax, part, frame, (0, 1), (1, 1))
    for part in pane["dots"]:
        x, y = _points(part["points"], frame).T
        ax.plot(
            x,
            y,
            _MARKERS[part["symbol"]],
            color=_hex(part["colour"]),
            markersize=0.9 * part["size"],
            label=part["name"],
        )
    _handles(ax, pane, (0, 1), (1, 1))
    if pane["cross"] is not None:
        ax.plot(*pane["cross"], "+", color=COLOURS["grey"], markersize=9)
    ax.plot([-1, 1, 1, -1, -1], [-tall, -tall, tall, tall, -tall], color=COLOURS["ink"], linewidth=1)
    ax.set(xlim=(-room, room), ylim=(tall * room, -tall * room), aspect="equal")
    ax.set_axis_off()
    _title(ax, pane, box)
    _legend(ax, pane, box[2], -0.02)


def _curve(canvas: Figure, pane: dict[str, Any], box: _Box, frame: int | None) -> None:
    named = max((len(name) for _, name in pane["y"]["ticks"] or ()), default=0)
    labels = {"x": "\n".join(textwrap.wrap(pane["x"]["label"], int(13 * box[2]))), "y": pane["y"]["label"]}
    below = 0.45 + 0.13 * labels["x"].count("\n")
    ax = box.axes(canvas, (0.6 + 0.06 * max(0, named - 4), _BELOW + below, 0.14, 0.3))
    for part in pane["series"]:
        x, y = unpack(part["x"]), unpack(part["y"])
        if part["band"]:
            ax.fill_between(
                x,
                unpack(part["band"]["lo"]),
                unpack(part["band"]["hi"]),
                color=_hex(part["colour"]),
                alpha=0.2,
                linewidth=0,
            )
        if part["mode"] == "bars":
            ax.bar(x + part["shift"], y, part["bar"], color=_hex(part["colour"]), label=part["name"])
            continue
        style = _pen(part) | {"label": part["name"]}
        style |= {"linestyle": "none"} if part["mode"] == "markers" else {}
        style |= {"marker": _MARKERS[part["symbol"]], "markersize": 4} if "markers" in part["mode"] else {}
        ax.plot(x, y, **style)
    for axis in "xy":
        spec = pane[axis]
        getattr(ax, f"set_{axis}scale")("log" if spec["log"] else "linear")
        getattr(ax, f"set_{axis}lim")(*spec["range"])
        getattr(ax, f"set_{axis}label")(labels[axis], fontsize=_SIZE - 1)
        if spec["ticks"]:
            places, names = zip(*spec["ticks"])
            getattr(ax, f"set_{axis}ticks")(places, names)
    for part in pane["lines"]:
        ax.axhline(part["y"], color=_hex(part["colour"]), linestyle=_DASHES[part["dash"]], linewidth=1.2)
        ax.text(
            0.99,
            part["y"],
            part["name"],
            transform=ax.get_yaxis_transform(),
            ha="right",
            va="bottom",
            fontsize=_SIZE - 2,
        )
    if pane["now"] is not None:
        places = unpack(pane["now"])
        ax.axvline(
            places[min(len(places) // 2 if frame is None else frame, len(places) - 1)],
            color=COLOURS["grey"],
            linewidth=1,
        )
    _handles(ax, pane, (0, 1), (1, 1))
    ax.tick_params(labelsize=_SIZE - 2)
    ax.grid(color="#DDDDDD", linewidth=0.7)
    ax.set_axisbelow(True)
    _title(ax, pane, box)
    _legend(ax, pane, box[2], (below + 0.06) / (box[3] - _BELOW - below - 0.3))


def _wrapped(table: dict[str, Any]) -> list[str]:
    """The heads of the columns, those that are long on several lines."""
    return ["\n".join(textwrap.wrap(name, 14)) if len(name) > 18 else name for name in table["columns"]]


def _head(table: dict[str, Any]) -> int:
    """Lines of the highest head."""
    return max(name.count("\n") for name in _wrapped(table)) + 1


def _table(canvas: Figure, pane: dict[str, Any], box: _Box) -> None:
    ax = box.axes(canvas, (0, 0, 0, 0))
    ax.set_axis_off()
    ax.set(xlim=(0, 1), ylim=(box[3] / ROW, 0))
    top = 0.0
    if pane["title"]:
        ax.text(0, 0.5, pane["title"], fontsize=_SIZE, fontweight="bold", va="center")
        top = 1.0
    heads = _wrapped(pane)
    longest = [
        max(len(line) for line in (*head.split("\n"), *(row[i] for row in pane["rows"])))
        for i, head in enumerate(heads)
    ]
    ends = np.cumsum(np.array(longest) + 3.0)
    ends /= max(ends[-1], 90)
    small = min(1.0, 110 / (sum(longest) + 3 * len(longest)))
    for number, row in enumerate([heads, *pane["rows"]]):
        high = _head(pane) if not number else 1
        for column, text in enumerate(row):
            best = number > 0 and pane["best"][number - 1] == column
            ax.text(
                0 if column == 0 else ends[column], top + high / 2, text, fontsize=small * (_SIZE - 1), va="center",
                ha="left" if column == 0 else "right", fontweight="bold" if best or not number else "normal",
            )  # fmt: skip
        top += high
        ax.axhline(top, xmax=ends[-1], color="#CCCCCC", linewidth=0.6)


_PAINTERS = {"scene": _scene, "image": _image, "curve": _curve}
