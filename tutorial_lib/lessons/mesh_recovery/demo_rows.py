"""Rows instead of volumes: one vertex as three rows of scores, and what both would cost."""

from functools import partial
from typing import Any

import numpy as np
import torch

from tutorial_lib.body_model import body
from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.grid import cell_centres
from tutorial_lib.lessons.mesh_recovery.pictures import CAMERA_BOX, DOING, dots_of
from tutorial_lib.mesh.lixels import REACH, LixelNet, cells_of_rows, cells_of_volumes

SIZES = np.array([8, 16, 24, 32, 48, 64])
AXES = (("x", "blue", "solid"), ("y", "vermillion", "dash"), ("z", "green", "dot"))


def places() -> dict[str, int]:
    """Vertices with a name."""
    v = body().template
    return {
        "top of the head": int(v[:, 2].argmax()), "left hand": int(v[:, 1].argmax()),
        "right hand": int(v[:, 1].argmin()), "left sole": int((v[:, 2] - 0.1 * v[:, 1]).argmin()),
        "belly": int((v - v.new_tensor([0.3, 0.0, 0.1])).norm(dim=-1).argmin()),
    }  # fmt: skip


def compute_rows(net: LixelNet, vertex: int, cells: int, person: int) -> dict[str, Any]:
    """What `rows_demo` shows for these values of its controls."""
    dots = dots_of(person, 0.02)
    with torch.no_grad():
        rows, surface = net.scores(dots)[1][0, :, vertex].softmax(-1), net(dots).vertices[0]
    return {"rows": rows, "surface": surface, "at": surface[vertex], "mark": torch.eye(len(surface))[vertex]}


def view_rows(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `rows_demo`."""
    n, points = params["cells"], len(arrays["surface"])
    centres = REACH * cell_centres(arrays["rows"].shape[-1])
    costs = {"rows": cells_of_rows(points, n), "volumes": cells_of_volumes(points, n)}
    mark = ((arrays["surface"] - arrays["at"]).norm(dim=-1) < 0.06).float()
    return stage.panes(
        stage.scene(
            meshes=[stage.mesh3d("surface", arrays["surface"], body().faces, colour="sky", values=mark)],
            extent=CAMERA_BOX, up="-y", view=(0.0, 4.0), title="red: the vertex",
        ),
        stage.curve(
            [
                stage.series(f"{axis}: {float(place):+.2f} m", centres, row, colour=colour, dash=dash)
                for (axis, colour, dash), row, place in zip(AXES, arrays["rows"], arrays["at"])
            ],
            x=stage.axis("metres from the hip", -REACH, REACH), y=stage.axis("share", 0, 1), title="its three rows",
        ),
        stage.curve(
            [
                stage.series("volumes", SIZES, [cells_of_volumes(points, int(s)) for s in SIZES], colour="vermillion"),
                stage.series("rows", SIZES, [cells_of_rows(points, int(s)) for s in SIZES], colour="blue", dash="dash"),
            ],
            x=stage.axis("cells of a side", 8, 64), y=stage.axis("cells for all vertices", 1e4, 1e9, log=True), now=n,
            title="memory",
        ),
        height=270,
        note=f"{n} cells a side: {costs['rows']:,} cells in rows, {costs['volumes']:,} in volumes",
    )  # fmt: skip


def rows_demo(net: LixelNet) -> Demo:
    """Look at a vertex' rows, and at the bill."""
    known = places()
    controls = {
        "vertex": choice(list(known.items()), known["left hand"], "vertex"),
        "cells": slider(24, 8, 64, 8, "cells of a side"),
        "person": choice([(name, number) for number, name in enumerate(DOING)], 0, "what they do"),
    }
    presets = {
        "a hand": {"vertex": known["left hand"], "cells": 24, "person": 0},
        "the paper's size": {"vertex": known["left hand"], "cells": 64, "person": 0},
        "the belly": {"vertex": known["belly"], "cells": 24, "person": 0},
    }
    return live(
        partial(compute_rows, net), view_rows, controls, presets=presets, title="A surface without a body model",
        recorded=("cells",),
    )  # fmt: skip
