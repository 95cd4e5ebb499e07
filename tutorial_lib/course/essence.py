"""The essence of library source, for a slide: what computes stays; what guards, annotates and explains goes.

Every line that stays keeps its indentation, and a function stays in one piece.
"""

import ast
import re
import textwrap
from collections.abc import Iterator

from tutorial_lib.display.essence import shortened

WIDTH = 88
"""Columns of a function's first line. What computes is not broken anew."""
_FOR_TOOLS = re.compile(r"\s+# (fmt|ty|noqa)\b.*")
Edits = Iterator[tuple[int, int, list[str]]]
"""(first line, last line, what stands there instead), lines counted from 1."""


def functions(source: str) -> list[str]:
    """The essence of every function, method (indented or not) and class of a source, one after the other."""
    pieces: list[str] = []
    for piece in re.split(r"\n\n+(?=[ ]*(?:@|def |class |async ))", source.strip("\n")):
        if pieces and _margin(piece) > _margin(pieces[-1]) and _goes_on(pieces[-1]):
            pieces[-1] += f"\n\n{piece}"
        else:
            pieces.append(piece)
    return [_essence(piece) for piece in pieces]


def _margin(piece: str) -> str:
    return piece[: len(piece) - len(piece.lstrip(" "))]


def _goes_on(piece: str) -> bool:
    """Whether what is indented deeper and follows belongs to it: to a class, or to a function that has not returned."""
    return not re.match(r" *def ", piece) or not re.search(rf"^{_margin(piece)} {{4}}return\b", piece, re.MULTILINE)


def _essence(piece: str) -> str:
    text = shortened(textwrap.dedent(piece))
    lines = text.splitlines()
    for first, last, instead in sorted(_bare_headers(ast.parse(text), lines), reverse=True):
        lines[first - 1 : last] = instead
    return textwrap.indent(_FOR_TOOLS.sub("", "\n".join(lines)), _margin(piece))


def _bare_headers(tree: ast.Module, lines: list[str]) -> Edits:
    """Names and defaults of arguments; what types they have says the lesson."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.body[0].lineno > node.lineno:
            for one in ast.walk(node.args):
                if isinstance(one, ast.arg):
                    one.annotation = None
            start = f"{' ' * node.col_offset}def {node.name}("
            header = f"{start}{ast.unparse(node.args)}):".replace("'", '"')
            broken = textwrap.wrap(
                re.sub(r"(?<!,) ", "\0", header), WIDTH, subsequent_indent="\0" * len(start), break_long_words=False
            )
            end = node.body[0].lineno - 1
            while not lines[end - 1].split("#")[0].strip():  # comments above the first statement
                end -= 1
            yield node.lineno, end, [line.replace("\0", " ") for line in broken]
