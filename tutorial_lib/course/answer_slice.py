"""What of a notebook one answer needs, so that an exercise can be tried without running the lesson.

A student may have helper functions, constants, settings and imports of their own, in any cell. From the exercise's
function on, whatever binds a name that it uses is taken, or changes what that name means (`p.append(2)`, `x[i] = 3`,
`torch.manual_seed(1)`, `del`), then whatever those use, until nothing is missing; demos, figures and trainings stay
out. What a name is, the compiled code says: a local variable called `points` needs no cell that happens to bind a
global of this name. The lesson's own lines are told from the student's by their text: they set up demos and train
networks, so of these a call counts only if it is a method of something needed.

For the grader this runs in the worker (`grade_worker`), under its limits: also parsing takes time and memory.
"""

import ast
import dis
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from types import CodeType

from IPython.core.inputtransformer2 import TransformerManager

_LOADS = ("LOAD_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS")
_STORES = ("STORE_NAME", "STORE_GLOBAL")
_DEFERRED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_INERT = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
_RUN_CELL = re.compile(r"\A(\s*)%%(?:time|capture|prun)\b.*")
_RUN_LINE = re.compile(r"(^[ \t]*|=[ \t]*)%(?:time|prun)[ \t]+(?:-\S+[ \t]+)*(?=\S)", re.MULTILINE)
PARSING = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
"""How cells are compiled: IPython lets them `await`."""


@dataclass(frozen=True)
class Step:
    """One statement of a notebook.

    Attributes:
        statement: as it can be compiled by itself.
        cell: number of its cell.
        own: whether it is the student's, and not the lesson's.
        checks: the exercises that it checks, `checks.name(name)`.
        binds: global names that it binds.
        uses: global names that it, or a function in it, reads.
        changes: global names whose meaning it may change without binding them.
    """

    statement: ast.stmt
    cell: int
    own: bool
    checks: set[str]
    binds: set[str]
    uses: set[str]
    changes: set[str]

    @property
    def acts(self) -> bool:
        """Whether it may do more than to bind names."""
        return bool(self.changes) or not (
            isinstance(self.statement, _INERT) or not any(isinstance(n, ast.Call) for n in ast.walk(self.statement))
        )


@dataclass(frozen=True)
class Notebook:
    """The code of a notebook, cell by cell.

    Attributes:
        steps: its statements, in order.
        texts: each cell's text as Python; "" of a cell that is none.
        broken: number of a cell -> why it is no Python.
    """

    steps: list[Step] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    broken: dict[int, str] = field(default_factory=dict)


def read(cells: Iterable[str], lesson: str = "") -> Notebook:
    """The statements of code cells, as IPython would run them. A cell that is no Python is left out by itself.

    Args:
        cells: their texts.
        lesson: the text of the lesson's own cells.
    """
    notebook, modules = Notebook(), set()
    lesson = f"\n{lesson}\n"
    for number, source in enumerate(cells):
        try:
            text = python(source)
            steps = list(_steps(text, number, lesson, modules))
        except SyntaxError as error:
            notebook.broken[number] = f"line {error.lineno} of the cell: {error.msg}"
        except (ValueError, RecursionError, MemoryError) as error:  # half a character, NUL, too deeply nested
            notebook.broken[number] = f"the cell cannot be read: {error or type(error).__name__}"
        else:
            notebook.steps.extend(steps)
        notebook.texts.append("" if number in notebook.broken else text)
    return notebook


def python(source: str) -> str:
    """A cell's text as Python: what is IPython's own becomes calls of `get_ipython()`.

    `%%time`, `%%capture` and `%%prun` run their cell as any other, so only they themselves go. What is Python already
    may be something else to IPython: a pasted `In [1]: n = 2` is an annotation here, and binds n there.
    """
    try:
        ast.parse(source)
    except SyntaxError:
        while _RUN_CELL.match(source):
            source = _RUN_CELL.sub(r"\1", source)
        source = _RUN_LINE.sub(r"\1", source)
    return TransformerManager().transform_cell(source)


def needed(steps: list[Step], name: str, changes: bool = True) -> set[int]:
    """Which statements the function `name` needs; those that only bind names, unless `changes` count as well."""
    wanted, chosen = {name}, set()

    def touches(step: Step) -> bool:  # a try-out, which calls the answer, changes nothing of it
        return bool(step.binds & wanted or (changes and step.changes & (wanted - {name})))

    while more := {i for i, step in enumerate(steps) if i not in chosen and touches(step)}:
        chosen |= more
        for step in (steps[i] for i in more):
            wanted = wanted | step.uses | (step.binds if step.changes & wanted else set())
    return chosen | {i for i, step in enumerate(steps) if chosen and _star(step.statement)}


