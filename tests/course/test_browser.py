"""A real browser: JupyterLab, Run All, drag a slider or click a moment, look at the canvas.

It needs playwright and a Chromium (see conftest.py) and skips without.
"""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ["built here", "notebooks/00_start_here.ipynb"]  # relative to the repository's root
CELLS = [
    "import numpy as np\nfrom tutorial_lib.display import stage\nfrom tutorial_lib.display.live import live, slider",
    "body = np.random.default_rng(0).uniform(-0.9, 0.9, (5, 17, 3))\n"
    "def compute(size):\n"
    "    return body * size\n"
    "def view(arrays, params):\n"
    "    return stage.panes(stage.scene([stage.skeleton3d('truth', arrays)], extent=[(-1, 1)] * 3))\n"
    "live(compute, view, {'size': slider(0.5, 0.0, 1.0, 0.01, 'size')})",
]

MOMENTS = [
    "import numpy as np\nfrom tutorial_lib.display import stage\nfrom tutorial_lib.display.live import live\n"
    "from tutorial_lib.display.moments import moments",
    "poses = np.random.default_rng(0).uniform(-0.9, 0.9, (4, 10, 17, 2))\n"
    "def compute(chosen):\n"
    "    return np.full((3, 17, 3), len(chosen) / 10)\n"
    "def view(arrays, params):\n"
    "    body = stage.skeleton3d('truth', arrays)\n"
    "    return stage.panes(stage.scene([body]), note=f'chosen: {params[\"chosen\"]}', plays='steps')\n"
    "live(compute, view, {'chosen': moments(poses, [35], 'labelled', most=3)})",
]

HANDLES = [
    "import numpy as np\nfrom tutorial_lib.display import stage\nfrom tutorial_lib.display.live import live, slider",
    "body = np.random.default_rng(0).uniform(-0.9, 0.9, (5, 17, 3))\n"
    "def compute(x, y, depth):\n"
    "    return body + [0, depth, 0]\n"
    "def view(arrays, params):\n"
    "    wrist = stage.handle('wrist', (params['x'], params['y']))\n"
    "    foot = stage.handle('foot', (0.2, params['depth'], 0.0), along=(0, 1, 0))\n"
    "    flat = stage.image(skeletons=[stage.skeleton2d('truth', arrays[0, :, :2])], handles=[wrist])\n"
    "    deep = stage.scene([stage.skeleton3d('truth', arrays)], extent=[(-1, 1)] * 3, handles=[foot])\n"
    "    time = stage.curve([], x=stage.axis('frame', 0, 4), y=stage.axis('error', 0, 1), now=range(5))\n"
    "    return stage.panes(flat, deep, time)\n"
    "live(compute, view, {'x': slider(0.0, -1.0, 1.0, 0.1, 'across'), 'y': slider(0.0, -1.0, 1.0, 0.1, 'down'),\n"
    "     'depth': slider(0.0, -1.0, 1.0, 0.01, 'depth')}, plays='x',\n"
    "     grabs={'wrist': lambda at, params: {'x': at[0], 'y': at[1]}, 'foot': lambda at, params: {'depth': at[1]}})",
]

PICTURE = "canvas => canvas.toDataURL()"


def turn_and_scroll(page, canvas):
    """Turning a 3D picture is the browser's work alone; the wheel without control scrolls the page instead."""
    moved, box = canvas.evaluate(PICTURE), canvas.bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.wheel(0, 1)
    page.wait_for_timeout(100)
    assert canvas.evaluate(PICTURE) == moved
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 180, box["y"] + 100)
    page.mouse.up()
    page.wait_for_function("([c, p]) => c.toDataURL() !== p", arg=[canvas.element_handle(), moved])


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_dragging_a_slider_moves_the_picture(notebook, ran):
    page = ran(CELLS if notebook == NOTEBOOKS[0] else ROOT / notebook)
    stage = page.locator(".pose-stage").first
    stage.scroll_into_view_if_needed()
    canvas, caption = stage.locator("canvas").first, stage.locator(".pose-values")
    demo = page.locator(".widget-vbox", has=stage).last
    handle = demo.locator(".noUi-handle").first
    page.wait_for_function("c => c.width > 300 && c.toDataURL().length > 5000", arg=canvas.element_handle())
    demo.evaluate("e => e.scrollIntoView({block: 'center'})")  # slider and picture together, as a reader has them
    page.wait_for_timeout(300)
    before, said = canvas.evaluate(PICTURE), caption.inner_text()
    box, track = handle.bounding_box(), demo.locator(".noUi-target").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    there = track["x"] + track["width"] * (0.9 if x < track["x"] + track["width"] / 2 else 0.2)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move((x + there) / 2, y)
    page.mouse.move(there, y)
    page.mouse.up()
    readout = demo.locator(".widget-readout").first.inner_text()
    page.wait_for_function(
        "([c, picture, node, text]) => c.toDataURL() !== picture && node.textContent.includes(text)",
        arg=[canvas.element_handle(), before, caption.element_handle(), readout],
    )
    assert caption.inner_text() != said
    assert not stage.locator(".pose-error").is_visible()

    if notebook == NOTEBOOKS[0]:  # its first picture is a 3D one
        turn_and_scroll(page, canvas)
    assert page.evaluate("window.kernelErrors") == []
    assert page.locator(".jp-Dialog, .Toastify__toast").count() == 0, "JupyterLab asks or says something"


