"""The process in which students' code runs, so that the grader itself never does: started by `grade`.

It reads one job a line (JSON), and answers each with one line: `{"verdict": ..., "detail": ...}`. Importing torch
takes seconds, so it is imported once; then every exercise is tried in a *fork* of its own, which ends with it. Whatever
a student's code does to modules, files' handles or memory is gone with its fork, and a fork that hangs is killed.

A fork works in an empty folder of its own, which goes with it. It has limits of processor time, memory (on Linux; macOS
does not keep them), file size and number of processes, a time on the clock, no standard input, and no output. It
reports through a pipe of which neither the number nor the password is told. A check that passed is asked once more with
a spoiled answer: if it passes that, too, then the answer has blinded it, by patching the check, torch or the library.

What this does not stop: code runs as the user who grades, so it can read and delete what that user can; and code that
searches the interpreter for the password can forge a mark. Read what the reports show, and grade people whom you do not
trust in a container or as another user (`--sandbox`).
"""

import importlib
import json
import os
import resource
import secrets
import select
import signal
import sys
import tempfile
import time
from contextlib import suppress

import psutil
import torch

from tutorial_lib.course.answer_judge import CRASHED, LATE, TAMPERED, judge, verdict_of

_LONGEST_REPORT = 65_536


def serve() -> None:
    """Answer jobs from standard input until it ends.

    The first names modules to `prepare`. Every other has `cells`, `lesson` (texts of the lesson's own cells),
    `exercise`, `checks` (a module), `seconds` of processor time, and `megabytes`.
    """
    torch.set_num_threads(1)
    torch.broadcast_shapes((1,), (1,))  # its first call imports sympy: once here, not in every fork
    jobs, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)  # a check prints a line when all is well
    for line in jobs:
        job = json.loads(line)
        for module in job.get("prepare", ()):
            importlib.import_module(module)
        if "prepare" in job:
            answer = {"ready": True}
        else:
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as desk:
                answer = _judge_in_a_fork(job, desk)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _judge_in_a_fork(job: dict, desk: str) -> dict[str, str]:
    seconds = job["seconds"]
    password = secrets.token_hex(16)
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            pipe = _confine(writable, seconds, job["megabytes"], desk)
            report = judge(job["cells"], job["exercise"], job["checks"], job["lesson"], seconds / 4)
            os.write(pipe, f"{password}{json.dumps(report)}\n".encode())
            os._exit(0)
        finally:
            os._exit(1)  # also after an error: a fork must never come back to `serve`
    os.close(writable)
    said, in_time = _listen(readable, 2 * seconds)  # on the clock: others may use the processor, too
    os.close(readable)
    status = _end(child, patience=0.0 if said or not in_time else 1.0)
    if said.startswith(password) and said.endswith("\n"):
        return json.loads(said.removeprefix(password))
    if said:
        return verdict_of(TAMPERED, "wrote to the grader's own pipe")
    if not in_time or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU):
        return verdict_of(LATE, f"used more than {seconds:g} seconds; is there a loop that never ends?")
    what = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit code {os.WEXITSTATUS(status)}"
    return verdict_of(CRASHED, f"the program ended before the check did ({what})")


def _confine(pipe: int, seconds: float, megabytes: int, desk: str) -> int:
    """Take from this process what an answer does not need; returns the new number of the pipe."""
    os.setsid()
    os.chdir(desk)
    os.environ["COURSE_BUILD"] = desk  # what a lesson's cell writes, such as claims, is not the teacher's
    sys.path.insert(0, "")
    for standard in (0, 1, 2):
        os.dup2(os.open(os.devnull, os.O_RDWR), standard)
    hidden = os.dup2(pipe, 100 + secrets.randbelow(100), inheritable=False)
    os.closerange(3, hidden)
    os.closerange(hidden + 1, 1024)
    if sys.platform == "linux":
        memory = psutil.Process().memory_info().vms + megabytes * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    cpu = max(1, round(seconds))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))  # no effect for root
    return hidden


def _listen(readable: int, seconds: float) -> tuple[str, bool]:
    """(what the fork wrote up to its first line's end, whether it ended or wrote in time)."""
    said, deadline = b"", time.monotonic() + seconds
    while len(said) < _LONGEST_REPORT:
        ready, _, _ = select.select([readable], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return said.decode(errors="replace"), False
        part = os.read(readable, 4096)
        said += part
        if not part or said.endswith(b"\n"):
            break
    return said.decode(errors="replace"), True


def _end(child: int, patience: float) -> int:
    """Kill a fork and what it started, if it does not end by itself within `patience` seconds; returns its status."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and not os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        time.sleep(0.01)
    for process in (*psutil.Process(child).children(recursive=True), psutil.Process(child)):
        with suppress(psutil.NoSuchProcess):  # it ended between being listed and being killed
            process.kill()
    return os.waitpid(child, 0)[1]


if __name__ == "__main__":
    serve()
