"""How an answer is run: as the notebook would, up to its own check, whatever else the student's cells do.

Every answer here passes (or fails) its check in the same way when its cells are run in Jupyter, one after the other.
"""

import time

import pytest
import torch

from tutorial_lib.course.answer_judge import judge
from tutorial_lib.lessons.camera_distortion import checks

CHECKS = "tutorial_lib.lessons.camera_distortion.checks"
RADIAL = "def radial(points, k1):\n    return points * (1 + k1 * (points**2).sum(-1, keepdim=True))\n"
ASK = "checks.radial(radial)"
STUB = "def radial(points, k1):\n    raise NotImplementedError('your turn')"


@pytest.fixture(autouse=True)
def the_next_answer_finds_all_as_it_was(monkeypatch):
    monkeypatch.setattr(checks, "compare", checks.compare)
    yield
    torch.set_default_dtype(torch.float32)


def verdict(*cells, lesson=()):
    return judge(list(cells), "radial", CHECKS, list(lesson), brief=2.0)["verdict"]


def radial(power):
    """The answer, with something in place of its 2."""
    return RADIAL.replace("**2", f"**{power}")


FOLD = "def first_fold(k1):\n    return (-1 / (n * k1)) ** 0.5 if k1 < 0 else float('inf')"
RIGHT = {
    "its check printed": [RADIAL, "print(checks.radial(radial))", "radial = 3"],
    "its check in a try": [RADIAL, "try:\n    checks.radial(radial)\nexcept AssertionError:\n    pass", "radial = 3"],
    "its check for its value": [RADIAL, "x = checks.radial(radial);", "radial = 3"],
    "a name bound again for a later exercise": ["n = 2\n" + radial("n"), ASK, "n = 3\n" + FOLD],
    "bound again, and no check is left": ["n = 2\n" + radial("n"), "n = 3\n" + FOLD],
    "bound again in the cell of its check": ["n = 2\n" + radial("n") + ASK + "\nn = 3"],
    "bound again by a loop": ["n = 2", radial("n"), ASK, "for n in range(9):\n    pass"],
    "its own name bound again for a later exercise": [RADIAL, ASK, "radial = 3"],
    "its helper deleted later": ["n = 2", radial("n"), ASK, "del n"],
    "its list emptied later": ["p = [2]", radial("p[0]"), ASK, "p.clear()"],
    "a setting changed later": [RADIAL, ASK, "import torch\ntorch.Tensor.sum = None"],
    "a helper that stands below": [radial("two()"), ASK, "def two():\n    return 2"],
    "the untouched stub above": [STUB, ASK, RADIAL, ASK],
    "the untouched stub below": [RADIAL, ASK, STUB, ASK],
    "corrected below its check": ["def radial(points, k1):\n    return points", ASK, RADIAL],
    "a broken draft above": ["def radial(points, k1):\n    return (((", RADIAL, ASK],
    "append": ["p = []\np.append(2)\n" + radial("p[0]")],
    "append, in a cell below": ["p = []", radial("p[0]"), "p.append(2)", ASK],
    "append in a loop": ["p = []\nfor i in range(3):\n    p.append(i)\n" + radial("p[2]"), ASK],
    "append in a with": ["import torch\np = []\nwith torch.no_grad():\n    p.append(2)", radial("p[0]"), ASK],
    "append in a try": ["p = []\ntry:\n    p.append(2)\nfinally:\n    pass", radial("p[0]"), ASK],
    "pop for its value": ["p = [2, 3]\nx = p.pop()", radial("p[-1]"), ASK],
    "an item": ["p = [0]", "p[0] = 2", radial("p[0]"), ASK],
    "an attribute": ["class P: n = 1\nP.n = 2", radial("P.n"), ASK],
    "update": ["p = dict(n=1)\np.update(n=2)", radial("p['n']"), ASK],
    "augmented": ["n = 1", "n += 1", radial("n"), ASK],
    "an item, augmented": ["p = [1]\np[0] += 1", radial("p[0]"), ASK],
    "del": ["p = [1, 2]\ndel p[0]", radial("p[0]"), ASK],
    "a helper fills it": ["p = []\ndef fill(q):\n    q.append(2)", "fill(p)", radial("p[0]"), ASK],
    "a helper fills it, for its value": ["p = []\ndef fill(q):\n    q.append(2)", "x = fill(p)", radial("p[0]"), ASK],
    "global": ["n = 1\ndef two():\n    global n\n    n = 2", "two()", radial("n"), ASK],
    "a list comprehension": ["p = []\n[p.append(i) for i in (2, 3)]", radial("p[0]"), ASK],
    "setattr": ["class P: n = 1\nsetattr(P, 'n', 2)", radial("P.n"), ASK],
    "exec": ["exec('n = 2')", radial("n"), ASK],
    "globals": ["globals()['n'] = 2", radial("n"), ASK],
    "a decorator": ["p = {}\ndef keep(f):\n    p['f'] = f\n    return f\n@keep\ndef two(): return 2",
                    radial("p['f']()"), ASK],
    "an environment variable": ["import os\nos.environ['N_'] = '2'",
                                radial("int(__import__('os').environ['N_'])"), ASK],
    "a seed": ["import torch\ntorch.manual_seed(5)\nn = int(torch.randint(0, 9, ()))\ntorch.manual_seed(5)",
               radial("(2 + n - int(torch.randint(0, 9, ())) if k1 == -0.4 else 2)"), ASK],
    "a default type under another name": ["import torch as T\nT.set_default_dtype(T.float64)",
        "import torch\n" + radial("int(2 + (torch.ones(()).dtype != torch.float64))"), ASK],
    "help": ["len?\n" + RADIAL, ASK],
    "source": ["len??", RADIAL, ASK],
    "timeit": [RADIAL + "t = %timeit -o -n1 -r1 1\n", ASK],
    "a shell's lines": ["files = !ls\n" + RADIAL, ASK],
    "a shell's lines, used": ["files = !ls\n" + radial("(2 + len(files))"), ASK],
    "magics": ["%matplotlib inline\n%load_ext autoreload\n!pip install no_such_package\n%pip install x", RADIAL, ASK],
    "a magic in the answer": [RADIAL.replace("    return", "    !ls\n    %timeit 1\n    display(1)\n    return"), ASK],
    "a pasted prompt": ["In [1]: n = 2\n" + radial("n"), ASK],
    "pasted prompts": ["In [1]: n = 2\n   ...: m = n\n" + radial("m"), ASK],
    "%%time": ["%%time\n" + RADIAL, ASK],
    "%%time below a blank line": ["\n%%time\n" + RADIAL, ASK],
    "%%capture": ["%%capture out\n%matplotlib inline\n" + RADIAL, ASK],
    "%time": ["%time n = 2", radial("n"), ASK],
    "= %time": ["n = %time 1 + 1", radial("n"), ASK],
    "%%bash": ["%%bash\nrm -rf nowhere", RADIAL, ASK],
    "a magic by its function": ["get_ipython().run_line_magic('matplotlib', 'inline')\nn = 2", radial("n"), ASK],
    "await": ["import asyncio\nn = await asyncio.sleep(0, 2)", radial("n"), ASK],
    "__main__": ["if __name__ == '__main__':\n    k = 2\n" + radial("k"), ASK],
    "import __main__": ["import __main__\n__main__.k = 2\n" + radial("k"), ASK],
    "a dataclass": ["from __future__ import annotations\n"
                    "from dataclasses import dataclass\n@dataclass\nclass P:\n    n: int",
                    radial("P(2).n"), ASK],
    "a future, in all cells below": ["from __future__ import annotations", "def two(x: no_such_type): return 2",
                                     radial("two(1)"), ASK],
    "its own source": [radial("2") + "    # 2", "import inspect\nn = int(inspect.getsource(radial)[-2:])", ASK],
    "pickling": ["import pickle\nclass P: pass\nn = len([pickle.loads(pickle.dumps(P()))] * 2)", radial("n"), ASK],
    "async": ["async def two():\n    yield 2\nasync for n in two():\n    pass", radial("n"), ASK],
    "indented": ["    n = 2", radial("n"), ASK],
    "nested magics": ["if True:\n    %time n = 2\n    !ls", radial("n"), ASK],
    "half an emoji elsewhere": ["# cut \ud83d emoji", RADIAL, ASK],
    "a NUL elsewhere": ["x = '\0'", RADIAL, ASK],
    "nesting elsewhere": ["(" * 5000 + ")" * 5000, "-" * 20_000 + "1", RADIAL, ASK],
    "return elsewhere": ["return 5", RADIAL, ASK],
    "a failing cell": ["1 / 0", RADIAL, ASK],
    "an exit": ["raise SystemExit", "exit()", RADIAL, ASK],
    "figures": ["import matplotlib.pyplot as plt\nplt.plot([1])\nplt.show()", RADIAL, ASK],
    "a package that is not here, in the answer's cell": ["import no_such_package\n" + RADIAL, ASK],
}  # fmt: skip


