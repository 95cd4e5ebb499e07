"""Several people in one picture: who hides whom, against rays that are marched through balls strung along the bones."""

from dataclasses import replace

import pytest
import torch

from tutorial_lib.camera import orbit, world_to_camera
from tutorial_lib.distortion import PRESETS
from tutorial_lib.motion import builtin
from tutorial_lib.render import (
    PARTS,
    Sensor,
    box_overlap,
    crop_boxes,
    draw_crowds,
    draw_looks,
    draw_photos,
    draw_places,
    photograph,
    photograph_crowd,
    random_crowds,
)
from tutorial_lib.render.anatomy import SOLIDS
from tutorial_lib.render.body import build

QUIET = Sensor(read_noise=0)
PEOPLE = 3


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def clips():
    return builtin(5, 3, ("walk", "sit_down", "reach"), 40)


@pytest.fixture(scope="module")
def crowd(clips):
    return draw_crowds(clips, 12, PEOPLE, size=64, generator=seeded(), overlap=(0.15, 0.7))


def standing(clips, count, people, gap=0.5):
    """Poses (count, people, 17, 3) in the camera frame: side by side, each a little further away."""
    pose = draw_photos(clips, count * people, size=8, generator=seeded(7)).pose
    pose = (pose - pose[:, :1]).unflatten(0, (count, people))
    number = torch.arange(people)
    return pose + torch.stack([gap * (number - (people - 1) / 2), 0.1 + 0 * number, 4 + 0.6 * number], -1)[:, None]


def scene(count, people, occluders=1.0):
    places = draw_places(count, generator=seeded(4), occluders=occluders)
    return draw_looks(count * people, generator=seeded(3)), places


# ------------------------------------------------------------------------------------------------ one and many


@pytest.mark.parametrize("lens", [None, PRESETS["d2"]], ids=["pinhole", "lens"])
def test_one_person_alone_is_the_picture_of_photograph(clips, lens):
    pose = standing(clips, 5, 1)
    looks, places = scene(5, 1)
    alone = photograph(pose[:, 0], looks, places, size=48, lens=lens, generator=seeded())
    crowd = photograph_crowd(pose, looks, places, size=48, box=alone.box, lens=lens, generator=seeded())
    for name in ("image", "parts", "depth", "box"):
        assert torch.equal(getattr(crowd, name), getattr(alone, name)), name
    for name in ("keypoints", "visible", "pose", "silhouette"):
        assert torch.equal(getattr(crowd, name)[:, 0], getattr(alone, name)), name
    assert torch.equal(crowd.person, torch.where(alone.parts > 0, 0, -1)) and crowd.present.all()


def test_rows_that_are_nobody_change_nothing(clips):
    pose = standing(clips, 4, 1)
    looks, places = scene(4, 1)
    alone = photograph_crowd(pose, looks, places, size=48, sensor=QUIET)
    padded = torch.cat([pose, torch.full_like(pose, torch.nan)], 1)
    present = torch.tensor([[True, False]]).expand(4, 2)
    crowd = photograph_crowd(padded, looks.repeat(2), places, present=present, size=48, box=alone.box, sensor=QUIET)
    for name in ("image", "parts", "person", "depth"):
        assert torch.equal(getattr(crowd, name), getattr(alone, name)), name
    assert torch.equal(crowd.visible[:, :1], alone.visible) and torch.equal(crowd.front[:, :1], alone.front)
    assert not crowd.visible[:, 1].any() and (crowd.front[:, 1] == -1).all() and not crowd.silhouette[:, 1].any()
    assert not crowd.keypoints[:, 1].any() and not crowd.pose[:, 1].any() and torch.equal(crowd.present, present)


def test_a_batch_is_its_pictures_one_by_one(clips):
    pose = standing(clips, 3, 2, gap=0.2)
    looks, places = scene(3, 2)
    together = photograph_crowd(pose, looks, places, size=48, sensor=QUIET)
    for i in range(3):
        lone = photograph_crowd(pose[i : i + 1], looks[2 * i : 2 * i + 2], places[i], size=48, sensor=QUIET)
        torch.testing.assert_close(lone.image[0], together.image[i], atol=1e-5, rtol=0)
        for name in ("person", "parts", "visible", "front"):
            assert torch.equal(getattr(lone, name)[0], getattr(together, name)[i]), name


