"""The lens and its inverse on 100,000 points, against OpenCV and kornia.

The three inverses do not promise the same: ours solves to 1e-12 everywhere before the fold, OpenCV and kornia iterate a
fixed number of times (here 60, and 20) and may be off near the edge: on the test lenses themselves OpenCV's 60 leave up
to 0.9. From Python, OpenCV's `projectPoints` also computes the derivatives.
"""

import time

import cv2
import numpy as np
import pytest
import torch
from kornia.geometry.calibration import distort_points, undistort_points

from tutorial_lib.distortion import PRESETS, distort, undistort

pytestmark = pytest.mark.benchmark(timer=time.process_time)

LENS = 0.4 * PRESETS["d3"].double()  # milder than the test lenses: there the other two inverses do not converge
K1, K2, K3, P1, P2 = LENS.tolist()
OPENCV_ORDER = np.array([K1, K2, P1, P2, K3])
IDENTITY = torch.eye(3).double()
FORWARD, INVERSE = "distort 100,000 points, float64", "undistort 100,000 points, float64"


@pytest.fixture(scope="module")
def points():
    return 1.1 * torch.rand(100_000, 2, generator=torch.Generator().manual_seed(0)).double() - 0.55


def run(benchmark, group, function):
    benchmark.group = group
    return benchmark.pedantic(function, warmup_rounds=1, rounds=6)


def check(result, expected, tolerance):
    np.testing.assert_allclose(np.asarray(result).reshape(-1, 2), expected.numpy(), atol=tolerance)


def test_distort(benchmark, points):
    run(benchmark, FORWARD, lambda: distort(points, LENS))


def test_distort_opencv_reference(benchmark, points):
    ahead = torch.nn.functional.pad(points, (0, 1), value=1).numpy()
    zero = np.zeros(3)
    result, _ = run(benchmark, FORWARD, lambda: cv2.projectPoints(ahead, zero, zero, IDENTITY.numpy(), OPENCV_ORDER))
    check(result, distort(points, LENS), 1e-9)


def test_distort_kornia(benchmark, points):
    coefficients = torch.from_numpy(OPENCV_ORDER)
    result = run(benchmark, FORWARD, lambda: distort_points(points, IDENTITY, coefficients))
    check(result, distort(points, LENS), 1e-9)


def test_undistort(benchmark, points):
    bent = distort(points, LENS)
    check(run(benchmark, INVERSE, lambda: undistort(bent, LENS)), points, 1e-9)


def test_undistort_opencv_reference(benchmark, points):
    bent = distort(points, LENS).numpy()
    stop = (cv2.TERM_CRITERIA_COUNT, 60, 0)
    result = run(
        benchmark,
        INVERSE,
        lambda: cv2.undistortPoints(bent, IDENTITY.numpy(), OPENCV_ORDER, None, None, None, stop),
    )
    check(result, points, 1e-5)


def test_undistort_kornia(benchmark, points):
    bent, coefficients = distort(points, LENS), torch.from_numpy(OPENCV_ORDER)
    result = run(benchmark, INVERSE, lambda: undistort_points(bent, IDENTITY, coefficients, num_iters=20))
    check(result, points, 1e-5)
