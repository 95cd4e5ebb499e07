"""Lesson 05 reads the calibration of a reader's own camera."""

import json

import cv2
import numpy as np
import pytest
import torch
import yaml

from tutorial_lib.camera import FOCAL
from tutorial_lib.lessons.camera_distortion.calibration_file import read_calibration

THEIRS = [-0.31, 0.12, 0.0004, -0.0003, -0.05]
OURS = [-0.31, 0.12, -0.05, 0.0004, -0.0003]
ROS = """
image_width: 640
image_height: 480
camera_name: narrow_stereo
camera_matrix:
  rows: 3
  cols: 3
  data: [500., 0., 320., 0., 500., 240., 0., 0., 1.]
distortion_model: {model}
distortion_coefficients:
  rows: 1
  cols: {count}
  data: {data}
"""


def written(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def ros(folder, data, model="plumb_bob"):
    return written(folder, "camera_info.yaml", ROS.format(model=model, count=len(data), data=list(data)))


@pytest.mark.parametrize("suffix", ["yaml", "yml", "json"])
@pytest.mark.parametrize("shape", [(1, 5), (5, 1)])
@pytest.mark.parametrize("key", ["distortion_coefficients", "dist_coeffs", "Distortion_Coefficients"])
def test_what_opencv_writes_is_read(tmp_path, suffix, shape, key):
    path = str(tmp_path / f"camera.{suffix}")
    storage = cv2.FileStorage(path, cv2.FILE_STORAGE_WRITE)
    storage.write("calibration_time", "Fri 27 Nov 2026")
    storage.write("image_width", 1920)
    storage.write("image_height", 1080)
    storage.write("camera_matrix", np.array([[1200.0, 0, 960], [0, 1200, 540], [0, 0, 1]]))
    storage.write(key, np.array(THEIRS).reshape(shape))
    storage.write("avg_reprojection_error", 1e-5)
    storage.release()
    found = read_calibration(path)
    torch.testing.assert_close(found.lens, torch.tensor(OURS))
    assert found.name == f"camera.{suffix}"
    assert found.radius == pytest.approx(np.hypot(960, 540) / 1200)


def test_ros_camera_info_is_read(tmp_path):
    found = read_calibration(ros(tmp_path, THEIRS))
    torch.testing.assert_close(found.lens, torch.tensor(OURS))
    assert found.radius == pytest.approx(0.8) and found.radius == pytest.approx(1 / FOCAL)
    torch.testing.assert_close(
        read_calibration(ros(tmp_path, THEIRS[:4])).lens, torch.tensor([*OURS[:2], 0, *OURS[3:]])
    )
    torch.testing.assert_close(
        read_calibration(ros(tmp_path, [*THEIRS, 0, 0, 0], "rational_polynomial")).lens, torch.tensor(OURS)
    )


@pytest.mark.parametrize("dump, name", [(json.dumps, "mine.json"), (yaml.dump, "mine.yaml")])
def test_what_people_write_themselves_is_read(tmp_path, dump, name):
    text = dump({"mtx": np.eye(3).tolist(), "dist": [[-0.3, 1e-05, 0, 0, 0]]})
    found = read_calibration(written(tmp_path, name, text))
    torch.testing.assert_close(found.lens, torch.tensor([-0.3, 1e-05, 0, 0, 0]))
    assert found.radius is None


@pytest.mark.parametrize("model", ["equidistant", "fisheye", "Inverse Brown Conrady", "thin_prism"])
def test_other_models_are_refused_by_name(tmp_path, model):
    with pytest.raises(
        ValueError, match=f"camera_info.yaml: the distortion model is '{model}', expected one of plumb_bob"
    ):
        read_calibration(ros(tmp_path, THEIRS[:4], model))


@pytest.mark.parametrize(
    "text, message",
    [
        ("%YAML:1.0\n---\nfisheye_model: 1\ndist_coeffs: [0.1, 0, 0, 0]", "model is 'fisheye'"),
        ("xi: 1.2\ndist_coeffs: [0.1, 0, 0, 0]", "model is 'omnidirectional'"),
        ("camera_model: ds\ndist_coeffs: [0.1, 0, 0, 0]", "model is 'ds'"),
        ("dist_coeffs: [0.1, 0, 0]", r"a.yaml: coefficients has shape \(3,\)"),
        ("dist_coeffs: [0.1, 0, 0, 0, 0, 0.2, 0, 0]", "k4=0.2, which this lens does not have"),
        ("dist_coeffs: [0.1, 0, .nan, 0, 0]", "NaN or infinity"),
        ("dist_coeffs: [0.1, a, 0, 0]", "expected numbers, or a matrix with its data"),
        ("dist_coeffs: 0.1", "expected numbers, or a matrix with its data"),
        ("dist_coeffs: [true, 0, 0, 0]", "expected numbers, or a matrix with its data"),
        (f"dist_coeffs: [1{'0' * 400}, 0, 0, 0]", "expected numbers, or a matrix with its data"),
        ("dist_coeffs:", "expected numbers, or a matrix with its data"),
        ("camera_matrix: [1, 0]", "holds cameramatrix, expected the lens under one of the names distortion_coef"),
        ("{image_width: 4, image_height: 3, K: [0, 0, 1, 0, 1, 1, 0, 0, 1], D: [0, 0, 0, 0]}", "the camera matrix is"),
        (
            "{image_width: 1280, image_height: 720, K: [0.7, 0, 0.5, 0, 1.2, 0.5, 0, 0, 1], D: [0, 0, 0, 0]}",
            "the camera matrix is .* expected .*pixels",
        ),
        (f"{{image_width: 1{'0' * 400}, image_height: 9, K: [9, 0, 5, 0, 9, 5, 0, 0, 1], D: [0, 0, 0, 0]}}", "1 to 1"),
        ("{image_width: wide, image_height: 9, K: [9, 0, 5, 0, 9, 5, 0, 0, 1], D: [0, 0, 0, 0]}", "'wide'"),
        ("time: 2026-02-30", "cannot be read as .yaml"),
        ("[" * 5000, "cannot be read as .yaml"),
        ("", "holds a NoneType, expected names and values"),
        ("- 1", "holds a list, expected names and values"),
        ("a: [1", "cannot be read as .yaml"),
        ("dist_coeffs: !!python/object:os.system {}", "cannot be read as .yaml"),
    ],
)
def test_what_is_no_calibration_is_refused_by_file_and_reason(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read_calibration(written(tmp_path, "a.yaml", text))


@pytest.mark.parametrize("code", ["utf-8-sig", "utf-16"])
def test_text_may_come_from_windows_tools(tmp_path, code):
    (tmp_path / "a.yaml").write_bytes(ROS.format(model="plumb_bob", count=5, data=THEIRS).encode(code))
    torch.testing.assert_close(read_calibration(tmp_path / "a.yaml").lens, torch.tensor(OURS))


def test_a_broken_or_absent_file_is_named(tmp_path):
    (tmp_path / "c.yaml").write_bytes(b"a: \xff")
    with pytest.raises(ValueError, match="c.yaml: cannot be read as .yaml"):
        read_calibration(tmp_path / "c.yaml")
    for text in ("[" * 100_000, "9" * 5000):
        with pytest.raises(ValueError, match="b.json: cannot be read as .json"):
            read_calibration(written(tmp_path, "b.json", text))
    for path in (tmp_path, tmp_path / ("x" * 300 + ".yaml")):
        with pytest.raises(FileNotFoundError, match="does not exist or is no file"):
            read_calibration(path)
    with pytest.raises(ValueError, match="path is None, expected the name of a file"):
        read_calibration(None)
    with pytest.raises(ValueError, match="b.json: cannot be read as .json"):
        read_calibration(written(tmp_path, "b.json", "{"))
    with pytest.raises(FileNotFoundError):
        read_calibration(tmp_path / "nowhere.yaml")
