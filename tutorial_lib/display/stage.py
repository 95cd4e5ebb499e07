"""The stage: one small canvas widget that draws 3D skeletons, camera images, curves and tables.

Python describes a picture (`panes(scene(...), curve(...))`), `stage.js` draws it. The whole picture is one
synced dict with its arrays as binary buffers, so one assignment is one message and one redraw. Ranges are
given, never fitted, so that nothing jumps while a slider moves.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, SupportsFloat, get_args

import anywidget
import numpy as np
import torch
import traitlets

from tutorial_lib.display.figures import COLOURS, NAMED, Values
from tutorial_lib.skeleton import BONES, JOINTS, LEFT, RIGHT

Dash = Literal["solid", "dash", "dot"]
Symbol = Literal["circle", "square", "diamond"]
DASHES, SYMBOLS = get_args(Dash), get_args(Symbol)
_SIDE = {joint: "left" for joint in LEFT} | {joint: "right" for joint in RIGHT}
BONE_SIDES = [[parent, child, _SIDE.get(child, "")] for parent, child in BONES]


def script(name: str) -> str:
    """The JavaScript of a widget: the file `name` after what all of them share. One text, since no page can import."""
    return "\n".join(
        Path(__file__).with_name(part).read_text("utf-8")
        for part in ("drawing.js", "mesh.js", "handles.js", "sweeps.js", name)
    )


class Stage(anywidget.AnyWidget):
    """The widget. Assign `state` (from `panes`) and every view of it redraws once.

    Attributes:
        state: the picture.
        grabbed: the last move of a handle: its "name", the place "at" which it was moved, and a "count" of the moves.
    """

    _esm = script("stage.js")
    _css = Path(__file__).with_name("stage.css")
    state = traitlets.Dict().tag(sync=True)
    grabbed = traitlets.Dict().tag(sync=True, echo_update=False)  # the page knows where it was dragged


def panes(
    *parts: dict, fps: float = 25.0, height: int = 330, note: str = "", plays: Literal["frames", "steps"] = "frames"
) -> dict:
    """A complete picture for `Stage.state`: the parts side by side, tables below.

    Args:
        parts: what `scene`, `image`, `curve` and `table` return.
        fps: frames per second of the playback that appears when some skeleton or mesh has several frames.
        height: of every canvas, in CSS pixels.
        note: a remark in the caption, such as a measured error.
        plays: what the playback walks through: "frames" of a video, again and again, or "steps" of an adaptation,
            counted from 0, once, ending at the last.
    """
    _one_of("plays", plays, ("frames", "steps"))
    for part in parts:
        if not isinstance(part, dict) or part.get("kind") not in ("scene", "image", "curve", "table"):
            raise ValueError(f"panes got {type(part).__name__}, expected what scene, image, curve or table returns")
    if not parts:
        raise ValueError("panes got no parts, expected at least one of scene, image, curve, table")
    _positive("fps", fps)
    return {
        "panes": list(parts), "bones": BONE_SIDES, "joints": list(JOINTS), "fps": min(float(fps), 120.0),
        "height": int(height), "note": note, "caption": "", "timing": "", "error": "", "plays": plays,
    }  # fmt: skip


def skeleton3d(
    name: str, points: Values, *, colour: str | None = None, dash: Dash = "solid", width: float = 4.0
) -> dict:
    """One moving 3D skeleton for `scene`. "truth", "before" and "after" have colours of their own.

    Args:
        name: what the legend says.
        points: (17, 3) or (frames, 17, 3), metres.
        colour: of the palette, or "#rrggbb"; by default what the name means, else ink.
        dash: "solid", "dash" or "dot".
        width: of the pen in CSS pixels.
    """
    return _drawn(name, colour, dash, width) | {"points": _frames("points", points, len(JOINTS), 3)}


def mesh3d(
    name: str, vertices: Values, faces: Values, *, colour: str | None = None, values: Values | None = None
) -> dict:
    """One moving surface for `scene`, drawn behind the skeletons.

    Args:
        name: what the legend says.
        vertices: (V, 3) or (frames, V, 3), metres.
        faces: (F, 3) indices of vertices, counter-clockwise seen from outside; what is seen from inside is not drawn.
        colour: of the palette, or "#rrggbb"; by default what the name means, else ink.
        values: (V,) or (frames, V) from 0, the mesh's own colour, to 1, vermillion; None for one colour.

    Raises:
        ValueError: shapes that do not fit, faces without such a vertex, values outside 0 to 1.
    """
    places = finite("vertices", vertices)
    places = places[None] if places.ndim == 2 else places
    if places.ndim != 3 or places.shape[-1] != 3 or not places.size:
        raise ValueError(f"vertices has shape {places.shape}, expected (V, 3) or (frames, V, 3)")
    corners, count = finite("faces", faces), places.shape[1]
    if corners.ndim != 2 or corners.shape[1] != 3 or ((corners < 0) | (corners >= count) | (corners % 1 != 0)).any():
        raise ValueError(f"faces has shape {corners.shape}, expected (F, 3) whole numbers from 0 to {count - 1}")
    heat = None
    if values is not None:
        shares = np.atleast_2d(finite("values", values))
        if shares.shape not in ((1, count), (len(places), count)) or shares.min() < 0 or shares.max() > 1:
            raise ValueError(
                f"values has shape {shares.shape} from {shares.min()} to {shares.max()}, expected ({count},) or "
                f"({len(places)}, {count}) from 0 to 1: divide by what shall count as full"
            )
        heat = pack(shares)
    drawn = _drawn(name, colour, "solid", 1.0)
    return drawn | {"points": pack(places), "faces": pack(corners), "values": heat, "hot": _colour("vermillion")}


def skeleton2d(
    name: str, points: Values, *, colour: str | None = None, dash: Dash = "solid", width: float = 4.0
) -> dict:
    """One moving 2D skeleton for `image`.

    Args:
        name: what the legend says.
        points: (17, 2) or (frames, 17, 2), screen coordinates: x in [-1, 1] across the width, y down.
        colour: of the palette, or "#rrggbb"; by default what the name means, else ink.
        dash: "solid", "dash" or "dot".
        width: of the pen in CSS pixels.
    """
    return _drawn(name, colour, dash, width) | {"points": _frames("points", points, len(JOINTS), 2)}


def scene(
    skeletons: Sequence[dict] = (),
    *,
    extent: Sequence[Sequence[float]] = ((-1, 1), (-1, 1), (0, 2)),
    up: str = "z",
    title: str = "",
    grid: float = 0.5,
    view: tuple[float, float] = (-35.0, 14.0),
    weight: float = 1.0,
    handles: Sequence[dict] = (),
    meshes: Sequence[dict] = (),
) -> dict:
    """A 3D pane: rotate by drag or arrow keys, ctrl and wheel zooms, double-click resets.

    Args:
        skeletons: overlaid, from `skeleton3d`.
        extent: ((x0, x1), (y0, y1), (z0, z1)) in metres; sets the fixed scale, the floor is its lower side.
        up: "z" (world), "-y" (camera: x right, y down, z forward) or "y".
        title: above the pane.
        grid: width of a floor tile in metres.
        view: (azimuth, elevation) in degrees at the start; azimuth 0 looks along the forward axis.
        weight: share of the row's width.
        handles: from `handle`, with a line to run `along`.
        meshes: from `mesh3d`, behind the skeletons.
    """
    box = np.asarray(extent, dtype=np.float64)
    if box.shape != (3, 2) or not np.isfinite(box).all() or (box[:, 0] >= box[:, 1]).any():
        raise ValueError(f"extent is {extent!r}, expected ((x0, x1), (y0, y1), (z0, z1)) in metres, each rising")
    _one_of("up", up, ("z", "y", "-y"))
    _positive("grid", grid)
    return {
        "kind": "scene", "title": title, "weight": weight, "view": [float(angle) for angle in view],
        "skeletons": _parts("skeletons", skeletons, "points", "skeleton3d", 3),
        "meshes": _parts("meshes", meshes, "faces", "mesh3d"),
        "extent": box.tolist(), "up": up, "grid": float(grid), "handles": _held(handles, 3),
    }  # fmt: skip


def polyline(name: str, points: Values, *, colour: str = "grey", dash: Dash = "solid", width: float = 1.5) -> dict:
    """Lines in an `image`, such as a grid.

    Args:
        name: what the legend says.
        points: (length, 2) or (lines, length, 2), screen coordinates. NaN lifts the pen.
        colour: of the palette, or "#rrggbb"; by default what the name means, else ink.
        dash: "solid", "dash" or "dot".
        width: of the pen in CSS pixels.
    """
    array = finite("points", points, nan=True)
    if array.ndim not in (2, 3) or array.shape[-1] != 2:
        raise ValueError(f"points has shape {array.shape}, expected (length, 2) or (lines, length, 2)")
    return _drawn(name, colour, dash, width) | {"points": pack(array.reshape(-1, *array.shape[-2:]))}


def circle(
    name: str,
    radius: float,
    *,
    centre: Sequence[float] = (0.0, 0.0),
    colour: str = "grey",
    dash: Dash = "solid",
    width: float = 2.0,
) -> dict:
    """A circle in an `image`, radius and centre in screen coordinates."""
    _positive("radius", radius)
    return _drawn(name, colour, dash, width) | {"radius": float(radius), "centre": [float(c) for c in centre]}


def dots(
    name: str, points: Values, *, colour: str = "vermillion", size: float = 6.0, symbol: Symbol = "circle"
) -> dict:
    """Markers in an `image`.

    Args:
        name: what the legend says.
        points: (count, 2) or (frames, count, 2), screen coordinates.
        colour: of the palette, or "#rrggbb"; by default what the name means, else ink.
        size: radius in CSS pixels.
        symbol: "circle", "square" or "diamond".
    """
    _one_of("symbol", symbol, SYMBOLS)
    array = finite("points", points)
    if array.ndim not in (2, 3) or array.shape[-1] != 2:
        raise ValueError(f"points has shape {array.shape}, expected (count, 2) or (frames, count, 2)")
    packed = pack(array.reshape(-1, *array.shape[-2:]))
    return _drawn(name, colour, "solid", 1.0) | {"points": packed, "size": float(size), "symbol": symbol}


def handle(
    name: str,
    at: Sequence[float],
    *,
    axis: Literal["", "x", "y"] = "",
    along: Sequence[float] | None = None,
    colour: str = "ink",
) -> dict:
    """What a reader takes hold of in a pane: mouse, finger and arrow keys move it; `live(grabs=...)` says what for.

    Args:
        name: what it is, such as "left wrist"; `grabs` knows it by this name.
        at: where it lies, in the pane's units: (2,), or (3,) in a scene.
        axis: "x" or "y" if it moves along one axis of the picture alone.
        along: (3,), the direction in which it moves in a scene, metres.
        colour: of the palette, or "#rrggbb".

    Raises:
        ValueError: a place or direction that is not finite, or a place in space without a direction.
    """
    _one_of("axis", axis, ("", "x", "y"))
    place = [float(value) for value in finite("at", at)]
    line = None if along is None else [float(value) for value in finite("along", along)]
    if len(place) == 3 and (line is None or len(line) != 3 or not any(line)):
        raise ValueError(
            f"along is {along!r}, expected a direction (x, y, z): in space a pointer needs a line to follow"
        )
    return {"name": name, "at": place, "axis": axis, "along": line, "colour": _colour(colour)}


def image(
    *,
    skeletons: Sequence[dict] = (),
    lines: Sequence[dict] = (),
    circles: Sequence[dict] = (),
    dots: Sequence[dict] = (),
    picture: Values | None = None,
    heat: Values | None = None,
    levels: Sequence[float] = (0.0, 1.0),
    heat_name: str = "",
    heat_colour: str = "vermillion",
    aspect: float = 1.0,
    cross: Sequence[float] | None = (0.0, 0.0),
    margin: float = 0.08,
    title: str = "",
    weight: float = 1.0,
    handles: Sequence[dict] = (),
) -> dict:
    """The camera's image: x in [-1, 1] across the width, y down, cells centred at (i + 0.5) / width.

    Args:
        skeletons: from `skeleton2d`.
        lines: from `polyline`.
        circles: from `circle`.
        dots: from `dots`.
        picture: (rows, columns) grey or (rows, columns, 3) colour, in `levels`.
        heat: (rows, columns), drawn as opacity of one colour: `levels[0]` clear, `levels[1]` full.
        levels: (low, high) of `picture` and `heat`.
        heat_name: what the legend says.
        heat_colour: of the palette.
        aspect: width / height of the image.
        cross: principal point in screen coordinates, or None.
        margin: room around the frame, as a share of the width, for what leaves the image.
        title: above the pane.
        weight: share of the row's width.
        handles: from `handle`, in screen coordinates.
    """
    _positive("aspect", aspect)
    if not levels[0] < levels[1]:
        raise ValueError(f"levels is {levels!r}, expected (low, high) with low < high")
    cells: dict[str, dict] = {}
    for key, value, shapes in (("picture", picture, ((2,), (3,))), ("heat", heat, ((2,),))):
        if value is not None:
            array = finite(key, value)
            if (array.ndim,) not in shapes or (array.ndim == 3 and array.shape[2] != 3):
                raise ValueError(
                    f"{key} has shape {array.shape}, expected (rows, columns){' or (…, 3)' * len(shapes[1:])}"
                )
            limits = float(levels[0]), float(levels[1])
            cells[key] = {"cells": pack(array, limits if key == "picture" else None), "range": list(limits)}
    if heat is not None:
        cells["heat"] |= {"name": heat_name, "colour": _colour(heat_colour)}
    return cells | {
        "kind": "image", "title": title, "aspect": float(aspect), "margin": float(margin), "weight": weight,
        "cross": None if cross is None else [float(c) for c in cross],
        "skeletons": _parts("skeletons", skeletons, "points", "skeleton2d", 2),
        "lines": _parts("lines", lines, "points", "polyline"),
        "circles": _parts("circles", circles, "radius", "circle"),
        "dots": _parts("dots", dots, "points", "dots"), "handles": _held(handles, 2),
    }  # fmt: skip


def series(
    name: str,
    x: Values,
    y: Values,
    *,
    colour: str = "blue",
    dash: Dash = "solid",
    width: float = 2.5,
    mode: Literal["line", "markers", "line+markers", "bars"] = "line",
    band: Sequence[Values] | None = None,
    symbol: Symbol = "circle",
    bar: float = 0.8,
    shift: float = 0.0,
) -> dict:
    """One line, set of markers or set of bars for `curve`. NaN leaves a gap.

    Args:
        name: what the legend says.
        x: (points,) in the axis's unit.
        y: (points,) in the axis's unit.
        colour: of the palette, or "#rrggbb"; by default what the name means, else ink.
        dash: "solid", "dash" or "dot".
        width: of the pen in CSS pixels.
        mode: "line", "markers", "line+markers" or "bars".
        band: (low, high), each (points,), drawn as a shade.
        symbol: "circle", "square" or "diamond".
        bar: width of the bars, in units of x.
        shift: offset of the bars, in units of x.
    """
    _one_of("symbol", symbol, SYMBOLS)
    _one_of("mode", mode, ("line", "markers", "line+markers", "bars"))
    xs, ys = (finite(key, value, nan=True) for key, value in (("x", x), ("y", y)))
    limits = [] if band is None else [finite("band", side) for side in band]
    if xs.ndim != 1 or any(other.shape != xs.shape for other in (ys, *limits)) or len(limits) not in (0, 2):
        shapes = [part.shape for part in (xs, ys, *limits)]
        raise ValueError(f"series {name!r}: x, y and band have shapes {shapes}, expected one shape (points,)")
    packed = {"lo": pack(limits[0]), "hi": pack(limits[1])} if limits else None
    return _drawn(name, colour, dash, width) | {
        "x": pack(xs), "y": pack(ys), "mode": mode, "band": packed, "symbol": symbol,
        "bar": float(bar), "shift": float(shift),
    }  # fmt: skip


def hline(name: str, y: float, *, colour: str = "grey", dash: Dash = "dash") -> dict:
    """A horizontal reference line for `curve`, with its name written on it."""
    return _drawn(name, colour, dash, 2.0) | {"y": float(finite("y", y))}


def axis(label: str, low: float, high: float, *, log: bool = False, ticks: dict[str, float] | None = None) -> dict:
    """An axis of `curve` with a fixed range. The label says the unit: "error (mm)".

    Args:
        label: what is measured, and its unit.
        low: the lower end.
        high: the upper end.
        log: whether it is logarithmic.
        ticks: names of places, such as {"knee": 2}, instead of numbers.
    """
    if not (np.isfinite([low, high]).all() and low < high) or (log and low <= 0):
        raise ValueError(f"axis {label!r} runs from {low} to {high}, expected finite, rising, above 0 if log")
    named = [[float(place), name] for name, place in ticks.items()] if ticks else None
    return {"label": label, "range": [float(low), float(high)], "log": log, "ticks": named}


def curve(
    series: Sequence[dict],
    *,
    x: dict,
    y: dict,
    lines: Sequence[dict] = (),
    now: Values | None = None,
    grab: str = "",
    title: str = "",
    weight: float = 1.0,
    handles: Sequence[dict] = (),
) -> dict:
    """A plot with fixed axes.

    Args:
        series: from `series`.
        x: from `axis`.
        y: from `axis`.
        lines: from `hline`.
        now: place on the x axis marked by an upright line; (frames,) places follow the playback, and are dragged.
        grab: name of a handle on the upright line, which moves along x; `live(grabs=...)` knows it by this name.
        title: above the pane.
        weight: share of the row's width.
        handles: from `handle`, in the axes' units.
    """
    marks = None if now is None else pack(np.atleast_1d(finite("now", now)))
    if grab:
        if marks is None or marks["shape"] != [1]:
            raise ValueError(f"grab is {grab!r}, expected one place as `now`, which it takes hold of")
        (low, high), share = y["range"], 0.9  # of the way up
        height = low * (high / low) ** share if y["log"] else low + share * (high - low)
        handles = [*handles, handle(grab, (float(unpack(marks)[0]), height), axis="x")]
    return {
        "kind": "curve", "title": title, "series": _parts("series", series, "mode", "series"), "x": x, "y": y,
        "lines": _parts("lines", lines, "y", "hline"), "now": marks, "weight": weight,
        "handles": _held(handles, 2),
    }  # fmt: skip


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, title: str = "", best: str | None = None) -> dict:
    """A table under the canvases: the first column names the row.

    Args:
        columns: the headings.
        rows: strings or numbers; numbers are compared as shown.
        title: above the pane.
        best: "min" or "max" underlines the best number of every row; None underlines nothing.
    """
    texts = [[str(cell) for cell in row] for row in rows]
    if any(len(row) != len(columns) for row in texts):
        raise ValueError(f"rows have {[len(row) for row in texts]} cells, expected {len(columns)} as in columns")
    if best is not None:
        _one_of("best", best, ("min", "max"))
    marks = [_best(row, best) if best else -1 for row in texts]
    return {
        "kind": "table",
        "title": title,
        "columns": [str(c) for c in columns],
        "rows": texts,
        "best": marks,
    }


def signed(value: SupportsFloat, digits: int = 2) -> str:
    """A number with its sign, for `table`, and the typographic minus of the read-outs."""
    return f"{float(value):+.{digits}f}".replace("-", "\u2212")


def unpack(packed: dict) -> np.ndarray:
    """The array inside a state, as in `unpack(state["panes"][0]["skeletons"][0]["points"])`: for tests."""
    if "levels" not in packed:
        return np.frombuffer(packed["data"], dtype=np.float32).reshape(packed["shape"])
    low, high = packed["levels"]
    steps = np.frombuffer(packed["data"], dtype=np.uint8).reshape(packed["shape"])
    return (low + (high - low) / 255 * steps.astype(np.float64)).astype(np.float32)


# ------------------------------------------------------------------ checks
def finite(argument: str, value: Values, nan: bool = False) -> np.ndarray:
    """float32 array from a tensor, an array or a list; refuses what is not finite."""
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().numpy()
    array = np.asarray(value, dtype=np.float32)
    bad = np.isinf(array) if nan else ~np.isfinite(array)
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(
            f"{argument} holds {array[where]} at index {where} ({int(bad.sum())} such values), expected "
            "finite numbers: look for a division by zero or a folded distortion upstream"
        )
    return array


def _frames(argument: str, value: Values, joints: int, dims: int) -> dict:
    array = finite(argument, value)
    if array.ndim == 2:
        array = array[None]
    if array.ndim != 3 or array.shape[1:] != (joints, dims) or not len(array):
        raise ValueError(
            f"{argument} has shape {array.shape}, expected ({joints}, {dims}) or (frames, {joints}, {dims}): "
            "pick one person with an index, keep joints and coordinates last"
        )
    return pack(array)


def pack(array: np.ndarray, levels: tuple[float, float] | None = None) -> dict:
    """An array as it travels in a state: `unpack` undoes it.

    Args:
        array: of any shape.
        levels: (low, high): it travels as one byte a number, the nearest of 256 levels, a quarter of its size. For
            what a screen shows in 256 levels anyway.
    """
    if levels is None:
        return {"shape": list(array.shape), "data": np.ascontiguousarray(array, dtype="<f4").tobytes()}
    return {"shape": list(array.shape), "data": in_bytes(array, levels).tobytes(), "levels": list(levels)}


def in_bytes(array: np.ndarray, levels: tuple[float, float]) -> np.ndarray:
    """The nearest of 256 levels from low to high for every number, as uint8; what lies beyond them is cut off."""
    low, high = levels
    steps = np.round((array.astype(np.float64) - low) * (255 / (high - low)))
    return np.clip(steps, 0, 255).astype(np.uint8)


def _drawn(name: str, colour: str | None, dash: str, width: float) -> dict:
    _one_of("dash", dash, DASHES)
    colour = colour or NAMED.get(name, "ink")
    return {"name": name, "colour": _colour(colour), "dash": dash, "width": float(width)}


def _colour(colour: str) -> str:
    """Hex code for a palette name; "ink" and "grey" stay names because they follow the page's theme."""
    if colour in ("ink", "grey") or (colour.startswith("#") and len(colour) == 7):
        return colour
    _one_of("colour", colour, tuple(COLOURS))
    return COLOURS[colour]


