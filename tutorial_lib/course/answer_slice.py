"""What of a notebook one answer needs, so that an exercise can be tried without running the lesson.

A student may have helper functions, constants and imports of their own, in any cell. From the exercise's function on,
whatever binds a name that it uses is taken, then whatever those use, until nothing is missing; demos, figures and
trainings stay out. What a name is, the compiled code says: a local variable called `points` needs no cell that happens
to bind a global of this name.

For the grader this runs in the worker (`grade_worker`), under its limits: also parsing takes time and memory.
"""

import ast
import dis
import re
from types import CodeType

_MAGIC = re.compile(r"^\s*[%!?].*$", re.MULTILINE)
_LOADS = ("LOAD_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS")
_STORES = ("STORE_NAME", "STORE_GLOBAL")


def needed(cells: list[str], name: str) -> list[ast.stmt]:
    """The statements of the code cells that the function `name` needs, in their order.

    Raises:
        SyntaxError: if the cell that defines `name` is no Python. Other such cells are left out.
    """
    statements = []
    for source in cells:
        try:
            statements += _statements(source)
        except SyntaxError:
            if defines(source, name):
                raise
    bound, used = zip(*map(names, statements)) if statements else ((), ())
    wanted, chosen = {name}, set()
    while more := {i for i, own in enumerate(bound) if own & wanted} - chosen:
        chosen |= more
        wanted = wanted.union(*(used[i] for i in more))
    return [s for i, s in enumerate(statements) if i in chosen or (chosen and _star(s))]


def defines(source: str, name: str) -> bool:
    """Whether a cell's text has the function, though it may be no Python."""
    return bool(re.search(rf"^(async )?def {re.escape(name)}\b", source, re.MULTILINE))


def _statements(source: str) -> list[ast.stmt]:
    """The statements of a cell, one for each imported name: the others of its line may not be installed here."""
    statements: list[ast.stmt] = []
    for statement in ast.parse(_MAGIC.sub("", source)).body:
        if isinstance(statement, ast.ImportFrom) and statement.module != "__future__":
            parts = [ast.ImportFrom(statement.module, [alias], statement.level) for alias in statement.names]
        elif isinstance(statement, ast.Import):
            parts = [ast.Import([alias]) for alias in statement.names]
        else:
            parts = [statement]
        statements += [ast.fix_missing_locations(ast.copy_location(part, statement)) for part in parts]
    return statements


def _star(statement: ast.stmt) -> bool:
    """Whether this is `from somewhere import *`, which may bind anything."""
    return isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*"


def names(*statements: ast.stmt) -> tuple[set[str], set[str]]:
    """(global names that statements bind, global names that they or a function in them use)."""
    code = compile(ast.Module([*statements], []), "<answer>", "exec", dont_inherit=True)
    return {i.argval for i in dis.get_instructions(code) if i.opname in _STORES}, _used(code)


def _used(code: CodeType) -> set[str]:
    here = {i.argval for i in dis.get_instructions(code) if i.opname in _LOADS}
    return here.union(*(_used(part) for part in code.co_consts if isinstance(part, CodeType)))
