"""A camera's calibration as other programs write it: OpenCV's FileStorage (YAML or JSON) and ROS's camera_info."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml

from tutorial_lib.distortion import from_opencv
from tutorial_lib.keypoint_files.pixels import picture_size
from tutorial_lib.motion.files.pickled import named_file

COEFFICIENT_KEYS = ("distortion_coefficients", "distortion_coeffs", "dist_coeffs", "dist_coeff", "dist", "D")
MATRIX_KEYS = ("camera_matrix", "mtx", "K")
"""Names in use; capitals and underscores do not matter."""

MODELS = ("plumb_bob", "radtan", "rational_polynomial", "brown_conrady", "opencv")
"""Distortion models that are Brown-Conrady's where all coefficients after the fifth are 0."""
_WIDEST = 10.0
"""No corner lies further from the axis, in focal lengths: 84 degrees, which a pinhole does not see (ours)."""


class _Loader(yaml.SafeLoader):
    """Safe YAML that knows OpenCV's matrices."""


_Loader.add_constructor(
    "tag:yaml.org,2002:opencv-matrix", lambda loader, node: loader.construct_mapping(node, deep=True)
)


@dataclass(frozen=True)
class Calibration:
    """What a calibration says about the lens.

    Attributes:
        name: of the file.
        lens: (5,) `(k1, k2, k3, p1, p2)`.
        radius: focal-normalised radius of the farthest corner that the camera sees; None where the file does not say.
    """

    name: str
    lens: torch.Tensor
    radius: float | None


def read_calibration(path: str | Path) -> Calibration:
    """The lens of a calibration file.

    Args:
        path: .yaml, .yml or .json. YAML may begin with OpenCV's `%YAML:1.0`.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not YAML or JSON, no coefficients, a fisheye or another model, what `from_opencv` refuses.
    """
    path = named_file(path)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"{path} does not exist or is no file; check the name")
    found = {_plain(name): value for name, value in _parsed(path).items()}
    _refuse_other_models(path, found)
    values = _numbers(path, found, COEFFICIENT_KEYS)
    if values is None:
        raise ValueError(
            f"{path}: holds {', '.join(map(str, found)) or 'nothing'}, expected the lens under one of the names "
            f"{', '.join(COEFFICIENT_KEYS)}"
        )
    try:
        lens = from_opencv(values)
    except ValueError as problem:
        raise ValueError(f"{path}: {problem}") from None
    return Calibration(path.name, lens, _corner(path, found))


def _parsed(path: Path) -> Mapping[str, Any]:
    data = path.read_bytes()
    try:
        text = data.decode(json.detect_encoding(data))  # which knows byte order marks and UTF-16, in YAML as well
        if path.suffix.lower() == ".json":
            content = json.loads(text)
        else:  # OpenCV writes "%YAML:1.0" where the standard has "%YAML 1.0"
            content = yaml.load(text.removeprefix("%YAML:1.0").lstrip(), _Loader)
    except (ValueError, RecursionError, yaml.YAMLError) as problem:  # a date in February's end is a ValueError
        raise ValueError(f"{path}: cannot be read as {path.suffix or 'YAML'}: {problem!s:.300}") from None
    if not isinstance(content, Mapping):
        raise ValueError(f"{path}: holds a {type(content).__name__}, expected names and values, as calibrations have")
    return content


def _refuse_other_models(path: Path, found: Mapping[str, Any]) -> None:
    """A fisheye's four coefficients look like Brown-Conrady's, and mean something else."""
    model = str(found.get("distortionmodel") or MODELS[0])
    if found.get("fisheyemodel"):
        model = "fisheye"
    if "xi" in found or found.get("cameramodel") in ("omni", "ds", "eucm"):
        model = str(found.get("cameramodel", "omnidirectional"))
    if _plain(model) not in map(_plain, MODELS):
        raise ValueError(
            f"{path}: the distortion model is {model!r}, expected one of {', '.join(MODELS)}: a fisheye and its kin "
            "bend light by other formulas. Calibrate with OpenCV's calibrateCamera or ROS's plumb_bob"
        )


def _corner(path: Path, found: Mapping[str, Any]) -> float | None:
    """How far from the axis the farthest corner of the image lies, as the pinhole without the lens would see it."""
    matrix, size = _numbers(path, found, MATRIX_KEYS), [found.get("imagewidth"), found.get("imageheight")]
    if matrix is None or None in size:
        return None
    width, height = picture_size(size, f"{path}: (image_width, image_height)")
    if matrix.numel() != 9 or min(matrix[0], matrix[4]) <= 0:
        raise ValueError(f"{path}: the camera matrix is {matrix.tolist()}, expected 3 x 3 with positive focal lengths")
    fx, _, cx, _, fy, cy = matrix[:6].tolist()
    radius = (((max(cx, width - cx)) / fx) ** 2 + ((max(cy, height - cy)) / fy) ** 2) ** 0.5
    if radius > _WIDEST:
        raise ValueError(
            f"{path}: the camera matrix is {matrix.tolist()} for {width} x {height} pixels, expected focal lengths in "
            f"pixels: the corner would lie {radius:.3g} focal lengths from the axis"
        )
    return radius


def _numbers(path: Path, found: Mapping[str, Any], names: tuple[str, ...]) -> torch.Tensor | None:
    """The first of these entries as one flat row: a matrix with its `data`, or bare lists."""
    name = next((name for name in names if _plain(name) in found), None)
    if name is None:
        return None
    value = found[_plain(name)]
    data = value.get("data") if isinstance(value, Mapping) else value
    try:
        rows = [row if isinstance(row, list) else [row] for row in data]
        numbers = [number for row in rows for number in row]
        if any(isinstance(number, bool) for number in numbers):
            raise TypeError
        return torch.tensor([float(number) for number in numbers])
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{path}: {name} is {value!r:.200}, expected numbers, or a matrix with its data") from None


def _plain(name: object) -> str:
    return str(name).replace("_", "").replace("-", "").replace(" ", "").lower()