def test_the_order_of_people_does_not_change_the_picture(clips):
    pose, order = standing(clips, 3, 4, gap=0.25), torch.tensor([2, 0, 3, 1])
    looks, places = scene(3, 4)
    box = torch.tensor([[0.0, 0.0, 0.3]]).expand(3, 3)
    first = photograph_crowd(pose, looks, places, size=64, box=box, sensor=QUIET)
    shuffled = looks[(4 * torch.arange(3)[:, None] + order).flatten()]
    second = photograph_crowd(pose[:, order], shuffled, places, size=64, box=box, sensor=QUIET)
    torch.testing.assert_close(second.image, first.image, atol=1e-6, rtol=0)
    assert torch.equal(second.parts, first.parts) and torch.equal(second.depth, first.depth)
    assert torch.equal(second.visible, first.visible[:, order])
    assert torch.equal(second.silhouette, first.silhouette[:, order])
    for found, expected in ((second.person, first.person), (second.front, first.front[:, order])):
        assert torch.equal(torch.where(found >= 0, order[found], -1), expected)


def test_a_picture_of_each_alone_composed_by_depth_is_the_crowd(clips):
    """An independent way to the same picture: everybody alone in one room without shadows, the nearest depth wins."""
    pose = standing(clips, 4, PEOPLE, gap=0.3)
    looks, places = scene(4, PEOPLE, occluders=0)
    places.shadow.zero_(), places.blur.zero_()
    crowd = photograph_crowd(pose, looks, places, size=64, sensor=QUIET)
    alone = [
        photograph(pose[:, p], looks[p::PEOPLE], places, size=64, box=crowd.box, sensor=QUIET) for p in range(PEOPLE)
    ]
    depth = torch.stack([photo.depth for photo in alone], 1)
    nearest, person = depth.min(1)
    nobody, soft = nearest.isinf(), ((crowd.silhouette > 0) & (crowd.silhouette < 1)).any(1)
    agree = (torch.where(nobody, -1, person) == crowd.person) | soft
    assert agree.float().mean() > 0.999 and crowd.person.unique().tolist() == [-1, 0, 1, 2]
    images = torch.stack([photo.image for photo in alone], 1)
    composed = images.gather(1, person[:, None, None].expand(-1, 1, 3, -1, -1))[:, 0]
    off = (composed - crowd.image).abs().amax(1)
    assert off[~soft].max() < 1e-5 or (off[~soft] > 1e-5).float().mean() < 1e-3
    for p in range(PEOPLE):
        torch.testing.assert_close(crowd.silhouette[:, p], alone[p].silhouette)


def test_shadows_of_all_fall_on_the_floor_and_two_are_no_darker_than_full_shade():
    """Seen from above, with the sun behind: light that the floor keeps, beside the same picture without shadows."""
    person = builtin(0, 1, ["walk"], 5)[0].positions[0]
    looks, places = scene(1, 1, occluders=0)
    places.blur.zero_()

    def kept(*middles):
        people = person - person[0] * torch.tensor([1.0, 1.0, 0.0]) + torch.tensor([[[x, y, 0.0]] for x, y in middles])
        camera = orbit(torch.tensor([0.0, 0.0, 0.5]), 0.0, 1.0, 5.0)
        lit = places.seen_by(camera.rotation[None])
        lit = replace(lit, sun=(camera.rotation @ torch.tensor([-0.6, 0.0, 0.8]))[None])
        pictures = [
            photograph_crowd(
                world_to_camera(people, camera)[None], looks, replace(lit, shadow=k * torch.ones(1)), size=64,
                box=torch.tensor([[0.0, 0.0, 0.4]]), sensor=QUIET, down=-camera.rotation[:, 2],
            )
            for k in (0.0, 0.6)
        ]  # fmt: skip
        bare, shaded = (picture.image[0].mean(0) for picture in pictures)
        return (shaded / bare).masked_fill(pictures[0].silhouette[0].amax(0) > 0, torch.nan)

    def least(light):
        return light[~light.isnan()].min().item()

    one, other, both = kept((0.0, -0.5)), kept((0.0, 0.5)), kept((0.0, -0.5), (0.0, 0.5))
    free = ~(one + other + both).isnan()
    assert least(one) < 0.7 and least(other) < 0.7
    # Everybody's shade is there; where two lie on each other, the floor is no darker than in full shade.
    torch.testing.assert_close((1 - both)[free], (2 - one - other)[free], atol=5e-3, rtol=0)
    assert least(kept((0.0, 0.0), (0.1, 0.0))) >= 0.4 - 1e-3


