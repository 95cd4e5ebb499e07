"""Checks of lesson 10: six numbers to a rotation, a camera by least squares, a robust error, and a whole descent."""

from collections.abc import Callable

import torch
from torch.nn.functional import normalize

from tutorial_lib.body_model import body
from tutorial_lib.body_model.rotations import from_axis_angle, from_six
from tutorial_lib.display.exercises import compare, exercise, tensor
from tutorial_lib.lessons.mesh_recovery import demo_pull
from tutorial_lib.mesh import Parameters, facing, reproject
from tutorial_lib.mesh.fitting import Energy, fit, gmof
from tutorial_lib.mesh.weak_perspective import best_camera


@exercise
def six_numbers(function: Callable) -> str:
    """Exercise 10.1: `function(six)` -> (..., 3, 3) rotation matrices from (..., 6)."""
    generator = torch.Generator().manual_seed(0)
    hint = (
        "the first column is the first three numbers, made one long; the second is the other three less their part "
        "along the first, made one long; the third is the cross product of the two"
    )
    for shape in ((6,), (4, 5, 6)):
        six = torch.randn(*shape, generator=generator)
        right = from_six(six)
        first, raw = right[..., 0], six[..., 3:]
        long = six[..., :3] / six[..., :3].norm()  # of all of them at once
        compare(
            tensor(function(six), f"numbers {shape}", hint), right, f"numbers {shape}", hint, 1e-5,
            {
                "the vectors are rows, not columns": right.mT,
                "the numbers were read in turn: columns interleaved": from_six(
                    six.unflatten(-1, (3, 2)).mT.flatten(-2)
                ),
                "the second vector still leans on the first": torch.stack(
                    [first, normalize(raw, dim=-1), torch.linalg.cross(first, normalize(raw, dim=-1))], -1
                ),
                "the third points the other way: a reflection": torch.cat([right[..., :2], -right[..., 2:]], -1),
                "the first vector was divided by the length of all of them together: give norm a dim": torch.cat(
                    [long[..., None], right[..., 1:]], -1
                ),
            },
        )  # fmt: skip
    return "six_numbers: any six numbers are a rotation"


@exercise
def place_the_camera(function: Callable) -> str:
    """Exercise 10.2: `function(points, dots)` -> (3,): s, tx, ty of the weak perspective that fits best."""
    generator = torch.Generator().manual_seed(1)
    hint = (
        "centre both; s is the sum of products of the centred points' x, y and the centred dots, divided by the sum of "
        "squares of the points'; the shift takes the mean point, enlarged, to the mean dot"
    )
    for trial in range(2):
        points = torch.randn(17, 3, generator=generator) + torch.tensor([0.3, -0.5, 2.0])
        dots = (0.8 + trial) * points[:, :2] + 0.2 * torch.randn(17, 2, generator=generator) + 0.4
        right = best_camera(points, dots)
        flat = points[:, :2]
        x, y = flat - flat.mean(0), dots - dots.mean(0)
        spread = (y.square().sum() / x.square().sum()).sqrt()
        raw = (flat * dots).sum() / flat.square().sum()
        compare(
            tensor(function(points, dots), f"person {trial + 1}", hint), right, f"person {trial + 1}", hint, 1e-4,
            {
                "the sizes were compared, which noise makes too large": torch.cat(
                    [spread[None], dots.mean(0) - spread * flat.mean(0)]
                ),
                "points and dots were not centred first": torch.cat([raw[None], dots.mean(0) - raw * flat.mean(0)]),
                "s was divided by the dots' squares, not by the points'": torch.cat(
                    [((x * y).sum() / y.square().sum())[None]]
                    + [dots.mean(0) - (x * y).sum() / y.square().sum() * flat.mean(0)]
                ),
                "the shift forgot the enlargement": torch.cat([right[:1], dots.mean(0) - flat.mean(0)]),
                "dots were mapped to points, not points to dots": best_camera(
                    torch.cat([dots, dots[:, :1]], 1), flat
                ),
            },
        )  # fmt: skip
    return "place_the_camera: no camera of this kind is nearer to the dots"


