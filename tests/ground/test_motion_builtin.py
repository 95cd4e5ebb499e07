"""The invented people: reproducible, smooth, with human joints, and feet that stay where they stand."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tutorial_lib import motion
from tutorial_lib.skeleton import BONES, JOINTS, SYMMETRIC_BONES, bone_lengths

FPS = 50
SETTLED = ("sit_down", "stand_up", "eat", "reach", "squat", "throw", "stretch")  # both feet stay all the time
AIRBORNE = ("run", "jump")


@pytest.fixture(scope="module")
def clips():
    return [clip for seed in (0, 1) for clip in motion.builtin(seed=seed, subjects=6)]


def positions(clips, *actions):
    return [c.positions.double().numpy() for c in clips if not actions or c.action in actions]


def speeds(xyz, order=1):
    """Norm of the order-th difference quotient, (frames - order, ...)."""
    return np.linalg.norm(np.diff(xyz, order, axis=0), axis=-1) * FPS**order


def bend(xyz, first, middle, last):
    """Degrees by which a joint is bent; 0 is straight."""
    a, b = xyz[:, middle] - xyz[:, first], xyz[:, last] - xyz[:, middle]
    cosine = (a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def knees(xyz):
    return np.concatenate([bend(xyz, 1, 2, 3), bend(xyz, 4, 5, 6)])


def elbows(xyz):
    return np.concatenate([bend(xyz, 11, 12, 13), bend(xyz, 14, 15, 16)])


# --- the contract ---------------------------------------------------------------------------------


def test_one_clip_for_each_person_and_action():
    clips = motion.builtin(seed=4, subjects=[2, 0], actions=["wave", "run"], frames=30)
    assert [(c.subject, c.action) for c in clips] == [
        ("builtin-2", "wave"),
        ("builtin-2", "run"),
        ("builtin-0", "wave"),
        ("builtin-0", "run"),
    ]
    for clip in clips:
        assert clip.positions.shape == (30, 17, 3)
        assert clip.positions.dtype == torch.float32
        assert (clip.fps, clip.source) == (50.0, "builtin")
        assert torch.isfinite(clip.positions).all()


def test_defaults_give_four_people_and_all_actions():
    clips = motion.builtin(frames=1)
    assert len(clips) == 4 * len(motion.ACTIONS)
    assert len(motion.ACTIONS) >= 15
    assert {c.action for c in motion.builtin(subjects=1, actions=3, frames=1)} == set(motion.ACTIONS[:3])


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**40),
    person=st.integers(0, 10_000),
    action=st.sampled_from(motion.ACTIONS),
    frames=st.integers(1, 90),
)
def test_a_person_is_the_same_in_every_company_and_a_clip_begins_with_the_shorter_one(seed, person, action, frames):
    alone = motion.builtin(seed, [person], [action], 90)[0]
    crowd = motion.builtin(seed, [person + 1, person], [action, *{"wave", "kick"} - {action}], frames)
    same = next(c for c in crowd if (c.subject, c.action) == (alone.subject, alone.action))
    assert torch.allclose(alone.positions[:frames], same.positions, atol=1e-6)


def test_seeds_people_and_actions_differ():
    def poses(**kwargs):
        return motion.builtin(**{"subjects": [0], "actions": ["wave"], "frames": 20} | kwargs)[0].positions

    base = poses()
    assert torch.equal(base, poses())
    for other in (poses(seed=1), poses(subjects=[1]), poses(actions=["direct"])):
        assert (base - other).norm(dim=-1).mean() > 0.05


def test_the_caller_keeps_the_global_random_state():
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    motion.builtin(subjects=1, frames=2)
    assert torch.equal(before[0], torch.get_rng_state())
    assert (before[1] == np.random.get_state()[1]).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": -1}, "seed is -1.*>= 0"),
        ({"seed": 1.5}, "seed is 1.5"),
        ({"seed": True}, "seed is True"),
        ({"seed": None}, "seed is None"),
        ({"frames": 0}, "frames is 0.*>= 1"),
        ({"frames": "200"}, "frames is '200'"),
        ({"subjects": 0}, "subjects is 0"),
        ({"subjects": -3}, "subjects is -3"),
        ({"subjects": []}, "subjects is .*at least one"),
        ({"subjects": [1, 1]}, "none twice"),
        ({"subjects": [0, -1]}, "subjects is -1"),
        ({"subjects": "4"}, "subjects is '4'"),
        ({"actions": 0}, "actions is 0"),
        ({"actions": 10_000}, "actions is 10000, but there are only"),
        ({"actions": []}, "at least one"),
        ({"actions": "walk"}, r"pass \['walk'\]"),
        ({"actions": ["walk", "fly"]}, r"walk.*unknown: \['fly'\]"),
        ({"actions": ["walk", "walk"]}, "none twice"),
        ({"actions": [3]}, "unknown"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        motion.builtin(**arguments)


# --- the bodies -----------------------------------------------------------------------------------


def test_bones_keep_their_length_and_both_sides_are_alike(clips):
    for clip in clips:
        lengths = bone_lengths(clip.positions)
        assert (lengths - lengths[0]).abs().max() < 1e-5
        for left, right in SYMMETRIC_BONES:
            assert (lengths[:, left] - lengths[:, right]).abs().max() < 1e-5


def test_people_differ_in_size_and_proportion():
    people = motion.builtin(subjects=60, actions=["walk"], frames=1)
    lengths = torch.stack([bone_lengths(c.positions[0]) for c in people])
    legs = lengths[:, 1] + lengths[:, 2]
    assert 0.65 < legs.min() < 0.75 < 0.85 < legs.max() < 1.0
    arms = lengths[:, BONES.index((11, 12))] + lengths[:, BONES.index((12, 13))]
    assert (arms / legs).std() > 0.01


# --- the movement ---------------------------------------------------------------------------------


def test_movement_is_smooth(clips):
    # Real recordings of walking reach 157 m/s² and of everything 630 m/s² in single frames.
    for clip in clips:
        xyz = clip.positions.double().numpy()
        assert speeds(xyz).max() < 12, clip.action
        assert speeds(xyz, 2).max() < 230, clip.action
        assert speeds(xyz, 3).max() < 15_000, clip.action


def test_everybody_moves_all_the_time(clips):
    for clip in clips:
        assert speeds(clip.positions.double().numpy()).max(1).min() > 1e-3, clip.action


def test_knees_and_elbows_stay_in_the_human_range(clips):
    for xyz in positions(clips):
        assert knees(xyz).min() > 4
        assert knees(xyz).max() < 150
        assert elbows(xyz).min() > 4
        assert elbows(xyz).max() < 150


def test_knees_bend_forward(clips):
    # Seen along the hips' axis, the shank turns back against the thigh.
    for clip in clips:
        xyz = clip.positions.double().numpy()
        across = xyz[:, 4] - xyz[:, 1]
        for hip, knee, foot in ((1, 2, 3), (4, 5, 6)):
            turn = np.cross(xyz[:, knee] - xyz[:, hip], xyz[:, foot] - xyz[:, knee])
            assert ((turn * across).sum(-1) > 0).all(), clip.action


def test_back_and_neck_stay_in_the_human_range(clips):
    for clip in clips:
        xyz = clip.positions.double().numpy()
        assert bend(xyz, 0, 7, 8).max() < 60, clip.action
        assert bend(xyz, 7, 8, 9).max() < 75, clip.action
        assert bend(xyz, 8, 9, 10).max() < 40, clip.action


def test_arms_stay_out_of_the_trunk(clips):
    for clip in clips:
        xyz = clip.positions.double().numpy()
        start, way = xyz[:, 0], xyz[:, 8] - xyz[:, 0]
        for joint in (12, 13, 15, 16):
            share = np.clip(((xyz[:, joint] - start) * way).sum(-1) / (way**2).sum(-1), 0, 1)
            gap = np.linalg.norm(xyz[:, joint] - start - share[:, None] * way, axis=-1)
            assert gap.min() > 0.09, (clip.action, JOINTS[joint])


def test_nobody_sinks_into_the_floor_or_leaves_the_room(clips):
    for clip in clips:
        xyz = clip.positions.double().numpy()
        assert xyz[..., 2].min() > 0.03, clip.action
        feet = xyz[:, (3, 6), 2]
        if clip.action not in AIRBORNE:
            assert abs(feet.min() - feet.min(1)).max() < 0.015, f"{clip.action}: somebody floats"
        assert np.abs(xyz[..., :2]).max() < 3.5, clip.action


def test_feet_on_the_floor_do_not_slide(clips):
    for clip in clips:
        feet = clip.positions.double().numpy()[:, (3, 6)]
        speed = speeds(feet[..., :2])
        down = np.maximum(feet[1:, :, 2], feet[:-1, :, 2]) < feet[..., 2].min() + 0.002
        assert down.any(), clip.action
        assert np.percentile(speed[down], 95) < 0.02, clip.action
        assert speed[down].max() < 0.15, clip.action
        if clip.action in SETTLED:
            assert speed.max() < 1e-4, clip.action
        elif clip.action not in AIRBORNE:
            assert speeds(feet).min(1).max() < 0.4, f"{clip.action}: no foot carries the body"


def test_walking_is_walking(clips):
    for clip in (c for c in clips if c.action == "walk"):
        xyz = clip.positions.double().numpy()
        across = xyz[:, 4] - xyz[:, 1]
        ahead = np.stack([across[:, 1], -across[:, 0]], -1) / np.linalg.norm(across[:, :2], axis=-1)[:, None]
        forward = (np.diff(xyz[:, 0, :2], axis=0) * ahead[1:]).sum(-1) * FPS
        assert 0.6 < forward.mean() < 1.7  # not moon-walking
        legs = ((xyz[:, 3] - xyz[:, 6])[:, :2] * ahead).sum(-1)
        arms = ((xyz[:, 13] - xyz[:, 16])[:, :2] * ahead).sum(-1)
        assert np.corrcoef(legs, arms)[0, 1] > 0.6  # the left arm swings with the right leg
        left = across[:, :2] / np.linalg.norm(across[:, :2], axis=-1)[:, None]
        aside = ((xyz[:, 6] - xyz[:, 3])[:, :2] * left).sum(-1)
        assert aside[np.abs(legs) < 0.2].min() > 0.05  # legs pass beside each other


# --- against real recordings ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(mocap_path):
    return motion.load(mocap_path)


def test_proportions_are_those_of_people(real):
    def shares(clips):
        lengths = torch.stack([bone_lengths(c.positions[0]) for c in clips])
        return lengths / lengths[:, [1, 2, 6, 7, 8, 9]].sum(1, keepdim=True)

    ours = shares(motion.builtin(subjects=80, actions=["walk"], frames=1)).mean(0)
    assert torch.allclose(ours, shares(real).mean(0), rtol=0.12)


@pytest.mark.parametrize("ours,theirs", [("walk", "walk"), ("run", "running"), ("direct", "directing")])
def test_joint_speeds_are_those_of_people(clips, real, ours, theirs):
    def rms(clips, name):
        kept = [speeds(c.positions.double().numpy()) for c in clips if c.action.startswith(name)]
        return np.sqrt((np.concatenate(kept) ** 2).mean(0))

    ratio = rms(clips, ours) / rms(real, theirs)
    joints = [JOINTS.index(name) for name in ("left_elbow", "left_wrist", "right_elbow", "right_wrist")]
    joints = range(17) if ours != "direct" else joints  # real policemen walk about
    assert ratio[joints].min() > 0.55
    assert ratio[joints].max() < 1.6


def test_joint_angles_and_steps_are_those_of_people(clips, real):
    def walks(clips):
        return positions([c for c in clips if c.action == "walk"])

    for angle, slack in ((knees, 15), (elbows, 15)):
        ours, theirs = (np.percentile(np.concatenate([angle(x) for x in walks(c)]), [5, 50, 95]) for c in (clips, real))
        assert np.abs(ours - theirs).max() < slack
    still = [np.mean([(speeds(x[:, 3]) < 0.25).mean() for x in walks(c)]) for c in (clips, real)]
    assert abs(still[0] - still[1]) < 0.2
    for angle in (knees, elbows):  # over all actions: as wide as real life, not wider
        ours, theirs = (np.concatenate([angle(x) for x in positions(c)]) for c in (clips, real[::4]))
        assert np.percentile(ours, 95) > 0.8 * np.percentile(theirs, 95)
        assert ours.max() < theirs.max() + 10
