"""Cells that run again: widgets do not pile up, and nothing that still stands somewhere is closed."""

import queue

import ipywidgets
import pytest
from jupyter_client.manager import start_new_kernel

from tutorial_lib.course.notebooks import KERNEL_ARGUMENTS, kernel_environment
from tutorial_lib.display import rerun, stage
from tutorial_lib.display.live import live, slider


def demo(title="one", **controls):
    return live(
        lambda **values: values,
        lambda arrays, params: stage.panes(stage.table(["a"], [[0]])),
        controls or {"a": slider(1, 0, 2, 1)},
        presets={"two": {"a": 2}} if not controls else None,
        title=title,
    )


def opened(widget):
    return {part.comm is not None for part in rerun._parts(widget)}


@pytest.fixture
def cell(monkeypatch):
    """A function that shows widgets in a cell, in a new run of it."""
    monkeypatch.setattr(rerun, "_SHOWN", {})
    runs = iter(range(1000))

    def run(name, *widgets):
        now = (name, str(next(runs)))
        monkeypatch.setattr(rerun, "_running", lambda: now)
        return [widget._repr_mimebundle_() for widget in widgets]

    return run


def test_the_demo_of_the_earlier_run_is_closed_whole(cell):
    old, new = demo(), demo()
    cell("A", old)
    assert opened(old) == {True}
    cell("A", new)
    assert opened(old) == {False} and opened(new) == {True}
    old.set(a=2)
    assert old.params == {"a": 2}, "who still holds it can compute with it"


def test_demos_of_other_cells_and_of_the_same_run_stay(cell):
    one, two, three, four = (demo() for _ in range(4))
    cell("A", one, two)
    cell("B", three)
    cell("C", one)
    assert all(opened(widget) == {True} for widget in (one, two, three))
    cell("A", four)
    assert opened(two) == {False} and opened(one) == {True}, "C shows it too"
    cell("C", four)
    assert opened(one) == {False} and opened(three) == opened(four) == {True}


def test_the_same_demo_shown_again_stays_and_a_closed_one_opens_again(cell):
    one, two = demo(), demo()
    (first,) = cell("A", one)
    cell("A", one)
    assert opened(one) == {True}
    cell("A", two)
    (again,) = cell("B", one)
    assert opened(one) == opened(two) == {True}
    assert again == first, "the same model, so a page that still has it finds it"


def test_a_control_that_two_demos_share_stays(cell):
    shared = slider(1, 0, 2, 1)
    one, two = demo(a=shared), demo(a=shared)
    cell("A", one)
    cell("B", two)
    cell("A", demo())
    assert one.comm is None and opened(two) == {True} and shared.comm is not None


def test_nothing_is_closed_where_nobody_knows_the_cell(monkeypatch):
    monkeypatch.setattr(rerun, "_SHOWN", {})
    one, two = demo(), demo()
    one._repr_mimebundle_(), two._repr_mimebundle_()  # as in a script, or under nbclient
    assert opened(one) == opened(two) == {True} and not rerun._SHOWN


def test_builds_in_a_kernel_leave_the_widgets_of_one_of_them():
    """As a page asks: an execute_request that names its cell."""
    with kernel_environment():
        manager, client = start_new_kernel(kernel_name="python3", extra_arguments=KERNEL_ARGUMENTS)
    try:

        def run(code, cell):
            content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}}
            content |= {"allow_stdin": False, "stop_on_error": True}
            message = client.session.msg("execute_request", content, metadata={"cellId": cell})
            client.shell_channel.send(message)
            reply = client.get_shell_msg(timeout=120)["content"]
            assert reply["status"] == "ok", reply
            printed = ""
            while True:
                try:
                    told = client.get_iopub_msg(timeout=120)
                except queue.Empty:
                    raise AssertionError("the kernel is silent") from None
                printed += told["content"].get("text", "") if told["msg_type"] == "stream" else ""
                if told["content"].get("execution_state") == "idle" and (
                    told["parent_header"]["msg_id"] == message["header"]["msg_id"]
                ):
                    return printed

        run(
            "from ipywidgets.widgets.widget import _instances\n"
            "from tutorial_lib.lessons.start_here import demo_first_look\n"
            "from tutorial_lib.course import environment",
            "setup",
        )
        counts = []
        for _ in range(4):
            run("demo = demo_first_look.first_demo('builtin', 0, 'cpu')\ndemo", "demo")
            run("environment.check()", "check")
            counts.append(int(run("print(len(_instances))", "count")))
        assert len(set(counts)) == 1 and counts[0] > 20, counts
        run("other = demo_first_look.first_demo('builtin', 0, 'cpu')\nother", "another cell")
        run("demo.set(steps=1) if 'steps' in demo.controls else demo.reset()", "demo-test")
        assert int(run("print(len(_instances))", "count")) > 1.5 * counts[0], "the other cell's demo was closed"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_every_part_of_a_demo_is_found():
    before = set(ipywidgets.widgets.widget._instances)
    widget = demo()
    made = set(ipywidgets.widgets.widget._instances) - before
    assert made == {part.model_id for part in rerun._parts(widget)}
