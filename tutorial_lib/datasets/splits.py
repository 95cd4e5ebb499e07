"""Who is trained on, who chooses settings, and who is tested on.

Nobody who is tested was ever trained on, and all bodies of a take are on one side. Builtin validation people are other
people, too. In the optional motion capture many takes are of unidentified actors: whole takes of them validate, but an
actor may be on both sides there. Validation only chooses step sizes and lens strengths, and never touches a test actor.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from tutorial_lib.datasets.footage import CLIP_FRAMES, cut
from tutorial_lib.motion import ACTIONS, builtin, load, resample
from tutorial_lib.motion.clip import Clip

FPS = 50.0
"""What the networks were trained at; files at other rates are resampled."""


HELD_OUT_ACTIONS = ("phone", "throw", "squat", "turn", "stretch")
"""Builtin motions that no training sees."""

TRAINED_ACTIONS = tuple(action for action in ACTIONS if action not in HELD_OUT_ACTIONS)

MOCAP_TEST_SUBJECTS = ("cmu-1", "cmu-6", "cmu-7", "cmu-11")
"""Actors of the optional motion capture that no training sees."""

TRAIN_SEED, VALIDATION_SEED, SITE_SEED, TEST_SEED = 101, 202, 303, 404
"""Seeds of the builtin people; the four groups have nobody in common."""


@dataclass(frozen=True)
class Split:
    """Clips to train on, and clips of the same kind to choose settings with."""

    train: list[Clip]
    validation: list[Clip]


@dataclass(frozen=True)
class AdaptationSplit:
    """A place where a camera with an unknown lens stands.

    Attributes:
        calibration: clips of people who were recorded there with markers (scenario 1's support).
        test: clips of other people, doing motions that nobody trained on.
    """

    calibration: list[Clip]
    test: list[Clip]


def mocap_path() -> Path | None:
    """The optional real motion capture: the file that `COURSE_MOCAP` names, or None."""
    named = os.environ.get("COURSE_MOCAP")
    return Path(named) if named and Path(named).is_file() else None


def training_split(mocap: Path | None, people: int = 40) -> Split:
    """Builtin people, mixed with real motion capture where there is some."""
    train = builtin(TRAIN_SEED, people, TRAINED_ACTIONS, 200)
    validation = builtin(VALIDATION_SEED, 4, TRAINED_ACTIONS, 200)
    if mocap is not None:
        for clip in load(mocap):
            if clip.subject in MOCAP_TEST_SUBJECTS:
                continue
            (validation if "[test/" in clip.action else train).append(clip)
    return Split(train, validation)


def builtin_split(seed: int = 0, people: int = 2) -> AdaptationSplit:
    """A test site of builtin people: other people and other motions than in training.

    Args:
        seed: another seed, other people.
        people: how many are tested (each does every held-out motion) and how many are recorded.
    """
    first = 10 * seed
    return AdaptationSplit(
        builtin(SITE_SEED, range(first, first + people), TRAINED_ACTIONS, 200),
        builtin(TEST_SEED, range(first, first + people), HELD_OUT_ACTIONS, 200),
    )


def file_split(path: str | Path, seed: int = 0) -> AdaptationSplit:
    """A test site made of a motion file: some of its people are recorded for calibration, the others are tested.

    The optional motion capture keeps its fixed test actors; other files are split by subject (or, when there is only
    one subject, by clip: then adaptation and test share the person). A single long clip is cut into pieces first.

    Raises:
        ValueError: as `motion.load`; also when the file holds fewer than two usable clips.
    """
    clips = [clip for clip in (resample(clip, FPS) for clip in load(path)) if len(clip.positions) >= CLIP_FRAMES]
    if len(clips) == 1 and len(clips[0].positions) >= 2 * CLIP_FRAMES:
        clips = cut(clips, min(200, len(clips[0].positions) // 2))
    if len(clips) < 2:
        raise ValueError(
            f"{path}: {len(clips)} clip(s) of at least {CLIP_FRAMES} frames at {FPS:g} Hz, expected two or more, "
            "or a single one of twice that length"
        )
    subjects = sorted({clip.subject for clip in clips})
    if set(MOCAP_TEST_SUBJECTS) & set(subjects):
        test = [clip for clip in clips if clip.subject in MOCAP_TEST_SUBJECTS]
        rest = [clip for clip in clips if clip.subject not in MOCAP_TEST_SUBJECTS and "[test/" in clip.action]
        if rest:
            return AdaptationSplit(rest, test)
    if len(subjects) > 1:
        test_subjects = subjects[seed % 2 :: 2]
        test = [clip for clip in clips if clip.subject in test_subjects]
        return AdaptationSplit([clip for clip in clips if clip.subject not in test_subjects], test)
    return AdaptationSplit(clips[1::2], clips[::2])


def adaptation_split(motion: str = "builtin", seed: int = 0) -> AdaptationSplit:
    """The test site that a lesson's `MOTION` parameter asks for: "builtin" or a motion file."""
    return builtin_split(seed) if motion == "builtin" else file_split(motion, seed)


def walker(motion: str, seed: int) -> AdaptationSplit:
    """Somebody walking whom no training saw; or whoever is in the motion file."""
    if motion != "builtin":
        return adaptation_split(motion, seed)
    walk = builtin(TEST_SEED, [10 * seed], ["walk"], 200)
    return AdaptationSplit(walk, walk)
