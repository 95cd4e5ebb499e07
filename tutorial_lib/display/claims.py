"""Claim cards: what a paper says beside what this course measures, with a verdict computed from the numbers.

A card never hard-codes its verdict: `test` looks at the measured values, one per seed, and is exactly the sentence. The
verdict is one of three: it holds, it does not, or the seeds do not tell. `is_below`, `is_above`, `is_within` and
`all_hold` answer so. A card that does not hold, or is undecided, stays in the lesson with an explanation.
"""

import json
import math
import os
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import ClassVar, overload

import numpy as np
from scipy.special import stdtrit

from tutorial_lib.display.tables import LINE, html_table
from tutorial_lib.folders import output_folder, write_whole

try:
    import fcntl
except ImportError:  # Windows: runs side by side may then overwrite one another's claims
    fcntl = None

_VERDICTS = {
    True: ("holds", "✓", "#00805E"),
    False: ("does not hold here", "✗", "#C0392B"),
    None: ("undecided", "?", "#8A5A00"),
}
"""What a test returned -> words, sign and colour."""
_FIELDS = {"id", "lesson", "text", "ours", "holds"}
"""What a claim in a file has at least."""


def interval(values: Sequence[float] | np.ndarray) -> tuple[float, float, float]:
    """(mean, low, high): Student's t interval at 95 % over independent seeds.

    With one value there is no spread to judge by: low and high are NaN.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not len(array) or not np.isfinite(array).all():
        raise ValueError(f"values is {values!r}, expected one finite number per seed, at least one")
    mean = float(array.mean())
    if len(array) == 1:
        return mean, math.nan, math.nan
    half = float(stdtrit(len(array) - 1, 0.975) * array.std(ddof=1)) / math.sqrt(len(array))
    return mean, mean - half, mean + half


def intervals(
    samples: Mapping[str, Iterable[Sequence[float] | np.ndarray]],
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """`interval` for `figures.bars` and `curves`: name -> means (points,), and name -> ends (2, points).

    Args:
        samples: name -> one sample a bar or point.
    """
    rows = {name: np.array([interval(sample) for sample in several]).T for name, several in samples.items()}
    return {name: row[0] for name, row in rows.items()}, {name: row[1:] for name, row in rows.items()}


def certainly_below(values: Iterable[float], limit: float = 0.0) -> bool:
    """Whether the whole 95 % interval over seeds lies below the limit: what "certain" means on the claim cards."""
    return interval(list(values))[2] < limit


def is_below(values: Iterable[float], limit: float = 0.0) -> bool | None:
    """Whether the mean is below the limit: True or False if the whole 95 % interval says so, None if the limit lies
    within it, and always with a single seed. Paired seeds: give the differences."""
    _, low, high = interval(list(values))
    return True if high < limit else False if low >= limit else None


def is_above(values: Iterable[float], limit: float = 0.0) -> bool | None:
    """`is_below`, turned round."""
    return is_below((-value for value in values), -limit)


def is_within(values: Iterable[float], low: float, high: float) -> bool | None:
    """Whether the mean lies between the two: the test of "about" and "no worse", with a margin that was said before."""
    values = list(values)
    return all_hold(is_above(values, low), is_below(values, high))


def all_hold(*verdicts: bool | None) -> bool | None:
    """The verdict of a sentence in parts: False if one part fails, else None if one is undecided, else True."""
    return False if False in verdicts else None if None in verdicts else True


def plus_minus(values: Iterable[float], digits: int = 1) -> str:
    """Mean and half the 95 % interval over seeds, as tables print them; of one seed, which has none, its value."""
    mean, _, high = interval(list(values))
    return f"{mean:.{digits}f}" + ("" if math.isnan(high) else f" ± {high - mean:.{digits}f}")


@dataclass(frozen=True)
class Claim:
    """One claim of a paper, put to the test.

    Attributes:
        id: short name, unique within the lesson.
        lesson: the lesson's slug, such as "04_temporal_lifting".
        text: the claim in a sentence.
        source: where it stands: paper and table.
        paper: quantity -> the paper's figure; None where the paper gives none. None instead of all: the card has no
            column for it.
        ours: quantity -> measured values, one per seed.
        test: gets `ours` as quantity -> array (seeds,), says whether the claim holds here; None if that is undecided.
        explanation: what to know about the test or the verdict, whichever it is; *so* is emphasis.
        unit: of all the figures.
        if_holds: printed before the explanation if the claim holds here: what to keep in mind although it does.
        if_not: printed before the explanation if it does not: why.
        if_undecided: printed before the explanation if the seeds do not tell: what would.
    """

    id: str
    lesson: str
    text: str
    source: str
    paper: Mapping[str, float | None] | None
    ours: Mapping[str, Sequence[float] | np.ndarray]
    test: Callable[[dict[str, np.ndarray]], bool | None] = field(repr=False)
    explanation: str = ""
    unit: str = ""
    if_holds: str = ""
    if_not: str = ""
    if_undecided: str = ""

    def __post_init__(self) -> None:
        for name, values in self.ours.items():
            try:
                interval(values)
            except ValueError as problem:
                raise ValueError(f"claim {self.id!r}: ours[{name!r}]: {problem}") from None
        if not self.holds and not self.note:
            raise ValueError(
                f"claim {self.id!r}: the verdict is {self.verdict!r} and nothing explains it: give explanation, or "
                f"{'if_undecided' if self.holds is None else 'if_not'}, readers will ask"
            )

    @property
    def holds(self) -> bool | None:
        """The verdict of `test` over the measured numbers; None is undecided."""
        said = self.test({name: np.asarray(values, dtype=np.float64) for name, values in self.ours.items()})
        return None if said is None else bool(said)

    @property
    def verdict(self) -> str:
        return _VERDICTS[self.holds][0]

    @property
    def note(self) -> str:
        """What stands below the numbers: the text for this verdict, then the one for both."""
        own = {True: self.if_holds, False: self.if_not, None: self.if_undecided}[self.holds]
        return " ".join(filter(None, [own, self.explanation]))

    def rows(self) -> list[tuple[str, ...]]:
        """(quantity, paper, ours with interval, seeds) as text; without a paper's figures three of them."""
        result, paper = [], self.paper or {}
        for name in [*self.ours, *(name for name in paper if name not in self.ours)]:
            theirs = paper.get(name)
            values = self.ours.get(name)
            measured, seeds = ("–", "–") if values is None else (_written(*interval(values)), str(len(values)))
            column = () if self.paper is None else ("–" if theirs is None else f"{theirs:g}",)
            result.append((name, *column, measured, seeds))
        return result

    def heads(self) -> tuple[str, ...]:
        unit = f" ({self.unit})" if self.unit else ""
        column = () if self.paper is None else (f"paper{unit}",)
        return "", *column, f"here{unit}, mean and 95 % interval", "seeds"

    def as_dict(self) -> dict:
        """What `record` writes: plain JSON values."""
        return {
            "id": self.id, "lesson": self.lesson, "text": self.text, "source": self.source,
            "unit": self.unit, "paper": dict(self.paper or {}),
            "ours": {name: [float(v) for v in vs] for name, vs in self.ours.items()},
            "holds": self.holds, "explanation": self.note,
        }  # fmt: skip

    def __str__(self) -> str:
        table = [self.heads(), *self.rows()]
        widths = [max(map(len, column)) for column in zip(*table)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in table]
        head = f"[{self.verdict}] {self.text}"
        return "\n".join([head, *(f"  {line}" for line in [*lines, f"source: {self.source}", self.note] if line)])

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": self._repr_html_()}

    def _repr_html_(self) -> str:
        """A card in the page's own colours, so that it reads in a dark theme too; its numbers under the first one."""
        verdict, sign, colour = _VERDICTS[self.holds]
        cell = "padding:3px 16px 3px 0;text-align:"
        head, *rows = ([escape(text) for text in cells] for cells in (self.heads(), *self.rows()))
        table = html_table(head, rows, [f"{cell}left", *[f"{cell}right"] * (len(head) - 1)])
        first = ": ".join((rows[0][0], rows[0][-2])) if rows else "source"
        note = re.sub(r"\*(\S[^*]*)\*", r"<em>\1</em>", escape(self.note))
        note = f"<p style='margin:8px 0 0'>{note}</p>" if note else ""
        foot = f"<p style='margin:8px 0 0;opacity:.75;font-size:13px'>Source: {escape(self.source)}</p>"
        return (
            f"<div style='border:{LINE};border-left:8px solid {colour};border-radius:4px;padding:10px 16px;"
            "margin:8px 0;max-width:52em;font-size:15px;line-height:1.45'>"
            f"<p style='margin:0 0 4px;font-weight:600'><span style='background:{colour};color:#fff;padding:1px 10px;"
            f"border-radius:10px;margin-right:10px'>{sign} {verdict}</span>{escape(self.text)}</p>"
            f"<details><summary style='cursor:pointer'>{first}</summary>{table}{note}{foot}</details></div>"
        )


