"""The essence of library source, for a slide: what computes stays; what guards, annotates and explains goes.

Every line that stays keeps its indentation, and a function stays in one piece.
"""

import ast
import re
import textwrap
from collections.abc import Callable, Iterator

WIDTH = 88
"""Columns of a function's first line and of its docstring. What computes is not broken anew."""
_CHECKS = re.compile(r"_?(check|need|require|refuse)(_\w+)?$")
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
    text = textwrap.dedent(piece)
    for change in (_short_docstrings, _bare_headers, _without_guards):
        lines = text.splitlines()
        for first, last, instead in sorted(change(ast.parse(text), lines), reverse=True):
            lines[first - 1 : last] = instead
        text = "\n".join(lines)
    return textwrap.indent(_FOR_TOOLS.sub("", text), _margin(piece))


def _short_docstrings(tree: ast.Module, lines: list[str]) -> Edits:
    """Their first line alone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and (told := ast.get_docstring(node)):
            text, margin = node.body[0], " " * node.body[0].col_offset
            first = textwrap.wrap(
                f'"""{told.splitlines()[0]}"""', WIDTH, initial_indent=margin, subsequent_indent=margin
            )
            yield text.lineno, text.end_lineno or 0, first


def _without_guards(tree: ast.Module, lines: list[str]) -> Edits:
    """No checks of arguments, and no comments above them."""
    for node in _topmost(tree, _guards):
        first = node.lineno
        while lines[first - 2].strip().startswith("#"):
            first -= 1
        yield first, node.end_lineno or 0, []


def _topmost(tree: ast.AST, wanted: Callable[[ast.stmt], bool]) -> Iterator[ast.stmt]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.stmt) and wanted(node):
            yield node
        else:
            yield from _topmost(node, wanted)


def _guards(node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return _CHECKS.match(ast.unparse(node.value.func).rpartition(".")[2]) is not None
    if isinstance(node, ast.If) and isinstance(node.body[-1], ast.Raise):
        return not node.orelse
    if isinstance(node, ast.If) and ast.unparse(node.test).endswith(" is not None") and _says_only(node.body):
        return not node.orelse  # a hook for who wants to watch
    if isinstance(node, ast.For | ast.If):
        return not node.orelse and all(map(_guards, node.body))
    return isinstance(node, ast.Assert)


def _says_only(body: list[ast.stmt]) -> bool:
    """Whether nothing is assigned and nothing returned."""
    inner = [(_says_only(node.body) if isinstance(node, ast.With) else isinstance(node, ast.Expr)) for node in body]
    return all(inner)


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