@pytest.mark.parametrize("title", RIGHT)
def test_what_passes_in_the_notebook_is_right(title):
    assert verdict(*RIGHT[title]) == "right"


WRONG = {
    "a name bound wrongly before the check": (["n = 2\n" + radial("n"), "n = 3", ASK], "wrong"),
    "a list changed before the check": (["p = [2]\n" + radial("p[0]"), "p[0] = 3", ASK], "wrong"),
    "a list emptied before the check": (["p = [2]", radial("p[0]"), "p.clear()", ASK], "error"),
    "the second try": ([RADIAL, ASK, "def radial(points, k1):\n    return points", ASK], "wrong"),
    "the second try, unchecked": ([RADIAL, "def radial(points, k1):\n    return points"], "wrong"),
    "deleted before the check": (["n = 2", radial("n"), "del n", ASK], "error"),
    "by a helper's global": (["n = 2\ndef f():\n    global n\n    n = 3", radial("n"), "f()", ASK], "wrong"),
    "untouched": ([STUB, ASK], "not attempted"),
    "half an emoji in the answer": (["# \ud83d\n" + RADIAL, ASK], "not Python"),
    "half an emoji in its message": (["def radial(points, k1):\n    raise ValueError('\\ud83d')", ASK], "error"),
    "no answer": (["x = 1", ASK], "missing"),
    "nothing": ([], "missing"),
    "a check taken away": (
        [f"import {CHECKS} as checks\nchecks.compare = print", "def radial(points, k1):\n    return 1", ASK], "wrong",
    ),
}  # fmt: skip