@dataclass(frozen=True)
class Cards:
    """Claims on one subject, their cards beside each other where there is room for two.

    Attributes:
        claims: in their order.
    """

    BETWEEN: ClassVar[str] = "<!--card-->"
    """Stands before the cards in the HTML, between them and after them, for whoever shows them one by one."""

    claims: tuple[Claim, ...]

    def __str__(self) -> str:
        return "\n\n".join(map(str, self.claims))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": self._repr_html_()}

    def _repr_html_(self) -> str:
        cards = (f"<div style='flex:1 1 26em'>{claim._repr_html_()}</div>" for claim in self.claims)
        inner = self.BETWEEN.join(["", *cards, ""])
        return f"<div style='display:flex;flex-wrap:wrap;gap:0 12px'>{inner}</div>"


@overload
def record(claim: Claim, /) -> Claim: ...
@overload
def record(claim: Claim, second: Claim, /, *more: Claim) -> Cards: ...
def record(claim: Claim, /, *more: Claim) -> Claim | Cards:
    """Write claims to `build/claims.json` (or the file named by COURSE_CLAIMS) and return them for display.

    A claim of the same lesson and id is replaced, the others stay, also when lessons run side by side. A file that is
    damaged is begun anew, and where nothing can be written the claim is shown all the same: both with a warning.
    """
    for one in (claim, *more):
        _write(one)
    return Cards((claim, *more)) if more else claim


