"""Static figures and their pictures: data, determinism, size."""

import base64
import io
import json

import matplotlib.image
import numpy as np
import plotly.graph_objects as go
import pytest
import torch

from tutorial_lib.display import figures, preview, rerun

BODY = torch.tensor(np.random.default_rng(0).normal(size=(17, 3)).astype(np.float32))


def examples():
    x = [0.0, 0.1, 0.2]
    return {
        "skeletons_3d": figures.skeletons_3d({"truth": BODY, "after": BODY + 0.1}, title="pose"),
        "camera frame": figures.skeletons_3d({"truth": BODY}, extent=((-1, 1), (-1, 1), (3, 5)), up="-y"),
        "image_plane": figures.image_plane(
            skeletons={"truth": BODY[:, :2]}, grid=np.zeros((3, 5, 2)), circles={"limit": 0.9}, aspect=1.5,
            dots={"argmax": [[0.1, 0.2]]}, heat=np.eye(4), heat_name="probability",
        ),
        "curves": figures.curves(
            {"before": (x, [3, 2, 1]), "after": (x, [1, 1, 1])}, x_title="k1", y_title="error (mm)",
            y_range=(0, 4), bands={"before": ([2, 1, 0], [4, 3, 2])}, lines={"paper": 2.5},
        ),
        "log curves": figures.curves(
            {"error": ([1, 10, 100], [3, 2, 1])}, x_title="shots", y_title="error (mm)", x_log=True,
            x_range=(1, 100), y_log=True, lines={"paper": 2.5}, mode="lines+markers",
        ),
        "bars": figures.bars(
            {"before": [3, 4], "after": [1, 2]}, ["arm", "leg"], y_title="error (mm)",
            intervals={"after": ([0.5, 1.5], [1.5, 2.5])},
        ),
        "sweep": figures.sweep(
            [figures.image_plane(skeletons={"truth": BODY[:, :2] * k}) for k in (0.5, 1.0, 2.0)],
            [0.5, 1.0, 2.0], "k", active=1,
        ),
    }  # fmt: skip


def test_one_seed_has_no_interval_to_draw():
    nan = np.full(3, np.nan)
    options = {"y_title": "error (mm)", "y_range": (0, np.nan)}
    line = figures.curves({"a": ([0, 1, 2], [3, 2, 1])}, x_title="step", bands={"a": (nan, nan)}, **options)
    bars = figures.bars({"a": [3, 2, 1]}, "xyz", intervals={"a": (nan, nan)}, **options)
    assert [trace.name for trace in line.data] == ["a"]
    for figure in (line, bars):
        assert figure.layout.yaxis.range is None, "fitted"
        assert (pixels(preview.png(figure))[..., :3].min(-1) < 0.6).sum() > 500


def pixels(image: bytes) -> np.ndarray:
    return matplotlib.image.imread(io.BytesIO(image), format="png")


@pytest.mark.parametrize("name", list(examples()))
def test_every_figure_has_a_picture_with_something_on_it(name):
    figure = examples()[name]
    image = preview.png(figure)
    assert image == preview.png(examples()[name]), "the same bytes at every run"
    drawn = pixels(image)
    assert drawn.shape[1] <= 800 and len(image) < 150_000
    assert (drawn[..., :3].min(-1) < 0.6).sum() > 500, "nothing was drawn"


@pytest.mark.parametrize("name", list(examples()))
def test_every_figure_is_small_and_the_same_at_every_run(name):
    text = examples()[name].to_json()
    assert text == examples()[name].to_json()
    assert "uid" not in json.loads(text)["data"][0] and len(text) < 150_000


def test_all_bones_are_drawn_and_left_differs_in_colour_and_dash():
    traces = figures.skeletons_3d({"truth": BODY}).data
    points = np.concatenate([np.stack([t.x, t.y, t.z], -1) for t in traces])
    for joint in BODY.numpy():
        assert np.isclose(points, joint, atol=1e-3).all(-1).any()
    right, left = traces
    assert left.line.dash != right.line.dash and left.line.color != right.line.color
    assert [t.showlegend for t in traces] == [True, False]


def test_units_stand_on_every_axis_and_ranges_are_fixed():
    scene = figures.skeletons_3d({"truth": BODY}, extent=((-1, 1), (-2, 2), (0, 2))).layout.scene
    assert [scene[f"{a}axis"].title.text for a in "xyz"] == ["x (m)", "y (m)", "z (m)"]
    assert list(scene.yaxis.range) == [-2, 2] and scene.aspectratio.y == 2 * scene.aspectratio.x
    camera = figures.skeletons_3d({"truth": BODY}, up="-y").layout.scene
    assert camera.zaxis.title.text == "y (m)" and camera.zaxis.range[0] > camera.zaxis.range[1]
    image = figures.image_plane().layout
    assert image.yaxis.range[0] > image.yaxis.range[1], "y points down"


def test_heat_cells_are_centred():
    trace = figures.image_plane(heat=np.zeros((2, 4)), aspect=2.0).data[0]
    assert trace.x0 == pytest.approx(-0.75) and trace.dx == pytest.approx(0.5)
    assert trace.y0 == pytest.approx(-0.25) and trace.dy == pytest.approx(0.5)


def test_colours_follow_meaning_and_never_collide():
    names = ["a", "before", "b", "after", "truth"]
    colours = figures.colours_of(names)
    assert len(set(colours)) == 5
    assert colours[1] == figures.COLOURS["vermillion"] and colours[4] == figures.COLOURS["ink"]
    assert figures.colours_of(["a"], {"a": "green"}) == [figures.COLOURS["green"]]