@pytest.mark.parametrize("title", WRONG)
def test_what_fails_in_the_notebook_is_not_right(title):
    cells, expected = WRONG[title]
    assert verdict(*cells) == expected


LESSON = ["import time\nfrom math import pi", "p = []\np.append(2)", "slow = time.sleep(60)", "time.sleep(60)\np.clear"]


def test_the_lessons_own_cells_are_not_run_for_nothing():
    start = time.monotonic()
    assert verdict(*LESSON, radial("p[0]"), ASK, lesson=LESSON) == "right"
    assert verdict(*LESSON, "p[0] += 1", radial("p[0]"), ASK, lesson=LESSON) == "wrong"
    assert time.monotonic() - start < 30


def test_a_long_cell_costs_its_own_time_only():
    start = time.monotonic()
    slow = [
        "import time\ntime.sleep(60)",
        "while True:\n    try:\n        pass\n    except BaseException:\n        pass",
    ]
    assert verdict(*slow, "print(radial)", RADIAL, ASK) == "right"
    assert verdict(*slow, "n = 2", radial("n + 1"), ASK) == "wrong"
    assert verdict("p = [2]\nfor i in range(10**12):\n    p[0] = 2", radial("p[0]"), ASK) == "right"
    assert time.monotonic() - start < 30


def test_nothing_that_a_magic_names_is_done(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cells = ["!touch a", "%%bash\ntouch b", "x = !touch c", "%sx touch d", "get_ipython().system('touch e')"]
    assert verdict(*cells, "no_such_name", radial("3"), ASK) == "wrong"
    assert not list(tmp_path.iterdir())


def test_a_written_module_can_be_imported(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")
    cells = ["%%writefile ../own_helper.py\ndef two():\n    return 2", "import own_helper", radial("own_helper.two()")]
    assert verdict(*cells, ASK) == "right"
    assert [path.name for path in tmp_path.glob("*.py")] == ["own_helper.py"]