def _parts(argument: str, parts: Sequence[dict], key: str, maker: str, dims: int | None = None) -> list[dict]:
    for part in parts:
        fine = isinstance(part, dict) and key in part and (dims is None or part[key]["shape"][-1] == dims)
        if not fine:
            raise ValueError(f"{argument} holds {type(part).__name__}, expected what {maker}(...) returns")
    return list(parts)


def _held(handles: Sequence[dict], dims: int) -> list[dict]:
    for held in handles:
        if not isinstance(held, dict) or len(held.get("at", ())) != dims:
            raise ValueError(f"handles holds {held!r}, expected what handle(...) returns for a place of {dims} numbers")
    return list(handles)


def _one_of(argument: str, value: str, options: Sequence[str]) -> None:
    if value not in options:
        raise ValueError(f"{argument} is {value!r}, expected one of {', '.join(map(repr, options))}")


def _positive(argument: str, value: float) -> None:
    if not (np.isfinite(value) and value > 0):
        raise ValueError(f"{argument} is {value}, expected a finite number above 0")


def _best(row: list[str], best: str) -> int:
    """Index of the row's best number (the first at a tie), -1 if there is none."""
    numbers = {}
    for index, text in enumerate(row[1:], start=1):
        try:
            numbers[index] = float(text.split("±")[0].split()[0].replace("\u2212", "-"))
        except (ValueError, IndexError):
            continue
    return (min if best == "min" else max)(numbers, key=lambda index: numbers[index]) if numbers else -1
