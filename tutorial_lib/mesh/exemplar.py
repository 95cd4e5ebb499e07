"""EFT (Joo et al. 2021): not the body is drawn to the dots but the network, its weights, for each person anew.

No prior is written down. What is likely is what the network says after few steps: it cannot unlearn its people at once.
"""

from collections.abc import Sequence

import torch
from torch.func import functional_call, vmap

from tutorial_lib.body_model import body
from tutorial_lib.mesh.fitting import Path
from tutorial_lib.mesh.numbers import unpack
from tutorial_lib.mesh.regressor import Regressor
from tutorial_lib.mesh.weak_perspective import reproject
from tutorial_lib.skeleton import length


def fine_tune(
    net: Regressor,
    dots: torch.Tensor,
    steps: int = 20,
    rate: float = 1e-4,
    keep: Sequence[int] | None = None,
    shape: float = 1e-3,
) -> Path:
    """Fine-tune a copy of all weights for each person, on that person's dots alone.

    Args:
        net: the trained network; it stays as it is.
        dots: (N, 17, 2) half-sides of the crop.
        steps: of Adam; the paper stops after 20.
        rate: of Adam.
        keep: steps to keep; all of them by default.
        shape: weight of the squared shape, the paper's only prior.
    """
    model = body().to(dots)
    weights = {
        name: value.detach().expand(len(dots), *value.shape).clone().requires_grad_()
        for name, value in net.named_parameters()
    }
    buffers = dict(net.named_buffers())

    def answers() -> torch.Tensor:
        one = vmap(lambda own, seen: functional_call(net, (own, buffers), (seen,)))
        return one(weights, dots)

    optimiser = torch.optim.Adam(weights.values(), lr=rate)
    numbers = tuple(range(steps + 1)) if keep is None else tuple(sorted({0, *keep}))
    kept = []
    with torch.enable_grad():
        for step in range(steps + 1):
            said = answers()
            found = unpack(said)
            if step in numbers:
                kept.append(unpack(said.detach()))
            if step == steps:
                break
            joints = model.joints(found.rotations, found.betas)
            off = length(reproject(joints, found.camera) - dots).mean(-1) + shape * found.betas.square().mean(-1)
            optimiser.zero_grad(set_to_none=True)
            off.sum().backward()
            optimiser.step()
    return Path(tuple(kept), numbers)
