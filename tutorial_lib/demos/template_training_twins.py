"""The static figures of lesson 03's second half: contact sheets, the ablation, errors by body part."""

import base64
import io

import numpy as np
import PIL.Image
import plotly.graph_objects as go
import torch

from tutorial_lib import figures
from tutorial_lib.checkpoints.template_experiment import BODY_PARTS, WEIGHTS
from tutorial_lib.claims import interval

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
    PIL.Image.fromarray(sheet).save(file, format="JPEG", quality=85)
    source = f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
    place = {"x0": -1 + 1 / width, "dx": 2 / width, "y0": tall * (1 / height - 1), "dy": 2 * tall / height}
    figure.add_trace(go.Image(source=source, name="photos", **place))
    return figure.update_layout(showlegend=False, height=max(220, int(80 + 560 * tall)), width=620)


def values(results: dict, run: str, column: str = "all") -> list[float]:
    """Errors of a run in %, one per seed; `results` as `template_experiment.run_all` returns them."""
    return [result[column] for result in results["runs"].get(run, {}).values()]


def _bars(results: dict, runs: list[str], title: str, y_range=None) -> go.Figure:
    means = {run: [interval(values(results, run, c))[0] for c in COLUMNS] for run in runs}
    spans = {}
    for run in runs:
        spread = [interval(values(results, run, c)) for c in COLUMNS]
        spans[run] = [[mean if np.isnan(end) else end for mean, *ends in spread for end in [ends[i]]] for i in (0, 1)]
    return figures.bars(
        means, COLUMNS, y_title="joint error (% of the width)", intervals=spans, title=title, y_range=y_range
    )


def ablation_figure(results: dict) -> go.Figure:
    """Error of each row of the ablation, by body part, with 95 % intervals over the trainings."""
    return _bars(results, [run for run in WEIGHTS if run in results["runs"]], "Without one loss, without both")


def comparison_figure(results: dict) -> go.Figure:
    """No label, all labels, and three answers that look at no photo."""
    still = {f"{name}, no photo": [errors[c] for c in COLUMNS] for name, errors in results["baselines"].items()}
    learned = {"no labels": "main", "all labels": "supervised"}
    rows = {name: [interval(values(results, run, c))[0] for c in COLUMNS] for name, run in learned.items()}
    return figures.bars(
        still | rows, COLUMNS, y_title="joint error (% of the width)", title="What looking at the photo is worth"
    )


def loss_figure(losses: list[float]) -> go.Figure:
    """The loss of a short training, step by step."""
    return figures.curves(
        {"loss of one batch": (np.arange(len(losses)), losses)}, x_title="steps", y_title="loss",
        x_range=(0, len(losses)), y_range=(0, 1.2 * max(losses)), mode="lines+markers", title="Trained on, just now",
    )  # fmt: skip
