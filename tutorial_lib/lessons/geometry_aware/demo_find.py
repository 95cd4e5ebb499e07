"""Find the moment: one camera's latent looks for itself among those of the other camera."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.geometry_aware import draw_groups, retrieve, to_world
from tutorial_lib.geometry_aware.retrieval import encode, standardised
from tutorial_lib.geometry_aware.views import photos
from tutorial_lib.lessons.geometry_aware.pictures import Pair, strip
from tutorial_lib.render import Views

COUNT, BEST = 128, 5
"""Moments to look among, and how many are shown."""

TURNED, SCALED, RAW = "turned into the world", "turned, and scaled", "left as they are"


@dataclass(frozen=True)
class Search:
    """Test groups, and both cameras' latents of the first moment.

    Attributes:
        views: the groups.
        points: kind -> network -> (B, 2 cameras, n, 3).
    """

    views: Views
    points: dict[str, dict[str, torch.Tensor]]


def search(nets: Pair, count: int = COUNT) -> Search:
    """Draw test groups and encode them.

    Args:
        nets: of `pictures.networks`.
        count: groups.
    """
    views = draw_groups("test", count, seed=5, size=nets.ours.encoder.size)
    points: dict[str, dict[str, torch.Tensor]] = {TURNED: {}, SCALED: {}, RAW: {}}
    for name, net in nets.by_name().items():
        raw = encode(net.encoder, photos(views))[0].unflatten(0, (count, 2, 2))[:, 0]
        turned = to_world(raw, views.rotation)
        scaled = torch.stack(standardised(*turned.unbind(1)), 1)
        for kind, some in ((TURNED, turned), (SCALED, scaled), (RAW, raw)):
            points[kind][name] = some
    return Search(views, points)


def compute_find(found: Search, query: int, kind: str, network: str = "ours") -> dict[str, Any]:
    """What `find_demo` shows for these values of its controls."""
    points = found.points[kind][network].flatten(2)
    distance = torch.linalg.vector_norm(points[query, 0] - points[:, 1], dim=-1)
    order = distance.argsort()
    return {
        "query": found.views.pixels[query, 0, 0],
        "nearest": [found.views.pixels[int(i), 0, 1] for i in order[:BEST]],
        "right": [int(i) == query for i in order[:BEST]],
        "rank": int((order == query).nonzero()[0, 0]) + 1,
        "retrieval": {
            name: retrieve(*some[network].unbind(1)) for name, some in found.points.items()
        },
        "count": len(found.views),
    }  # fmt: skip


def view_find(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `find_demo`."""
    shares = {name: 100 * one.first for name, one in arrays["retrieval"].items()}
    five = {name: 100 * one.among_five for name, one in arrays["retrieval"].items()}
    chance = 100 / arrays["count"]
    places = torch.arange(3.0)
    return stage.panes(
        strip(
            [arrays["query"], *arrays["nearest"]], "camera 1 | the five nearest of camera 2, from left to right", 2.2,
            1 + arrays["right"].index(True) if any(arrays["right"]) else None,
        ),
        stage.curve(
            [
                stage.series("first", places, list(shares.values()), mode="bars", colour="blue", bar=0.38, shift=-0.2),
                stage.series(
                    "among five", places, list(five.values()), mode="bars", colour="sky", bar=0.38, shift=0.2
                ),
            ],
            x=stage.axis("", -0.6, 2.6, ticks={"turned": 0, "scaled": 1, "as they are": 2}),
            y=stage.axis("found (%)", 0, 100),
            lines=[stage.hline("", chance)], title=f"all {arrays['count']} moments",
        ),
        height=200,
        note=f"the same moment is number {arrays['rank']} of {arrays['count']}; over all moments it comes first in "
        f"{shares[params['kind']]:.0f} %, by chance in {chance:.1f} %",
    )  # fmt: skip


def find_demo(found: Search) -> Demo:
    """Look for a moment in the other camera.

    Args:
        found: of `search`.
    """
    first = min(21, len(found.views) - 1)
    controls = {
        "query": slider(first, 0, len(found.views) - 1, 1, "moment"),
        "kind": choice(list(found.points), TURNED, "latents"),
        "network": choice(list(found.points[RAW]), "ours", "decoder"),
    }
    presets = {
        "turned": {"query": first, "kind": TURNED, "network": "ours"},
        "not turned": {"query": first, "kind": RAW, "network": "ours"},
        "splatted, turned": {"query": first, "kind": TURNED, "network": "splatted"},
        "splatted, not turned": {"query": first, "kind": RAW, "network": "splatted"},
    }
    return live(
        partial(compute_find, found), view_find, controls, presets=presets,
        title="Find the moment: which photo of camera 2 is the one of camera 1?",
        plays="query", recorded=("kind", "network"),
    )  # fmt: skip