def test_sweep_moves_only_coordinates():
    sweep = examples()["sweep"]
    assert [f.name for f in sweep.frames] == ["0.5", "1.0", "2.0"]
    np.testing.assert_allclose(sweep.frames[2].data[1].x, np.asarray(sweep.frames[1].data[1].x) * 2, atol=2e-3)
    np.testing.assert_array_equal(sweep.data[1].x, sweep.frames[1].data[1].x)
    assert sweep.frames[0].data[0].line.color is None
    assert sweep.layout.sliders[0].active == 1


def test_sixty_frames_of_three_skeletons_stay_small():
    rows = [{name: BODY * k / 60 for name in ("truth", "before", "after")} for k in range(60)]
    sweep = figures.sweep([figures.skeletons_3d(row) for row in rows], range(60), "frame")
    assert len(sweep.to_json()) < 150_000


def test_show_emits_both_types_and_no_random_ids(monkeypatch):
    shown = []
    monkeypatch.setattr(preview, "display", lambda bundle, **_: shown.append(bundle))
    preview.show(examples()["curves"])
    preview.show(examples()["curves"])
    assert shown[0] == shown[1]
    assert set(shown[0]) == {"application/vnd.plotly.v1+json", "image/png", "text/plain"}
    assert base64.b64decode(shown[0]["image/png"]).startswith(b"\x89PNG")
    json.dumps(shown[0]["application/vnd.plotly.v1+json"], allow_nan=False)


def test_a_reader_whose_kernel_runs_gets_the_live_figure_alone(monkeypatch):
    """JupyterLab shows a PNG first where there is one, and swaps it for the figure under the pointer."""
    shown = []
    monkeypatch.setattr(preview, "display", lambda bundle, **_: shown.append(bundle))
    monkeypatch.setattr(rerun, "_running", lambda: ("cell-1", "run-1"))
    preview.show(examples()["curves"])
    assert set(shown[0]) == {"application/vnd.plotly.v1+json", "text/plain"}


def test_a_colour_raster_keeps_its_colours_and_its_place():
    cells = np.zeros((2, 3, 3), dtype=np.uint8)
    cells[0, 0], cells[1, 2] = (255, 0, 0), (0, 0, 255)  # upper left, lower right
    figure = figures.image_plane(aspect=1.5, margin=0.0)
    figure.add_trace(go.Image(z=cells, x0=-2 / 3, dx=2 / 3, y0=-1 / 3, dy=2 / 3))
    drawn = pixels(preview.png(figure))[..., :3]
    red, blue = (np.argwhere(np.abs(drawn - colour).max(-1) < 0.01) for colour in ([1, 0, 0], [0, 0, 1]))
    assert len(red) == pytest.approx(len(blue), rel=0.1) and len(red) > 1000
    assert (red.mean(0) < blue.mean(0)).all(), "y points down, x to the right"


def test_photos_are_shown_without_axes_in_their_colours():
    cells = np.zeros((20, 40, 3))
    cells[:, :20, 0] = cells[:, 20:, 2] = 1  # red, blue
    drawn = pixels(preview.png(figures.picture(cells, "red and blue")))[..., :3]
    red, blue = (np.argwhere(np.abs(drawn - colour).max(-1) < 0.03) for colour in ([1, 0, 0], [0, 0, 1]))
    assert len(red) == pytest.approx(len(blue), rel=0.1) and len(red) > 5000
    assert red[:, 1].max() < blue[:, 1].min() + 2


def test_a_wide_legend_takes_more_rows():
    names = [f"a long name, number {i}" for i in range(5)]
    drawn = pixels(preview.png(figures.bars({name: [1.0] for name in names}, ["a"], y_title="error")))[..., :3]
    assert (drawn[:, [0, -1]] > 0.98).all()


def test_png_knows_subplots_and_refuses_other_traces():
    both = go.Figure([go.Scatter(x=[0, 1], y=[0, 1]), go.Bar(x=["a"], y=[1], xaxis="x2", yaxis="y2")])
    both.update_layout(xaxis={"domain": [0, 0.4]}, xaxis2={"domain": [0.6, 1]}, yaxis2={"anchor": "x2"})
    drawn = pixels(preview.png(both))[..., :3].min(-1) < 0.6
    half = drawn.shape[1] // 2
    assert drawn[:, :half].sum() > 300 and drawn[:, half:].sum() > 300
    with pytest.raises(ValueError, match="trace of type 'pie', expected one of scatter"):
        preview.png(go.Figure(go.Pie(values=[1])))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: figures.skeletons_3d({"a": BODY[None]}), "pick one frame"),
        (lambda: figures.skeletons_3d({"a": BODY[:, :2]}), r"expected \(..., 17, 3\)"),
        (lambda: figures.skeletons_3d({"a": BODY}, up="x"), "up is 'x'"),
        (lambda: figures.bars({"a": [1.0]}, ["x", "y"], y_title="e"), "one value per name"),
        (lambda: figures.sweep([], [], "k"), "0 figures and 0 labels"),
        (lambda: figures.sweep([go.Figure(), go.Figure(go.Bar())], "ab", "k"), "expected the same in all"),
    ],
)
def test_refuses_with_the_argument_and_the_expectation(make, says):
    with pytest.raises(ValueError, match=says):
        make()
