"""Of the people whom a detector saw, one is followed through the video."""

import itertools
import warnings
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

REACH, STRIDE, FARTHEST = 0.3, 0.05, 1.0
"""How far a person may be, in their own heights, from where they were last seen: `REACH`, and `STRIDE` more for each
frame since, but less than `FARTHEST` (ours)."""
TWICE = 0.05
"""Two detections within so many heights of each other are of the same person (ours)."""
PATIENCE = 15
"""After so many frames without the person, somebody else is followed, if nobody was asked for (ours)."""
ALIKE = 0.7
"""Somebody whose `clearness` is this share of the clearest person's might be meant just as well (ours)."""


@dataclass(frozen=True)
class Person:
    """One detection.

    Attributes:
        points: (17, 2) pixels, NaN where a keypoint was not found.
        confidence: (17,), 0 where a keypoint was not found.
        score: of the whole person, as the detector says it, else the mean confidence.
        identity: who it is, if a tracker said so.
    """

    points: np.ndarray
    confidence: np.ndarray
    score: float
    identity: Hashable = None

    @property
    def height(self) -> float:
        """Pixels, or the width where that is more."""
        seen = self.points[np.isfinite(self.points[:, 0])]
        return float(np.ptp(seen, axis=0).max()) if len(seen) else 0.0

    @property
    def clearness(self) -> float:
        """How likely it is whom the video is about: sure and large."""
        return self.score * self.height


@dataclass
class _Search:
    """What is known while one person is looked for in frame after frame."""

    name: str
    rank: int | None
    companions: dict[Hashable, set[Hashable]]
    doubts: list[tuple[int, str]] = field(default_factory=list)


def follow(
    frames: Sequence[Sequence[Person]], numbers: Sequence[int], rank: int | None, name: str
) -> list[Person | None]:
    """One person in every frame, None where they are not seen.

    By the identities in the file, else to whoever is nearest to where they were last. Warns with the frame's number
    where that might be somebody else.

    Args:
        frames: the people of each frame; the first and the last have some.
        numbers: of the frames, for messages.
        rank: the person with that rank by score in the first frame; None takes the clearest of the video, and goes
            over to somebody else where they are gone for long.
        name: of the file, for messages.

    Raises:
        ValueError: if there is no person of this rank.
    """
    search = _Search(name, rank, _companions(frames))
    start = 0
    if rank is None:
        start, one = max(
            ((t, one) for t, people in enumerate(frames) for one in people),
            key=lambda place: (place[1].clearness, -place[0]),
        )
        others = [other for other in frames[start] if _distance(one, other) > TWICE * one.height]
        alike = 1 + sum(other.clearness >= ALIKE * one.clearness for other in others)
        if alike > 1:
            x, y = np.nanmean(one.points, axis=0)
            warnings.warn(
                f"{name}, frame {numbers[start]}: {alike} people are alike, and the one around ({x:.0f}, {y:.0f}) is "
                "followed; choose with person=, the rank by score in the first frame",
                stacklevel=4,
            )
    else:
        best = sorted(frames[0], key=lambda other: -other.score)
        if isinstance(rank, bool) or not isinstance(rank, int) or not 0 <= rank < len(best):
            raise ValueError(f"person is {rank!r}, expected 0 to {len(best) - 1}: so many are in {name}'s first frame")
        one = best[rank]
    lone = len(frames[start]) == 1
    ahead = _walk(zip(numbers[start + 1 :], frames[start + 1 :]), one, lone, search)
    back = _walk(zip(numbers[:start][::-1], frames[:start][::-1]), one, lone, search)
    if search.doubts:
        number, what = min(search.doubts)
        more = f", and there is doubt in {len(search.doubts) - 1} more frames" if len(search.doubts) > 1 else ""
        warnings.warn(
            f"{name}, frame {number}: {what}{more}; look whether it is one person all along, "
            "choose with person=, or cut the video",
            stacklevel=4,
        )
    return [*back[::-1], one, *ahead]


def _walk(
    frames: Iterable[tuple[int, Sequence[Person]]], last: Person, lone: bool, search: _Search
) -> list[Person | None]:
    chosen: list[Person | None] = []
    gap, tall = 1, last.height
    for number, people in frames:
        one, doubt = _next(people, last, gap, tall, lone, search)
        if doubt:
            search.doubts.append((number, doubt))
        chosen.append(one)
        if one is None:
            gap += 1
        else:
            last, gap, tall, lone = one, 1, max(one.height, 0.95 * tall), len(people) == 1
    return chosen


def _next(
    people: Sequence[Person], last: Person, gap: int, tall: float, lone: bool, search: _Search
) -> tuple[Person | None, str]:
    """Who of these people it is, and why that may be doubted."""
    known = last.identity is not None and last.identity in search.companions
    same = [one for one in people if known and one.identity == last.identity]
    pool = same or [one for one in people if not known or one.identity not in search.companions[last.identity]]
    near = sorted(((_distance(last, one), i) for i, one in enumerate(pool)))
    if not near:
        return None, ""
    distance, nearest = near[0]
    one = pool[nearest]
    far = f"the person is {distance / max(tall, 1e-9):.1f} heights from where they were last"
    if same:
        return one, far if gap == 1 and distance >= FARTHEST * tall else ""
    reach = min(REACH + STRIDE * gap, FARTHEST) * tall
    if distance < reach:
        if known and one.identity in search.companions:
            return one, f"the person {last.identity} is called {one.identity} from here on"
        rivals = [pool[i] for d, i in near[1:] if d < min(reach, 2 * distance)]
        apart = any(_distance(one, rival) > TWICE * tall for rival in rivals)
        return one, f"{len(rivals) + 1} people are equally near to where the person was last" if apart else ""
    if search.rank is None and lone and len(people) == 1:
        return one, far if distance >= FARTHEST * tall else ""
    if search.rank is None and gap >= PATIENCE:
        return max(pool, key=lambda other: other.clearness), "the person is lost, and somebody else is followed"
    return None, ""


def _companions(frames: Sequence[Sequence[Person]]) -> dict[Hashable, set[Hashable]]:
    """Identity -> those that stand beside it in some frame; empty where the identities are none.

    They are none where one stands twice in a frame, or where none comes again: some files number their detections.
    """
    seen = [[one.identity for one in people if one.identity is not None] for people in frames]
    every = list(itertools.chain.from_iterable(seen))
    if len(set(every)) == len(every) or any(len(set(names)) < len(names) for names in seen):
        return {}
    found: dict[Hashable, set[Hashable]] = {name: set() for name in every}
    for names in seen:
        for name in names:
            found[name].update(set(names) - {name})
    return found


def _distance(a: Person, b: Person) -> float:
    both = np.isfinite(a.points[:, 0]) & np.isfinite(b.points[:, 0])
    return float(np.linalg.norm(a.points[both] - b.points[both], axis=-1).mean()) if both.any() else np.inf
