"""Who is trained on and who is tested: nobody stands on both sides, and a shoot repeats itself."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tutorial_lib import motion
from tutorial_lib.datasets import splits
from tutorial_lib.datasets.footage import CLIP_FRAMES, capture_clips
from tutorial_lib.datasets.splits import HELD_OUT_ACTIONS, MOCAP_TEST_SUBJECTS, TRAINED_ACTIONS, AdaptationSplit, Split
from tutorial_lib.skeleton import bone_lengths

AdaptationSplit.__test__ = False  # a place where a camera stands, not a test

SEEDS = {
    "training": splits.TRAIN_SEED,
    "validation": splits.VALIDATION_SEED,
    "calibration": splits.SITE_SEED,
    "test": splits.TEST_SEED,
}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def bodies(clips):
    """The bone lengths of everybody in the clips, in millimetres: one row a clip."""
    return torch.stack([1000 * bone_lengths(clip.positions[:1])[0] for clip in clips])


def actions(clips):
    return {clip.action for clip in clips}


def same(one, other):
    """Whether two lists hold the same clips."""
    return len(one) == len(other) and all(torch.equal(a.positions, b.positions) for a, b in zip(one, other))


@pytest.fixture(scope="module")
def groups():
    """The first builtin clips of every group."""
    split, place = splits.training_split(None, people=6), splits.builtin_split()
    return {
        "training": split.train,
        "validation": split.validation,
        "calibration": place.calibration,
        "test": place.test,
    }


@pytest.fixture(scope="module")
def recorded(mocap_path):
    """The real clips of the split, and a function that finds the take a clip comes from, whatever its body."""
    split = splits.training_split(mocap_path, people=1)
    with np.load(mocap_path) as archive:
        about = [archive[key] for key in ("src", "mocap_subject", "mocap_trial", "description", "src_frames")]
        first_frames = archive["positions_3d"][archive["offsets"][:-1]]
    takes = {frame.tobytes(): tuple(map(str, take)) for frame, take in zip(first_frames, zip(*about))}

    def take_of(clip):
        return takes[clip.positions[0].numpy().tobytes()]

    real = {side: [c for c in getattr(split, side) if c.source != "builtin"] for side in ("train", "validation")}
    return Split(**real), take_of


@pytest.fixture(scope="module")
def real_site(mocap_path):
    return splits.adaptation_split(str(mocap_path))


# ------------------------------------------------------------------ builtin people
def test_the_groups_come_from_four_populations():
    assert len(set(SEEDS.values())) == 4


def test_everybody_comes_from_the_population_of_their_group(groups):
    for name, clips in groups.items():
        for clip in clips[:: len(clips) // 3]:
            person = int(clip.subject.removeprefix("builtin-"))
            (again,) = motion.builtin(SEEDS[name], [person], [clip.action], len(clip.positions))
            assert torch.equal(clip.positions, again.positions), f"{name}: {clip.subject}, {clip.action}"


def test_nobody_of_one_group_has_the_body_of_another_group(groups):
    names = list(groups)
    for i, name in enumerate(names):
        for other in names[i + 1 :]:
            apart = (bodies(groups[name])[:, None] - bodies(groups[other])).abs().amax(-1)
            assert apart.min() > 2, f"{name} and {other}: two people are alike to {apart.min():.2f} mm"


def test_another_seed_is_another_site_with_nobody_in_common():
    first, second = splits.builtin_split(0), splits.builtin_split(1)
    for side in ("calibration", "test"):
        people = [{clip.subject for clip in getattr(place, side)} for place in (first, second)]
        assert len(people[0]) == len(people[1]) == 2 and not people[0] & people[1]


def test_held_out_motions_are_never_trained_validated_or_calibrated_on(groups):
    assert set(HELD_OUT_ACTIONS) | set(TRAINED_ACTIONS) == set(motion.ACTIONS)
    assert actions(groups["test"]) == set(HELD_OUT_ACTIONS)
    for name in ("training", "validation", "calibration"):
        assert actions(groups[name]) == set(TRAINED_ACTIONS)
        assert not actions(groups[name]) & set(HELD_OUT_ACTIONS), name


def test_training_takes_as_many_builtin_people_as_asked():
    assert len({clip.subject for clip in splits.training_split(None, people=3).train}) == 3


def test_sites_are_the_same_at_every_call():
    one, other = splits.builtin_split(), splits.adaptation_split("builtin", 0)
    assert same(one.calibration, other.calibration) and same(one.test, other.test)


# ------------------------------------------------------------------ real people
def test_test_actors_are_neither_trained_nor_validated_on(recorded):
    split, _ = recorded
    assert split.train and split.validation
    for clips in (split.train, split.validation):
        assert not {clip.subject for clip in clips} & set(MOCAP_TEST_SUBJECTS)


def test_no_identified_actor_is_trained_and_validated_on(recorded):
    split, _ = recorded
    both = {clip.subject for clip in split.train} & {clip.subject for clip in split.validation}
    assert both <= {"cmu-unidentified"}


def test_all_bodies_of_a_take_are_on_one_side(recorded, real_site):
    split, take_of = recorded
    sides = [{take_of(clip) for clip in clips} for clips in (split.train, split.validation)]
    sides.append({take_of(clip) for clip in real_site.test})
    assert [len(takes) > 10 for takes in sides] == [True] * 3
    assert not sides[0] & sides[1] and not sides[0] & sides[2] and not sides[1] & sides[2]


def test_the_real_site_tests_exactly_the_test_actors_and_records_others(real_site):
    assert {clip.subject for clip in real_site.test} == set(MOCAP_TEST_SUBJECTS)
    assert not {clip.subject for clip in real_site.calibration} & set(MOCAP_TEST_SUBJECTS)


def test_no_take_that_was_trained_on_is_recorded_at_the_real_site(recorded, real_site):
    split, take_of = recorded
    assert not set(map(take_of, real_site.calibration)) & set(map(take_of, split.train))


def test_without_the_recording_there_is_no_path_and_no_real_clip(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_MOCAP", str(tmp_path / "absent.npz"))
    assert splits.mocap_path() is None
    assert {clip.source for clip in splits.training_split(splits.mocap_path(), people=1).train} == {"builtin"}


def test_the_environment_names_the_recording(tmp_path, monkeypatch):
    path = tmp_path / "mine.npz"
    path.touch()
    monkeypatch.setenv("COURSE_MOCAP", str(path))
    assert splits.mocap_path() == path


# ------------------------------------------------------------------ motion files
def written(path, subjects=("ann", "bob"), words=("walk", "kick"), frames=100, fps=None):
    """A motion file with a clip for each subject and action."""
    clips = [
        replace(clip, subject=subject, **({"fps": fps} if fps else {}))
        for number, subject in enumerate(subjects)
        for clip in motion.builtin(7, [number], list(words), frames)
    ]
    motion.save(path, clips)
    return path


def test_two_people_in_a_file_are_split_by_person(tmp_path):
    place = splits.file_split(written(tmp_path / "two.npz"))
    assert len(place.test) == len(place.calibration) == 2
    assert len({clip.subject for clip in place.test}) == 1
    assert {clip.subject for clip in place.test} | {clip.subject for clip in place.calibration} == {"ann", "bob"}


def test_another_seed_exchanges_who_is_tested(tmp_path):
    path = written(tmp_path / "two.npz")
    even, odd = splits.file_split(path, 0), splits.file_split(path, 1)
    assert same(even.test, odd.calibration) and same(even.calibration, odd.test)


@pytest.mark.parametrize("seed", range(4))
def test_a_split_by_person_uses_every_clip_once(tmp_path, seed):
    path = written(tmp_path / "five.npz", subjects=("a", "b", "c", "d", "e"))
    place = splits.file_split(path, seed)
    assert not {clip.subject for clip in place.test} & {clip.subject for clip in place.calibration}
    assert len(place.test) + len(place.calibration) == 10


@pytest.mark.parametrize("words", [("walk", "kick"), ("walk", "kick", "wave"), ("walk", "kick", "wave", "eat", "jump")])
def test_one_person_in_a_file_is_split_by_clip(tmp_path, words):
    place = splits.file_split(written(tmp_path / "one.npz", subjects=("ann",), words=words))
    assert place.test and place.calibration
    assert not actions(place.test) & actions(place.calibration)
    assert actions(place.test) | actions(place.calibration) == set(words)


@pytest.mark.parametrize("frames", [2 * CLIP_FRAMES, 2 * CLIP_FRAMES + 1, 300, 900])
def test_a_single_long_clip_is_cut_into_pieces_that_share_no_frame(tmp_path, frames):
    path = written(tmp_path / "long.npz", subjects=("ann",), words=("walk",), frames=frames)
    (whole,) = motion.load(path)
    place = splits.file_split(path)
    assert place.test and place.calibration
    assert all(len(clip.positions) >= CLIP_FRAMES for clip in place.test + place.calibration)
    known = {frame.numpy().tobytes() for frame in whole.positions}
    sides = [
        {f.numpy().tobytes() for clip in clips for f in clip.positions} for clips in (place.test, place.calibration)
    ]
    assert not sides[0] & sides[1] and sides[0] | sides[1] <= known


def test_clips_shorter_than_a_shot_are_left_out(tmp_path):
    short = [replace(clip, subject="cid") for clip in motion.builtin(7, [2], ["walk"], CLIP_FRAMES - 1)]
    long = [
        replace(clip, subject=name) for name in ("ann", "bob") for clip in motion.builtin(7, [0], ["kick"], CLIP_FRAMES)
    ]
    motion.save(tmp_path / "mixed.npz", short + long)
    place = splits.file_split(tmp_path / "mixed.npz")
    assert [clip.subject for clip in place.test + place.calibration] == ["ann", "bob"]


@pytest.mark.parametrize(
    ("subjects", "words", "frames", "count"),
    [
        (("ann", "bob"), ("walk", "kick"), CLIP_FRAMES - 1, 0),
        (("ann",), ("walk",), CLIP_FRAMES, 1),
        (("ann",), ("walk",), 30, 0),
    ],
)
def test_a_file_with_fewer_than_two_long_clips_is_refused(tmp_path, subjects, words, frames, count):
    path = written(tmp_path / "short.npz", subjects, words, frames)
    with pytest.raises(ValueError, match=rf"short.npz: {count} clip\(s\) of at least {CLIP_FRAMES} frames"):
        splits.adaptation_split(str(path))


def test_a_file_that_is_no_motion_is_refused(tmp_path):
    np.savez(tmp_path / "other.npz", something=np.zeros(3))
    with pytest.raises(ValueError, match="other.npz"):
        splits.adaptation_split(str(tmp_path / "other.npz"))
    with pytest.raises(FileNotFoundError):
        splits.adaptation_split(str(tmp_path / "absent.npz"))


def test_test_actors_in_a_file_are_tested_even_when_others_are_many(tmp_path):
    path = tmp_path / "actors.npz"
    clips = [
        replace(clip, subject=subject, action=f"{clip.action} [test/1]")
        for number, subject in enumerate(("cmu-1", "cmu-5", "cmu-7", "cmu-8"))
        for clip in motion.builtin(7, [number], ["walk"], 100)
    ]
    motion.save(path, clips)
    for seed in (0, 1):
        place = splits.file_split(path, seed)
        assert [clip.subject for clip in place.test] == ["cmu-1", "cmu-7"]
        assert [clip.subject for clip in place.calibration] == ["cmu-5", "cmu-8"]


def test_files_at_another_frame_rate_are_shown_at_the_rate_that_the_networks_know(tmp_path):
    place = splits.file_split(written(tmp_path / "fast.npz", frames=240, fps=100.0))
    assert {clip.fps for clip in place.test + place.calibration} == {50.0}
    with pytest.raises(ValueError, match=rf"0 clip\(s\) of at least {CLIP_FRAMES} frames"):  # 0.8 s are too short
        splits.file_split(written(tmp_path / "brief.npz", frames=CLIP_FRAMES, fps=100.0))


# ------------------------------------------------------------------ shoots
@pytest.fixture(scope="module")
def clips():
    return motion.builtin(7, 2, ["walk", "kick"], 200)


def test_a_shoot_is_decided_by_its_generator(clips):
    first, again, other = (capture_clips(clips, seeded(seed), limit=5) for seed in (0, 0, 1))
    assert torch.equal(first.pose, again.pose) and torch.equal(first.detected, again.detected)
    assert first.actions == again.actions and first.subjects == again.subjects
    assert not torch.equal(first.pose, other.pose)


def test_a_shoot_leaves_global_randomness_alone(clips):
    state = torch.get_rng_state()
    capture_clips(clips, seeded(), limit=3)
    assert torch.equal(torch.get_rng_state(), state)


def test_every_shot_is_as_long_as_said_and_overlaps_its_neighbour_by_a_third(clips):
    footage = capture_clips(clips[:1], seeded())
    starts = range(0, 200 - CLIP_FRAMES + 1, CLIP_FRAMES - CLIP_FRAMES // 3)
    assert footage.pose.shape == (len(starts), CLIP_FRAMES, 17, 3)
    bones = bone_lengths(footage.pose)  # a camera turns and moves a person, it changes no bone
    torch.testing.assert_close(bones, bone_lengths(clips[0].positions)[0].expand_as(bones), atol=1e-4, rtol=0)


def test_takes_film_every_shot_again_from_elsewhere(clips):
    footage = capture_clips(clips, seeded(), viewpoints=2)
    once = len(footage) // 2
    assert footage.actions[:once] == footage.actions[once:]
    assert (footage.pose[:once] - footage.pose[once:]).abs().amax((1, 2, 3)).min() > 0.01
    torch.testing.assert_close(bone_lengths(footage.pose[:once]), bone_lengths(footage.pose[once:]), atol=1e-4, rtol=0)


def test_no_more_shots_than_asked_and_none_twice(clips):
    footage = capture_clips(clips, seeded(), limit=7)
    assert len(footage) == 7
    whole = capture_clips(clips, seeded())
    assert len(capture_clips(clips, seeded(), limit=1000)) == len(whole)
    middle = [tuple((shot[40] - shot[40, 0]).norm(dim=-1).mul(1e4).round().tolist()) for shot in footage.pose]
    assert len(set(middle)) == 7
