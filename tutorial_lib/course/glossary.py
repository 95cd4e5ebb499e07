"""Links every term of docs/glossary.md where a lesson first uses it: the pointer over the link shows what it means.

The links are put in when a notebook is made from its text (`notebooks.read_source`), so that the text stays readable.
"""

import re
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "glossary.md"
ADDRESS = "../docs/glossary.md"
"""From a lesson, or a learner's copy of it in work/."""

_ENTRY = re.compile(r'^<span id="([^"]+)"></span>\*\*(.+?)\.\*\*\s+(.+?)(?=\n\n|\Z)', re.MULTILINE | re.DOTALL)
_LINK = re.compile(r'\[([^\]]+)\]\(\.\./docs/glossary\.md(#[^)"\s]+) "([^"]*)"\)')
_APART = re.compile(
    r"(^#[^\n]*|```.*?```|`[^`\n]+`|\$\$.*?\$\$|\$[^$\n]+\$|!?\[[^\]]*\]\([^)]*\)|^\[[^\]]*\]:[^\n]*|<[^>\n]+>"
    r"|\*\*[^*]+\*\*|^[ ]*\|[^\n]*)",
    re.MULTILINE | re.DOTALL,
)
"""Where no link is put: headings, code, formulas, other links, bold words, tables."""

_TITLES = "## Further reading"
"""From here on, words are other people's titles."""


@dataclass(frozen=True)
class Term:
    """One entry.

    Attributes:
        place: its anchor on the page.
        name: as the page spells it.
        meaning: the first sentence.
        since: number of the first lesson that uses the word in this sense; "00" if all do.
    """

    place: str
    name: str
    meaning: str
    since: str = "00"

    @property
    def pattern(self) -> re.Pattern[str]:
        """The term in running text, also as a plural; capitals count where the name is an abbreviation."""
        words = r"[\s-]+".join(map(re.escape, self.name.split()))
        case = 0 if self.name.isupper() or self.name[1:2].isupper() else re.IGNORECASE
        return re.compile(rf"(?<![\w-]){words}s?(?![\w-])", case)

    def link(self, words: str) -> str:
        """`words` as a link that shows the meaning."""
        return f'[{words}]({ADDRESS}#{self.place} "{self.meaning}")'


@cache
def terms(page: Path = PAGE) -> tuple[Term, ...]:
    """The entries of the glossary, in its order; none where the page is not, as in an installed wheel."""
    if not page.is_file():
        return ()
    found = []
    for section in page.read_text(encoding="utf-8").split("\n## ")[1:]:
        since = re.match(r".*from lesson (\d\d) on", section)
        for place, name, body in _ENTRY.findall(section):
            meaning = re.split(r"(?<=\.) ", " ".join(body.split()))[0]
            found.append(Term(place, name, meaning.rstrip(".").replace('"', "'"), since[1] if since else "00"))
    return tuple(found)


def as_html(text: str) -> str:
    """Text whose links to the glossary are HTML, to its page on the site."""
    return _LINK.sub(
        lambda link: f'<a href="../docs/glossary.html{link[2]}" title="{escape(link[3])}">{link[1]}</a>', text
    )


def linked(prose: list[str], entries: tuple[Term, ...]) -> list[str]:
    """The cells of prose with a link at the first use of every term."""
    cells = list(prose)
    for term in sorted(entries, key=lambda term: -len(term.name)):  # "P-MPJPE" before "MPJPE"
        for number, cell in enumerate(cells):
            put = _first(cell, term)
            if put is not None:
                cells[number] = put
                break
    return cells


def _first(cell: str, term: Term) -> str | None:
    """The cell with its first use of the term linked; None if there is no use that can be."""
    start, last = 0, len(cell.partition(_TITLES)[0])
    for apart in [*_APART.finditer(cell), None]:
        end = last if apart is None else min(apart.start(), last)
        found = term.pattern.search(cell, start, end)
        if found:
            return cell[: found.start()] + term.link(found[0]) + cell[found.end() :]
        start = end if apart is None else apart.end()
    return None
