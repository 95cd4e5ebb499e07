"""The lines of a library function that say what it does: its checks and the pages of its documentation left out."""

import ast
import inspect
import re
import textwrap
from html import escape
from pathlib import Path
from typing import Any

from IPython.display import Code, display

PACKAGE = Path(__file__).resolve().parents[1]
BETWEEN = "\n\n\n"
IN_SIGHT = 24
"""Lines of source that are shown at once; functions after the first that would be beyond lie under a fold."""


def essence(thing: Any) -> str:
    """The source of a function or class, shortened."""
    return shortened(textwrap.dedent(inspect.getsource(thing)).rstrip())


def shortened(text: str) -> str:
    """Source without what only guards it, as its own lines and comments.

    Left out are: of docstrings all but the first paragraph; `if ...: ... raise ...` without an else, `assert`, calls of
    functions named check... whose answer nobody takes, loops over nothing else; hooks for who wants to watch (`if ...
    is not None:` where nothing is assigned); comments above any of these.
    """
    lines, dropped = text.splitlines(), set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and (documentation := ast.get_docstring(node)):
            said, first = node.body[0], documentation.split("\n\n")[0]
            indent = " " * said.col_offset
            lines[said.lineno - 1] = "\n".join(f"{indent}{line}" for line in f'"""{first}"""'.splitlines())
            dropped.update(range(said.lineno, said.end_lineno or 0))
        elif isinstance(node, ast.stmt) and _guards(node):
            start = node.lineno - 1
            while lines[start - 1].strip().startswith("#"):
                start -= 1
            dropped.update(range(start, node.end_lineno or 0))
    kept = "\n".join(line for number, line in enumerate(lines) if number not in dropped)
    try:
        ast.parse(kept)
    except SyntaxError:  # a body that was guards alone
        return text
    return kept


def _guards(node: ast.stmt) -> bool:
    if isinstance(node, ast.If) and not node.orelse:
        watches = ast.unparse(node.test).endswith(" is not None") and _says_only(node.body)
        return isinstance(node.body[-1], ast.Raise) or watches or all(map(_guards, node.body))
    if isinstance(node, ast.For) and not node.orelse:
        return all(map(_guards, node.body))
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        called = ast.unparse(node.value.func).rpartition(".")[2]
        return re.fullmatch(r"_?(check|need|require|refuse)(_\w+)?", called) is not None
    return isinstance(node, ast.Assert)


def _says_only(body: list[ast.stmt]) -> bool:
    """Whether nothing is assigned and nothing returned."""
    return all(_says_only(node.body) if isinstance(node, ast.With) else isinstance(node, ast.Expr) for node in body)


class _Shown(Code):
    """Highlighted code over a link to the files that it is from."""

    def __init__(self, pieces: dict[str, str], places: list[tuple[str, int]]):
        super().__init__(BETWEEN.join(pieces.values()), language="python")
        self._pieces, self._places = pieces, places

    def _repr_html_(self) -> str:
        names = list(self._pieces)
        seen = max(n for n in range(1, len(names) + 1) if n == 1 or self._lines(names[:n]) <= IN_SIGHT)
        html = self._coloured(names[:seen])
        if names[seen:]:
            folded = ", ".join(f"<code>{escape(name)}</code>" for name in names[seen:])
            html += f"<details><summary>And {folded}</summary>{self._coloured(names[seen:])}</details>"
        links = ", ".join(f"<a href='../{path}'>{path}, line {line}</a>" for path, line in self._places)
        return f"{html}<p style='margin:2px 0;font-size:13px'>The whole, with its checks: {links}</p>"

    def _coloured(self, names: list[str]) -> str:
        return Code(BETWEEN.join(self._pieces[name] for name in names), language="python")._repr_html_()

    def _lines(self, names: list[str]) -> int:
        return BETWEEN.join(self._pieces[name] for name in names).count("\n") + 1


def source(*objects: Any) -> None:
    """Show the essence of the library's own code, highlighted: lessons display what runs instead of a copy of it.

    Args:
        objects: functions and classes of this library.
    """
    places = []
    for thing in objects:
        path = Path(inspect.getsourcefile(inspect.unwrap(thing)) or "").resolve()
        places.append((str(path.relative_to(PACKAGE.parent)), inspect.getsourcelines(thing)[1]))
    display(_Shown({thing.__qualname__: essence(thing) for thing in objects}, places))