def others(steps: list[Step], chosen: set[int]) -> set[int]:
    """What else a student's cells do: their statements that are not `chosen`, and the imports and constants these use.

    Empty if none of them does more than to bind a name.
    """
    own = {i for i, step in enumerate(steps) if step.own and i not in chosen}
    if not any(steps[i].acts for i in own):
        return set()
    more = own
    while more:
        wanted = set().union(*(steps[i].uses for i in more))
        more = {i for i, s in enumerate(steps) if s.binds & wanted and not s.own and not _calls(s)} - chosen - own
        own |= more
    return own


def defines(source: str, name: str) -> bool:
    """Whether a cell's text has the function, though it may be no Python."""
    return bool(re.search(rf"^(async )?def {re.escape(name)}\b", source, re.MULTILINE))


def _steps(text: str, cell: int, lesson: str, modules: set[str]) -> Iterator[Step]:
    """The statements of a cell, one for each imported name: the others of its line may not be installed here."""
    lines = text.splitlines()
    for statement in ast.parse(text).body:
        if isinstance(statement, ast.ImportFrom) and statement.module != "__future__":
            parts = [ast.ImportFrom(statement.module, [alias], statement.level) for alias in statement.names]
        elif isinstance(statement, ast.Import):
            parts = [ast.Import([alias]) for alias in statement.names]
        else:
            parts = [statement]
        own = "\n" + "\n".join(lines[statement.lineno - 1 : statement.end_lineno]) + "\n" not in lesson
        for part in parts:
            part = ast.fix_missing_locations(ast.copy_location(part, statement))
            code = _compiled(part)
            binds, uses = names(part)
            if isinstance(part, ast.Import | ast.ImportFrom):
                modules |= binds
            inner = (part for part in code.co_consts if isinstance(part, CodeType))
            changes = _changes(part, own, modules).union(*(_stored(part, ("STORE_GLOBAL",)) for part in inner))
            yield Step(part, cell, own, _checks(part), binds, uses, changes)


def _checks(statement: ast.stmt) -> set[str]:
    """The exercises that a statement checks: `checks.name(name)`, alone or in a `print` or `try`."""
    found = set()
    for node in _at_once(statement):
        match node:
            case ast.Call(ast.Attribute(ast.Name("checks"), check), [ast.Name(name)], []) if check == name:
                found.add(name)
    return found


def _changes(statement: ast.stmt, own: bool, modules: set[str]) -> set[str]:
    """Names of what a statement may change in place.

    A call as a statement is made for what it changes: its object, in a student's line also the function or its
    arguments. A call for its value changes no module, as `torch.rand(3)`, but may change others, as `p.pop()`.
    """
    found = set()
    for node in _at_once(statement):
        match node:
            case ast.Attribute() | ast.Subscript() if isinstance(node.ctx, ast.Store | ast.Del):
                found.add(_root(node))
            case ast.Name(name, ast.Del()):
                found.add(name)
            case ast.Expr(ast.Call(function)) if own or isinstance(function, ast.Attribute):
                found.add(_root(function))
            case ast.Call(function, arguments, words) if own:
                values = (function, *arguments, *(word.value for word in words))
                found |= {_root(value) for value in values} - modules
    return found - {""}


def _at_once(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all below it, without the bodies of functions, which run later."""
    yield node
    for name, value in ast.iter_fields(node):
        if not (isinstance(node, _DEFERRED) and name == "body"):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _at_once(child)


def _root(node: ast.AST) -> str:
    """The name that `a.b[c].d` begins with; "" if it begins with none."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _calls(step: Step) -> bool:
    return any(isinstance(node, ast.Call) for node in _at_once(step.statement))


def _star(statement: ast.stmt) -> bool:
    """Whether this is `from somewhere import *`, which may bind anything."""
    return isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*"


def names(*statements: ast.stmt) -> tuple[set[str], set[str]]:
    """(global names that statements bind, global names that they or a function in them use)."""
    code = _compiled(*statements)
    return _stored(code, _STORES), _used(code)


def _compiled(*statements: ast.stmt) -> CodeType:
    return compile(ast.Module([*statements], []), "<answer>", "exec", PARSING, dont_inherit=True)


def _stored(code: CodeType, how: tuple[str, ...]) -> set[str]:
    return {i.argval for i in dis.get_instructions(code) if i.opname in how}


def _used(code: CodeType) -> set[str]:
    here = {i.argval for i in dis.get_instructions(code) if i.opname in _LOADS}
    return here.union(*(_used(part) for part in code.co_consts if isinstance(part, CodeType)))