def _write(claim: Claim) -> None:
    path = Path(os.environ.get("COURSE_CLAIMS") or output_folder() / "claims.json")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path.with_name(path.name + ".lock"), "w") as lock:
            if fcntl is not None:
                fcntl.flock(lock, fcntl.LOCK_EX)
            known = _known(path)
            known[f"{claim.lesson}/{claim.id}"] = claim.as_dict()
            text = json.dumps(dict(sorted(known.items())), indent=1, ensure_ascii=False)
            # Readers, who take no lock, see the old file or the new one, never half of one.
            write_whole(path, lambda half: half.write_text(text + "\n", encoding="utf-8"))
    except OSError as error:
        warnings.warn(f"{path} cannot be written ({error}): claim {claim.id!r} is shown, not kept", stacklevel=3)


def _known(path: Path) -> dict[str, dict]:
    """The claims in a file; what is no claim is left out with a warning.

    Raises:
        OSError: it cannot be read, though it is there.
    """
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))  # an editor may have put a mark at its beginning
    except (ValueError, RecursionError) as error:
        found, reason = None, str(error)
    else:
        reason = f"it holds a {type(found).__name__}, expected an object"
    if not isinstance(found, dict):
        warnings.warn(f"{path} holds no claims ({reason}): it is begun anew", stacklevel=3)
        return {}
    claims = {name: entry for name, entry in found.items() if isinstance(entry, dict) and entry.keys() >= _FIELDS}
    if found.keys() - claims.keys():
        names = ", ".join(sorted(found.keys() - claims.keys())[:3])
        warnings.warn(f"{path} holds entries that are no claims ({names}): they are left out", stacklevel=3)
    return claims


def _written(mean: float, low: float, high: float) -> str:
    """Mean and interval with three significant digits of the mean."""
    digits = max(0, 2 - math.floor(math.log10(abs(mean)))) if mean else 2
    digits = min(digits, 4)
    if math.isnan(low):
        return f"{mean:.{digits}f} (one seed)"
    return f"{mean:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"