def test_a_click_a_key_and_a_button_choose_moments(ran):
    page = ran(MOMENTS)
    strip, note = page.locator(".pose-moments canvas"), page.locator(".pose-stage:not(.pose-moments) .pose-remark")
    hint = page.locator(".pose-moments .pose-remark")
    strip.scroll_into_view_if_needed()
    page.wait_for_function("c => c.width > 300 && c.toDataURL().length > 5000", arg=strip.element_handle())

    def said(element, text):
        page.wait_for_function("([e, text]) => e.textContent.includes(text)", arg=[element.element_handle(), text])

    def at(moment):
        box = strip.bounding_box()
        return box["x"] + box["width"] * (moment + 0.5) / 40, box["y"] + 20

    said(note, "chosen: (35,)")
    assert page.locator(".pose-count").inner_text() == "step 0 of 2", "the first picture waits for play"
    before = strip.evaluate(PICTURE)
    page.mouse.move(*at(13))
    said(hint, "clip 2, frame 4 of 10, 0.06 s: not chosen")
    page.mouse.click(*at(13))
    said(note, "chosen: (13, 35)")
    said(page.locator(".pose-count"), "step 2 of 2")
    page.wait_for_function("([c, p]) => c.toDataURL() !== p", arg=[strip.element_handle(), before])
    page.mouse.click(*at(35))
    said(note, "chosen: (13,)")

    strip.focus()
    for key in ("Home", "ArrowRight", "ArrowUp", "Space"):  # one frame, one clip
        page.keyboard.press(key)
    said(note, "chosen: (11, 13)")
    assert strip.get_attribute("aria-valuetext") == "clip 2, frame 2 of 10, 0.02 s, chosen, 2 chosen in all"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    said(note, "chosen: (10, 11, 13)")
    page.mouse.click(*at(30))
    said(hint, "3 at most: give one back first")
    page.locator(".pose-moments button").click()
    said(note, "chosen: ()")
    assert page.evaluate("window.kernelErrors") == []


def test_what_is_in_a_picture_is_dragged_nudged_named_and_played(ran):
    page = ran(HANDLES)
    stage = page.locator(".pose-stage").first
    canvas, caption = stage.locator("canvas").first, stage.locator(".pose-values")
    page.wait_for_function("c => c.width > 300 && c.toDataURL().length > 5000", arg=canvas.element_handle())
    page.locator(".widget-vbox", has=stage).last.evaluate("e => e.scrollIntoView({block: 'center'})")
    page.wait_for_timeout(300)

    def said(text):
        page.wait_for_function("([e, t]) => e.textContent.includes(t)", arg=[caption.element_handle(), text])

    wrist, foot = stage.locator(".pose-handle").all()
    box, pane = wrist.bounding_box(), canvas.bounding_box()
    x, y, scale = box["x"] + 13, box["y"] + 13, min(pane["width"] - 4, pane["height"] - 4) / (2 * 1.08)
    page.mouse.move(x + 3, y + 3)
    page.mouse.down()
    page.mouse.move(x + 3 + 0.2 * scale, y + 3, steps=2)
    page.mouse.move(x + 3 + 0.52 * scale, y + 3 + 0.29 * scale, steps=3)
    page.mouse.up()
    said("across 0.5, down 0.3")
    assert "wrist at 0.50, 0.30" in wrist.get_attribute("aria-label"), "on release it lies where the sliders stand"
    wrist.focus()
    for _ in range(3):
        page.keyboard.press("Shift+ArrowLeft")
        page.wait_for_timeout(150)
    page.wait_for_function("e => !e.textContent.includes('across 0.5')", arg=caption.element_handle())

    box = foot.bounding_box()
    page.mouse.move(box["x"] + 13, box["y"] + 13)
    page.mouse.down()
    page.mouse.move(box["x"] + 73, box["y"] + 13, steps=4)
    page.mouse.up()
    page.wait_for_function("e => !e.textContent.includes('depth 0.00')", arg=caption.element_handle())

    tip, spots = stage.locator(".pose-tip").first, [(i, j) for i in range(10, 90, 4) for j in range(10, 90, 4)]
    for i, j in spots:  # somewhere lies a joint
        page.mouse.move(pane["x"] + pane["width"] * i / 100, pane["y"] + pane["height"] * j / 100)
        if tip.is_visible():
            break
    assert tip.inner_text().startswith("truth, ")

    line = stage.locator("canvas").nth(2)
    box, count = line.bounding_box(), stage.locator(".pose-count")
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 16, box["y"] + 60, steps=3)
    assert count.inner_text() == "frame 5 of 5", "the line of a curve drags the playback along"
    page.mouse.up()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 60)
    assert count.inner_text() == "frame 5 of 5"

    page.locator(".widget-play button").first.click()
    said("across 1.0")
    assert page.evaluate("window.kernelErrors") == []


SWEEP = [
    "import plotly.graph_objects as go\nfrom tutorial_lib.display import figures\n"
    "from tutorial_lib.display.preview import show\n"
    "made = [go.Figure(go.Scatter(x=[0, 1], y=[0, k]), {'title': f'picture {k}'}) for k in range(5)]\n"
    "show(figures.sweep(made, [f'{k} mm' for k in range(5)], 'height', active=1))",
    CELLS[0] + "\n" + CELLS[1],
]


def test_a_sweep_listens_to_the_keyboard_and_a_restarted_kernel_says_what_to_do(ran):
    page = ran(SWEEP)
    slider = page.locator(".js-plotly-plot .slider-group[role=slider]").first
    slider.focus()
    for key, value in (("ArrowRight", "2 mm"), ("End", "4 mm"), ("ArrowLeft", "3 mm"), ("Home", "0 mm")):
        page.keyboard.press(key)
        page.wait_for_function(
            "([e, v]) => e.getAttribute('aria-valuetext') === v", arg=[slider.element_handle(), value]
        )
    assert slider.get_attribute("aria-label") == "height"
    page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    page.wait_for_function(
        "() => getComputedStyle(document.querySelector('.pose-stage'), '::before').content.includes('Run All Cells')"
    )
