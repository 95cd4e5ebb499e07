"""What a real browser draws of a picture of the stage."""

import base64
import io
import json

import numpy as np
import PIL.Image
import pytest

from tutorial_lib.display import stage

PAGE = """<div id="place" style="width: 600px; background: #fff; color: #222"></div><script type="module">
%s
const read = (v) => Array.isArray(v) ? v.map(read) : v === null || typeof v !== "object" ? v : "text" in v
  ? new DataView(Uint8Array.from(atob(v.text), (c) => c.charCodeAt(0)).buffer)
  : Object.fromEntries(Object.entries(v).map(([key, part]) => [key, read(part)]));
const state = read(%s), none = () => {};
const model = { get: (key) => key === "state" ? state : {}, set: none, save_changes: none, on: none, off: none };
render({ model, el: document.getElementById("place") });
</script>"""


def in_text(value):
    if isinstance(value, dict):
        return {key: in_text(part) for key, part in value.items()}
    if isinstance(value, bytes):
        return {"text": base64.b64encode(value).decode()}
    return [in_text(part) for part in value] if isinstance(value, list) else value


@pytest.fixture
def drawn(chromium, tmp_path):
    """A function from a picture to what a browser's canvas shows of it."""

    def draw(picture):
        path = tmp_path / "page.html"
        path.write_text(PAGE % (stage.script("stage.js"), json.dumps(in_text(picture))), encoding="utf-8")
        page = chromium(path.as_uri(), "file:")
        canvas = page.locator("canvas").first
        page.wait_for_function("c => c.width > 300 && c.toDataURL().length > 3000", arg=canvas.element_handle())
        content = canvas.evaluate("c => c.toDataURL()").partition(",")[2]
        return np.asarray(PIL.Image.open(io.BytesIO(base64.b64decode(content))))

    return draw