@exercise
def forgive(function: Callable) -> str:
    """Exercise 10.3: `function(distance, scale)` -> Geman and McClure's robust error of distances."""
    distance = torch.tensor([0.0, 0.1, 0.5, 1.0, 3.0, 50.0])
    hint = "scale² d² / (scale² + d²), where d is the distance"
    for scale in (0.3, 2.0):
        square = distance.square()
        compare(
            tensor(function(distance, scale), f"scale {scale:g}", hint), gmof(square, scale), f"scale {scale:g}", hint,
            1e-5,
            {
                "it is the plain square: a mistake of the detector weighs all": square,
                "it is bounded by 1, not by scale²": gmof(square, scale) / scale**2,
                "the distance was not squared": gmof(distance, scale),
                "scale was not squared": scale * square / (scale + square),
            },
        )  # fmt: skip
    return "forgive: a dot far away costs scale² and no more"


@exercise
def pull(function: Callable) -> str:
    """Exercise 10.4: `function(dots, start, prior, steps)` -> the start, and bodies after every step of Adam."""
    hint = (
        "each round: keep a copy of the bodies, work out E from rotations, shape and camera, clear old gradients, go "
        "backward, step; steps + 1 bodies are kept, the start first"
    )
    generator, steps = torch.Generator().manual_seed(2), 6
    rest = facing()
    bent = rest.rotations @ from_axis_angle(0.2 * torch.randn(2, 2, 19, 3, generator=generator))
    betas, camera = torch.randn(2, 2, 6, generator=generator), rest.camera.expand(2, 3)
    dots = reproject(body().joints(bent[0], betas[0]), camera)
    dots[0, 13] += 1.2  # a detector's mistake
    start = Parameters(bent[1], betas[1], camera.clone())

    def seen(path: object) -> torch.Tensor:
        """(steps + 1, people, 20, 3): joints, the camera as one point more, the shape as two."""
        said = isinstance(path, list | tuple) and all(isinstance(one, Parameters) for one in path)
        assert said, f"expected a list of Parameters, got {type(path).__name__}. Hint: {hint}"
        points = [
            torch.cat([body().joints(one.rotations, one.betas), one.camera[:, None], one.betas.unflatten(1, (2, 3))], 1)
            for one in path
        ]
        return torch.stack(points) if points else torch.zeros(0, 2, 20, 3)

    for prior in (0.0, 1.0):

        def went(prior: float, sigma: float = demo_pull.SIGMA, scale: float = 0.9) -> list[Parameters]:
            return list(fit(dots, start, Energy(prior, sigma, scale), steps + 1).steps)

        def right(prior: float, sigma: float = demo_pull.SIGMA, scale: float = 0.9) -> torch.Tensor:
            return seen(went(prior, sigma, scale)[:-1])

        expected, case = right(prior), f"prior {prior:g} (points 0-16 are joints, 17 the camera, 18 and 19 the shape)"
        *kept, last = went(prior)  # the round of the last copy steps once more
        shared = seen([one._replace(betas=last.betas, camera=last.camera) for one in kept])
        compare(
            seen(function(dots, Parameters(*(value.clone() for value in start)), prior, steps)), expected, case, hint,
            2e-3,
            {
                "the start is missing": expected[1:],
                "the last step is missing": expected[:-1],
                "all entries are the same body: keep copies": expected[-1:].expand_as(expected),
                "shape and camera are the same in all entries: detach() shares memory, clone() copies": shared,
                "the prior has no part in E": right(0.0),
                "the dots' part is not divided by two sigma squared": right(prior, 0.5**0.5),
                "every dot is believed, however far off: rho is missing": right(prior, scale=1e4),
            },
        )  # fmt: skip
    demo_pull.checked(function)
    return "pull: your descent goes where the course's goes, and pulls the demo below"