# ------------------------------------------------------------------------------------------------ who hides whom


def marched(solids, joints, steps=150):
    """At what depth (bodies, n) the light from joints (n, 3) to the camera is first in a body's flesh; infinite: never.

    Points on the rays are tested against balls along the axes of all solids.
    """
    rays = joints[:, None] * torch.linspace(0.5, 1, steps)[:, None]
    share, depths = torch.linspace(0, 1, 25), []
    for body in range(len(solids)):
        inside = torch.zeros(rays.shape[:2], dtype=torch.bool)
        for k, name in enumerate(SOLIDS):
            if name == "skirt" or solids.radius[body, k].max() == 0:
                continue
            side, deep = solids.stretch[body, k]
            into = torch.diag(torch.stack([1 / side, torch.tensor(1.0), 1 / deep])) @ solids.frame[body, k]
            centres = solids.start[body, k] + share[:, None] * solids.span[body, k] * solids.frame[body, k, 1]
            away = torch.cdist((rays @ into.T).flatten(0, 1), centres @ into.T)
            inside |= (away < torch.lerp(*solids.radius[body, k], share)).any(1).view_as(inside)
        first = rays[..., 2].gather(1, inside.int().argmax(1, keepdim=True))[:, 0]
        depths.append(torch.where(inside.any(1), first, torch.inf))
    return torch.stack(depths)


def test_a_joint_is_hidden_by_others_exactly_where_their_flesh_crosses_its_ray(clips):
    count = 2
    pose = standing(clips, count, PEOPLE, gap=0.22)
    looks, places = scene(count, PEOPLE, occluders=0)
    looks.skirt[:] = False
    crowd = photograph_crowd(pose, looks, places, size=64, sensor=QUIET)
    alone = [
        photograph(pose[:, p], looks[p::PEOPLE], places, size=64, box=crowd.box, sensor=QUIET) for p in range(PEOPLE)
    ]
    solids, wrong, hidden = build(pose.flatten(0, 1), looks), 0, 0
    for picture in range(count):
        bodies = solids[PEOPLE * picture : PEOPLE * (picture + 1)]
        entries = marched(bodies, pose[picture].flatten(0, 1)).unflatten(1, (PEOPLE, 17))
        for p in range(PEOPLE):
            for j in range(17):
                entry = entries[:, p, j]
                others = entry.clone()
                others[p] = torch.inf
                behind = bool(others.min() < pose[picture, p, j, 2] - 0.02)
                hidden += behind
                if behind:
                    wrong += bool(crowd.visible[picture, p, j])
                    wrong += int(crowd.front[picture, p, j]) != int(entry.argmin())
                elif others.isinf().all():
                    # Nobody else is in the way: as hidden as the person alone is.
                    wrong += bool(crowd.visible[picture, p, j]) != bool(alone[p].visible[picture, j])
                    wrong += int(crowd.front[picture, p, j]) not in (p, -1)
    assert hidden > 20 and wrong <= 2  # rays that just touch a skin


def test_the_person_in_front_of_a_joint_is_the_person_of_its_pixel(crowd):
    size = crowd.person.shape[-1]
    pixel = ((crowd.keypoints + 1) * size / 2).long().clamp(0, size - 1)
    rows = torch.arange(len(crowd))[:, None, None]
    shown = crowd.person[rows, pixel[..., 1], pixel[..., 0]]
    other = crowd.front != torch.arange(PEOPLE)[:, None]
    assert 0.03 < other.float().mean() < 0.5
    assert (shown == crowd.front)[crowd.front >= 0].float().mean() > 0.95
    assert not (crowd.visible & other).any()
    assert (crowd.visible & ~other).float().mean() > 0.4


