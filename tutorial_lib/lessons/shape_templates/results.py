"""The static figures of lesson 03's second half: contact sheets, the ablation, errors by body part."""

import base64
import io

import numpy as np
import PIL.Image
import plotly.graph_objects as go
import torch

from tutorial_lib.display import figures
from tutorial_lib.display.claims import interval
from tutorial_lib.lessons.shape_templates.experiment import CALM, THROWN
from tutorial_lib.templates.errors import BODY_PARTS

COLUMNS = ("all", *BODY_PARTS)


def contact_figure(rows: list[list[torch.Tensor]], title: str) -> go.Figure:
    """Pictures (S, S, 3) in [0, 1] on one sheet, rows of equally many, without axes."""
    gap = 6

    def framed(picture):
        return np.pad(np.asarray(picture.clamp(0, 1)), ((0, gap), (0, gap), (0, 0)), constant_values=1)

    cells = np.concatenate([np.concatenate([framed(p) for p in row], 1) for row in rows])
    sheet = np.round(255 * cells).astype(np.uint8)
    height, width = sheet.shape[:2]
    tall = height / width
    figure = figures.image_plane(aspect=1 / tall, margin=0.01, title=title)
    for name in ("xaxis", "yaxis"):
        figure.layout[name].update(visible=False)
    file = io.BytesIO()
    PIL.Image.fromarray(sheet).save(file, format="JPEG", quality=75)
    source = f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
    place = {"x0": -1 + 1 / width, "dx": 2 / width, "y0": tall * (1 / height - 1), "dy": 2 * tall / height}
    figure.add_trace(go.Image(source=source, name="photos", **place))
    return figure.update_layout(showlegend=False, height=max(220, int(80 + 560 * tall)), width=620)


def values(results: dict, run: str, column: str = "all") -> list[float]:
    """Errors of a run in %, one per seed; `results` as `template_experiment.run_all` returns them."""
    return [result[column] for result in results["runs"].get(run, {}).values()]


def _ends(spread: list[tuple[float, float, float]]) -> list[list[float]]:
    """Lower and upper ends of `interval`s; the mean itself where one training gives none."""
    return [[mean if np.isnan(ends[i]) else ends[i] for mean, *ends in spread] for i in (0, 1)]


def ablation_figure(results: dict) -> go.Figure:
    """Error of each row of both ablations, with 95 % intervals over the trainings."""
    starts = {"begun on the people": CALM, "begun beside the picture": THROWN}
    means, spans = {}, {}
    for start, rows in starts.items():
        spread = [interval(values(results, run)) for run in rows]
        means[start] = [mean for mean, *_ in spread]
        spans[start] = _ends(spread)
    return figures.bars(
        means, tuple(CALM), y_title="joint error (% of the width)", intervals=spans,
        title="Without one loss, without both",
    )  # fmt: skip


def comparison_figure(results: dict) -> go.Figure:
    """No label, all labels, and three answers that look at no photo."""
    still = {f"{name}, no photo": [errors[c] for c in COLUMNS] for name, errors in results["baselines"].items()}
    learned = {"no labels": "main", "all labels": "supervised"}
    spread = {name: [interval(values(results, run, c)) for c in COLUMNS] for name, run in learned.items()}
    rows = {name: [mean for mean, *_ in columns] for name, columns in spread.items()}
    return figures.bars(
        still | rows, COLUMNS, y_title="joint error (% of the width)", title="What looking at the photo is worth",
        intervals={name: _ends(columns) for name, columns in spread.items()},
    )  # fmt: skip
