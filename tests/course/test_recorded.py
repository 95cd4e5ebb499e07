"""Demos on pages without a kernel: recorded by a run of the lesson's cells, moved in a browser from a file."""

import shutil

import nbformat
import numpy as np
import pytest

from tutorial_lib.course import record, recorded, rendering
from tutorial_lib.display import recording, stage, still
from tutorial_lib.display.live import choice, live, slider
from tutorial_lib.lessons.camera_distortion import demo_lens
from tutorial_lib.lessons.start_here.demo_first_look import first_demo

SLUG = "07_scratch"
CELLS = [
    "from tutorial_lib.display import stage\nfrom tutorial_lib.display.live import live, slider",
    "live(lambda k: k, lambda a, p: stage.panes(stage.table(['k'], [[a]])), {'k': slider(1, 0, 5, 1)}, title='k')",
    "raise RuntimeError('not needed for a demo')",
]
SAID = "live demo 'k': k 1"
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>A lesson</title><link rel="stylesheet" href="deep/demos/page.css"><style>img { max-width: 100% }
[data-theme=dark] body { background: #14181e; color: #ced6dd }</style></head>
<body><main><h1>A lesson</h1>STILLS</main><script src="deep/demos/page.js" defer></script></body></html>"""


def notebook(folder, cells):
    made = [nbformat.v4.new_code_cell(cell) for cell in cells]
    made[1].outputs = [nbformat.v4.new_output("display_data", {"text/plain": SAID, "image/png": ""})]
    nbformat.write(nbformat.v4.new_notebook(cells=made), folder / f"{SLUG}.ipynb")


def test_a_lesson_is_recorded_up_to_its_last_demo_and_once(tmp_path):
    notebook(tmp_path, CELLS)
    (path,) = record.record(SLUG, tmp_path / "out", tmp_path)
    assert path.stem == recording.name_of(SAID)
    made = path.stat().st_mtime_ns
    assert record.record(SLUG, tmp_path / "out", tmp_path) == [path] and path.stat().st_mtime_ns == made
    notebook(tmp_path, [CELLS[0], CELLS[1].replace("5, 1", "6, 1"), CELLS[2]])
    (again,) = record.record(SLUG, tmp_path / "out", tmp_path)
    assert again.stat().st_mtime_ns != made
    with pytest.raises(FileNotFoundError, match="has not been built yet"):
        record.record("08_none", tmp_path / "out", tmp_path)


def test_a_page_gets_the_still_and_where_there_is_a_recording_what_moves_it(tmp_path, monkeypatch):
    monkeypatch.setattr(rendering.recorded, "RECORDED", tmp_path)
    output = nbformat.v4.new_output("display_data", {"text/plain": SAID, "image/png": still_png()})
    cell = nbformat.v4.new_code_cell("", outputs=[output])
    (drawn,) = rendering.outputs(cell, lambda png: "a.png", f"work/{SLUG}.ipynb")
    assert "data-demo" not in drawn.html and "This is a still picture of it" in drawn.html
    name = f"{SLUG}/{recording.name_of(SAID)}"
    (tmp_path / SLUG).mkdir()
    (tmp_path / f"{name}.js").write_text("")
    (drawn,) = rendering.outputs(cell, lambda png: "a.png", f"work/{SLUG}.ipynb")
    assert f'<div data-demo="{name}"><img src="a.png"' in drawn.html and "Some of it moves here" in drawn.html
    recorded.ship(tmp_path / "site", [SLUG, "08_none"])
    assert {path.relative_to(tmp_path / "site").as_posix() for path in (tmp_path / "site").rglob("*.*")} == {
        *recorded.LOADS, f"{name}.js",
    }  # fmt: skip


def still_png():
    shown = demo_lens.lens_demo()
    return still.png_base64(shown.stage.state)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of a page with two recorded demos and one that is not."""
    folder, kept = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("recorded")
    walk = live(
        lambda k, kind: k, lambda arrays, params: walking(arrays, params["kind"]),
        {"k": slider(1, 0, 5, 1), "kind": choice(["a", "b"], label="kind")},
        presets={"both": {"k": 4, "kind": "b"}}, title="a walk",
    )  # fmt: skip
    image = f'<img alt="a still" src="data:image/png;base64,{still_png()}">'
    stills = [recorded.demo(SAID, SLUG, image, kept)]
    for shown in (demo_lens.lens_demo(), walk):
        said = f"live demo {shown.title!r}: {shown.caption()}"
        recording.record(shown, kept / SLUG, said)
        stills.append(recorded.demo(said, SLUG, image, kept))
    recorded.ship(folder / "deep" / "demos", [SLUG], kept)
    (folder / "page.html").write_text(PAGE.replace("STILLS", "<hr>".join(stills)))
    return folder


def walking(k, kind):
    body = np.random.default_rng(0).uniform(-0.9, 0.9, (5, 17, 3)) * (k + 1) / 6
    return stage.panes(stage.scene([stage.skeleton3d("truth", body)]), note=f"{k} and {kind}", fps=50)


PICTURE = "canvas => canvas.toDataURL()"


def test_a_recorded_demo_moves_from_a_file_by_mouse_and_keyboard(chromium, site):
    page = chromium((site / "page.html").as_uri(), "file:")
    page.wait_for_function("document.querySelectorAll('.pose-moves').length === 2")
    lens, walk = page.locator("[data-demo]").all()
    canvas = lens.locator("canvas").first
    before = canvas.evaluate(PICTURE)
    slider = lens.get_by_role("slider", name="k1")
    slider.focus()
    page.keyboard.press("End")
    page.wait_for_function("([c, p]) => c.toDataURL() !== p", arg=[canvas.element_handle(), before])
    assert "k1 1.40" in lens.locator(".pose-values").inner_text() and slider.get_attribute("aria-valuetext") == "1.40"
    assert "FOLDS" not in lens.locator(".pose-remark").inner_text()
    box = slider.bounding_box()
    page.mouse.click(box["x"] + 2, box["y"] + box["height"] / 2)
    assert "k1 \u22121.40" in lens.locator(".pose-values").inner_text()
    assert "computed beforehand" in lens.inner_text()
    assert lens.get_by_role("slider", name="p2").is_disabled() and "needs a kernel" in lens.inner_text()

    walk.get_by_role("button", name="both").click()
    assert walk.locator(".pose-remark").inner_text() == "4 and b" and walk.get_by_label("kind").is_disabled()
    walk.get_by_role("slider", name="k").first.focus()
    page.keyboard.press("ArrowLeft")
    assert walk.locator(".pose-remark").inner_text() == "3 and b", "a preset's other settings stay"
    walk.get_by_role("button", name="reset").click()
    assert walk.locator(".pose-remark").inner_text() == "1 and a"
    scene, count = walk.locator("canvas").first, walk.locator(".pose-count")
    first = scene.evaluate(PICTURE)
    scene.focus()
    page.keyboard.press("ArrowLeft")  # turns
    page.wait_for_function("([c, p]) => c.toDataURL() !== p", arg=[scene.element_handle(), first])
    walk.get_by_role("button", name="play").click()
    page.wait_for_function("c => c.textContent !== 'frame 1 of 5'", arg=count.element_handle())


def test_a_recorded_demo_is_accessible_dark_narrow_and_a_still_on_paper(chromium, site):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    page = chromium((site / "page.html").as_uri(), "file:", width=390)
    page.wait_for_function("document.querySelectorAll('.pose-moves').length === 2")
    page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    colour = "getComputedStyle(document.querySelector('.pose-stage')).backgroundColor"
    assert page.evaluate(colour) == "rgb(255, 255, 255)" or "canvas" in page.evaluate(colour)
    for theme in ("light", "dark"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        if theme == "dark":
            page.wait_for_function(f"{colour} === 'rgb(20, 24, 30)'")
        found = axe.Axe().run(page, options={"preload": False, "resultTypes": ["violations"]}).response["violations"]
        assert not [(v["id"], [n["html"][:100] for n in v["nodes"]]) for v in found]
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.emulate_media(media="print")
    assert page.locator(".pose-live").first.is_hidden() and page.locator("img").last.is_visible()


def test_a_recording_that_does_not_load_leaves_the_still(chromium, site, tmp_path):
    shutil.copytree(site, tmp_path / "site")
    for path in (tmp_path / "site" / "deep" / "demos" / SLUG).iterdir():
        path.write_text(path.read_text().partition('"] = "')[0] + '"] = "AAAA";')
    page = chromium("about:blank", "file:")
    with page.expect_console_message(lambda message: "stays a picture" in message.text):
        page.goto((tmp_path / "site" / "page.html").as_uri())
    assert page.locator("img").last.is_visible() and not page.locator(".pose-live").count()


@pytest.mark.timeout(1200)  # seconds of an idle machine; the exporter is no quick one
def test_a_network_adapts_in_the_page_as_in_the_kernel(chromium, tmp_path, monkeypatch):
    if not (recorded.RUNTIME / recorded.GLUE).is_file():
        pytest.skip("onnxruntime-web is not there: `make page-tools`")
    monkeypatch.syspath_prepend(str(recorded.EXPORTERS))
    pytest.importorskip("onnxscript", reason="what exports graphs is not there: `make page-tools`")
    monkeypatch.setattr(recording, "STATES", 5)
    shown = first_demo()
    recording.record(shown, tmp_path / "recorded" / SLUG, SAID)
    recorded.ship(tmp_path / "deep" / "demos", [SLUG], tmp_path / "recorded")
    still = recorded.demo(SAID, SLUG, "<p>a still</p>", tmp_path / "recorded")
    (tmp_path / "page.html").write_text(PAGE.replace("STILLS", still))
    page = chromium((tmp_path / "page.html").as_uri(), "file:")
    page.evaluate(
        "window.DRAWN = []; addEventListener('drawn', ({detail: {values, state}}) => window.DRAWN.push({values,"
        " note: state.note, caption: state.caption,"
        " poses: state.panes[1].skeletons.map((s) => [...s.points.data])}))"
    )
    page.wait_for_function("document.querySelector('.pose-timing')?.textContent.endsWith('ms in this page')")
    assert not page.locator("input:disabled").count() and "needs a kernel" not in page.locator("main").inner_text()
    page.get_by_role("slider", name="adaptation steps").focus()
    page.keyboard.press("Home")
    page.get_by_role("slider", name="lens").focus()
    page.keyboard.press("End")
    page.get_by_role("button", name="both").click()
    page.wait_for_function("window.DRAWN.at(-1).caption.startsWith('lens pincushion 100 %, rig leans by (°) 20')")
    for drawn in page.evaluate("window.DRAWN"):
        expected = shown.state(**drawn["values"])
        assert (drawn["note"], drawn["caption"]) == (expected["note"], expected["caption"])
        for pose, skeleton in zip(drawn["poses"], expected["panes"][1]["skeletons"], strict=True):
            np.testing.assert_allclose(pose, stage.unpack(skeleton["points"]).ravel(), atol=1e-3)  # metres