def test_the_nearer_of_two_who_stand_in_line_hides_the_other():
    pose = draw_photos(builtin(0, 1, ["walk"], 5), 1, size=8, generator=seeded()).pose
    pose = pose - pose[:, :1]
    line = torch.cat([pose + torch.tensor([0.0, 0, z]) for z in (5.0, 3.0)])[None]  # the second is nearer
    crowd = photograph_crowd(line, *scene(1, 2, occluders=0), size=64, sensor=QUIET)
    assert (crowd.person == 1).sum() > 5 * (crowd.person == 0).sum()
    assert crowd.visible[0, 0].sum() < crowd.visible[0, 1].sum() and (crowd.front[0, 0] == 1).sum() >= 8
    assert (crowd.front[0, 1] != 0).all()


def test_another_persons_skin_hides_however_near_it_is():
    """The same body twice, 6 cm apart: the hip of the far one lies no deeper than in flesh, but that is not its own."""
    pose = draw_photos(builtin(0, 1, ["walk"], 5), 1, size=8, generator=seeded()).pose
    pose = pose - pose[:, :1]
    pair = torch.cat([pose + torch.tensor([0.0, 0, z]) for z in (3.06, 3.0)])[None]
    crowd = photograph_crowd(pair, *scene(1, 1, occluders=0), size=32, sensor=QUIET)
    assert (crowd.front[0, 0] == 1).all() and not crowd.visible[0, 0].any()
    assert (crowd.front[0, 1] == 1).all() and crowd.visible[0, 1].any()


def test_arms_reach_round_each_other_by_depth_and_not_by_person():
    """Two who stand at one place, a hand aside and turned by a half circle: each is in front somewhere."""
    pose = draw_photos(builtin(0, 1, ["reach"], 30), 1, size=8, generator=seeded(3)).pose[0]
    pose = pose - pose[:1]
    turned = pose * torch.tensor([-1.0, 1.0, -1.0])
    pair = torch.stack([pose, turned + torch.tensor([0.05, 0, 0.0])])[None] + torch.tensor([0.0, 0, 3])
    crowd = photograph_crowd(pair, *scene(1, 2, occluders=0), size=96, sensor=QUIET)
    both = (crowd.silhouette == 1).all(1)
    shares = [(crowd.person[both] == p).float().mean().item() for p in (0, 1)]
    assert min(shares) > 0.05


# ------------------------------------------------------------------------------------------------ drawn at random


def iou(first, second):
    (a, b), (c, d) = ((k.amin(0).tolist(), k.amax(0).tolist()) for k in (first, second))
    wide, tall = (max(0.0, min(b[i], d[i]) - max(a[i], c[i])) for i in (0, 1))
    areas = [(q[0] - p[0]) * (q[1] - p[1]) for p, q in ((a, b), (c, d))]
    return wide * tall / (sum(areas) - wide * tall)


@pytest.mark.parametrize("people, overlap", [(2, (0.0, 0.0)), (2, (0.4, 0.6)), (3, (0.1, 0.3)), (4, (0.0, 0.5))])
def test_the_largest_overlap_is_in_the_wanted_range(clips, people, overlap):
    crowd = draw_crowds(clips, 12, people, size=16, generator=seeded(), overlap=overlap, apart=0.7)
    pairs = torch.combinations(torch.arange(people)).tolist()
    for picture in range(12):
        most = max(iou(crowd.keypoints[picture, i], crowd.keypoints[picture, j]) for i, j in pairs)
        assert overlap[0] - 1e-5 <= most <= overlap[1] + 1e-5
        table = box_overlap(crowd.keypoints[picture])
        assert table.fill_diagonal_(0).max().item() == pytest.approx(most, abs=1e-5)
    apart = (crowd.pose[:, :, None, 0] - crowd.pose[:, None, :, 0]).norm(dim=-1)
    assert (apart + 9 * torch.eye(people)).min() >= 0.7 - 1e-4  # metres: sitting and standing hips are further apart


def test_everybody_stands_on_the_floor_and_not_before_the_wall(clips, monkeypatch):
    seen = []

    def watched(pose, looks, places, **options):
        seen.append(places)
        return photograph_crowd(pose, looks, places, **options)

    monkeypatch.setattr(random_crowds, "photograph_crowd", watched)
    crowd = draw_crowds(clips, 24, 3, size=16, generator=seeded())
    feet = crowd.keypoints[..., 1].amax(-1).amin(1)
    assert (seen[0].horizon[:, 0] + seen[0].hills < feet).all()


