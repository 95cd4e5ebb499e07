"""Two processes that share every batch end with the network of one process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from tutorial_lib import experiments, processes
from tutorial_lib.training import fit

ROOT = Path(__file__).parents[2]
BATCH, STEPS = 12, 7

WORK = """
import sys
from pathlib import Path
from tests.ground.test_processes import work
work(Path(sys.argv[1]))
"""


def work(folder):
    """What every process does: join, train, keep the result once."""
    torch.set_num_threads(1)
    processes.join()
    torch.manual_seed(processes.count() and int(os.environ.get("RANK", 0)))  # other weights in every process at first
    model = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 1)).eval()
    generator, validated, made = torch.Generator().manual_seed(5), [], []
    assert not processes.is_first() or int(os.environ.get("RANK", 0)) == 0

    def loss(step):
        x = torch.randn(BATCH, 3, generator=generator)[processes.share(BATCH)]
        return (model(x)[:, 0] - x.sum(-1)).square().mean()

    def validate():
        validated.append(1)
        return [3.0, 1.0, 2.0][len(validated) - 1]  # the weights of the second check are the best

    def make():
        history = fit(model, loss, STEPS, rate=0.05, validate=validate, every=3)
        made.append(history)
        return model.state_dict() | {"loss": torch.tensor(history.loss), "best": torch.tensor(history.best_step)}

    found = experiments.once_tensors(folder / "result.safetensors", make)
    mine = {**model.state_dict(), "loss": torch.tensor(made[0].loss), "best": torch.tensor(made[0].best_step)}
    assert all(torch.equal(mine[name], value) for name, value in found.items()), "every process has the same"
    assert len(validated) == (3 if processes.is_first() else 0)
    (folder / f"done-{os.environ.get('RANK', 'alone')}").touch()
    assert experiments.once(folder / "second.json", lambda: [processes.count()]) == [processes.count()]
    if processes.count() > 1:
        torch.distributed.destroy_process_group()
    return found


@pytest.mark.timeout(120)
def test_two_processes_train_the_network_of_one(tmp_path, free_port):
    together, alone = tmp_path / "together", tmp_path / "alone"
    together.mkdir()
    alone.mkdir()
    started = [
        subprocess.Popen(
            [sys.executable, "-c", WORK, str(together)],
            cwd=ROOT,
            env=os.environ
            | {"PYTHONPATH": str(ROOT), "TORCHELASTIC_RUN_ID": "test", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
            | {"WORLD_SIZE": "2", "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for port in [str(free_port())]
        for rank in range(2)
    ]
    one = work(alone)
    said = [process.communicate(timeout=100)[1] for process in started]
    assert [process.returncode for process in started] == [0, 0], said
    assert "training" in said[0] and "training" not in said[1], "one bar"
    two = experiments.once_tensors(together / "result.safetensors", dict)
    assert one.keys() == two.keys() and one["best"] == two["best"] == 6
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, atol=1e-5, rtol=1e-4)
    assert sorted(path.name for path in together.iterdir()) == ["done-0", "done-1", "result.safetensors", "second.json"]


def test_alone_nothing_is_shared_and_nothing_changes():
    tensor = torch.randn(3)
    kept = tensor.clone()
    processes.average([tensor])
    processes.follow([tensor])
    processes.join()
    assert torch.equal(tensor, kept) and processes.agreed(2.5) == 2.5
    assert processes.count() == 1 and processes.is_first() and processes.share(5) == slice(0, 5)


def test_a_batch_that_cannot_be_shared_evenly_is_refused(monkeypatch):
    monkeypatch.setattr(processes, "count", lambda: 2)
    with pytest.raises(ValueError, match="batch is 25, which 2 processes cannot share"):
        processes.share(25)


def test_an_experiment_of_one_process_says_so(monkeypatch, capsys):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(SystemExit):
        experiments.parse(experiments.command_line("About.", {"shipped": 1}), ["--device", "cpu"])
    assert "runs in one process: start it without torchrun" in capsys.readouterr().err
