"""Prose for slides: a lesson's Markdown in paragraphs, and of a paragraph as many whole sentences as a slide holds."""

import re

MAX_WORDS = 80
"""On one slide. More is read, not heard."""
ITEM = r"(?:[-*]|\d+\.) "
BLOCK = rf"(?:\$\$|\||```|{ITEM})"
"""How formulas, tables, code and lists begin."""


def chunks(text: str) -> list[str]:
    """The paragraphs of a cell; a list, a table, a block of code or of mathematics stays in one piece, together with
    the sentence that announces it."""
    found: list[str] = []
    for piece in re.split(r"\n\s*\n", re.sub(r"^(#+ .*)\n(?=\S)", r"\1\n\n", text.strip(), flags=re.MULTILINE)):
        before = found[-1] if found else ""
        inside = before.count("```") % 2
        listed = re.match(rf"\s+\S|{ITEM}", piece) and re.search(f"^{ITEM}", before, re.MULTILINE)
        quoted = piece.startswith(">") and before.startswith(">")
        if inside or listed or quoted:
            found[-1] += f"\n\n{piece}"
        elif re.match(BLOCK, piece) and re.search(r"[^.?!)*]$", before) and not re.match(f"#|{BLOCK}", before):
            *first, last = sentences(found.pop())
            found += [" ".join(first)] * bool(first) + [f"{last}\n\n{piece}"]
        else:
            found.append(piece)
    return found


def cut(text: str) -> str:
    """What of a paragraph goes on a slide: whole sentences, none that announces what is not there; items in short."""
    if re.search(rf"^{BLOCK}", text, re.MULTILINE):
        return _shorter_items(text)
    kept = sentences(text)
    while len(kept) > 1 and words(" ".join(kept)) > MAX_WORDS:
        kept.pop()
    if kept[-1].endswith(":"):
        kept.pop()
    return " ".join(kept)


def _shorter_items(chunk: str) -> str:
    """A list that is too long for a slide, with the first sentence of every item."""
    if not re.search(ITEM, chunk, re.MULTILINE) or words(chunk) <= MAX_WORDS:
        return chunk
    lead, *items = re.split(rf"^(?={ITEM})", chunk, flags=re.MULTILINE)
    marked = [item.partition(" ") for item in items]
    return lead + "\n".join(f"{mark} {sentences(' '.join(told.split()))[0]}" for mark, _, told in marked)


def sentences(text: str) -> list[str]:
    """Never cut inside of emphasis, code or a formula."""
    found = [""]
    for piece in re.split(r"(?<=[.!?])\s+", text):
        whole = all(found[-1].count(mark) % 2 == 0 for mark in ("*", "$", "`"))
        if found[-1] and whole and re.match(r"[A-Z*`$]", piece):
            found.append(piece)
        else:
            found[-1] = f"{found[-1]} {piece}".strip()
    return found


def words(text: str) -> int:
    """Words of Markdown; a formula on a line of its own takes the room of ten."""
    text, count = re.subn(r"\$\$.*?\$\$", " ", text, flags=re.DOTALL)
    text = re.sub(r"\$[^$]+\$", " x ", text)
    return len(re.findall(r"[^\W_]+(?:['’-]\w+)*", text)) + 10 * count