def test_any_number_of_people_is_padded(clips):
    crowd = draw_crowds(clips, 24, (1, 3), size=32, generator=seeded(), overlap=(0.0, 0.2))
    number = crowd.present.sum(1)
    assert set(number.tolist()) == {1, 2, 3} and crowd.pose.shape == (24, 3, 17, 3)
    for picture in range(24):
        shown = set(crowd.person[picture].unique().tolist()) - {-1}
        assert shown == set(range(int(number[picture])))
    inside = (crowd.keypoints.abs() < 1).all(-1)
    assert inside[crowd.present].all()


def test_the_generator_decides_everything(clips):
    first, again, other = (draw_crowds(clips, 5, 2, size=32, generator=seeded(s)) for s in (1, 1, 2))
    assert torch.equal(first.image, again.image) and torch.equal(first.front, again.front)
    assert not torch.equal(first.image, other.image)


def test_crowds_are_pictures_and_gradients_reach_everybody(clips, crowd):
    assert len(crowd) == 12 and crowd.image.shape == (12, 3, 64, 64)
    assert torch.isfinite(crowd.image).all() and crowd.image.min() >= 0 and crowd.image.max() <= 1
    assert crowd.parts.max() < len(PARTS) and torch.equal(crowd.parts > 0, crowd.person >= 0)
    assert torch.equal(crowd.depth.isinf() | (crowd.person >= 0), torch.ones_like(crowd.parts, dtype=torch.bool))
    pose = standing(clips, 1, 2, gap=1.0).requires_grad_()
    picture = photograph_crowd(pose, *scene(1, 2, occluders=0), size=48, sensor=QUIET)
    (gradient,) = torch.autograd.grad(picture.image.square().sum(), pose)
    assert torch.isfinite(gradient).all() and (gradient.abs().amax((0, 2, 3)) > 0).all()


def test_the_default_picture_holds_everybody(clips):
    pose = standing(clips, 3, 3, gap=0.8)
    crowd = photograph_crowd(pose, *scene(3, 3), size=16)
    boxes = crop_boxes(pose.flatten(0, 1)).unflatten(0, (3, 3))
    low, high = (boxes[..., :2] - boxes[..., 2:]).amin(1), (boxes[..., :2] + boxes[..., 2:]).amax(1)
    torch.testing.assert_close(crowd.box[:, 2], (high - low).amax(1) / 2)
    assert (crowd.keypoints.abs() < 1).all()


@pytest.mark.cuda
def test_a_gpu_takes_the_same_picture(clips):
    pose = standing(clips, 4, 3, gap=0.3)
    here, there = (photograph_crowd(p, *scene(4, 3), size=64, sensor=QUIET) for p in (pose, pose.cuda()))
    assert there.image.is_cuda and (there.image.cpu() - here.image).abs().mean() < 1e-3
    assert (there.person.cpu() == here.person).float().mean() > 0.999


def bad(**options):
    pose = options.pop("pose", torch.ones(2, 3, 17, 3))
    return photograph_crowd(pose, *scene(2, 3), **options)


BAD = {
    "one axis too few": (lambda: bad(pose=torch.ones(6, 17, 3)), r"pose has shape \(6, 17, 3\), expected \(B, P"),
    "behind the camera": (lambda: bad(pose=-torch.ones(2, 3, 17, 3)), "pose comes as near"),
    "presence of others": (lambda: bad(present=torch.ones(3, 2)), r"present has shape \(3, 2\)"),
    "nobody": (lambda: bad(present=torch.zeros(2, 3)), "true for 0 people"),
    "looks of others": (lambda: bad(pose=torch.ones(2, 2, 17, 3)), "looks has 6 rows, expected 4 .one a person"),
    "no clips": (lambda: draw_crowds([], 1, generator=seeded()), "clips has 0"),
    "a range upside down": (lambda: draw_crowds(builtin(0, 1, 1, 5), 1, (3, 2), generator=seeded()), "people is"),
    "overlap upside down": (
        lambda: draw_crowds(builtin(0, 1, 1, 5), 1, generator=seeded(), overlap=(0.3, 0.1)), r"overlap is \(0.3, 0.1\)",
    ),
    "overlap that nobody can have": (
        lambda: draw_crowds(builtin(0, 1, 1, 5), 1, generator=seeded(), overlap=(0.9, 1.0), apart=2.5),
        "2 people did not stand so",
    ),
}  # fmt: skip


@pytest.mark.parametrize("call, message", BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
