"""The training loop: what it learns, what it keeps when it is stopped, and what its lock is for."""

import contextlib
import random
import signal
import threading
from functools import partial

import pytest
import torch
from torch import nn

from tutorial_lib.locking import MODEL_LOCK, gradients_on, interrupts_later
from tutorial_lib.training import fit, kept_bytes, resolve_device


def line():
    """A linear model and the loss of a regression onto y = x @ (1, -2) + 0.5."""
    torch.manual_seed(0)
    model = nn.Linear(2, 1)
    generator = torch.Generator().manual_seed(0)

    def loss(step):
        x = torch.randn(32, 2, generator=generator)
        return (model(x) - (x @ torch.tensor([[1.0], [-2.0]]) + 0.5)).square().mean()

    return model, loss


def quiet(*arguments, **options):
    return fit(*arguments, progress=False, **options)


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()]).clone()


def test_fit_learns_a_regression():
    model, loss = line()
    history = quiet(model, loss, 300, rate=0.05)
    torch.testing.assert_close(weights(model), torch.tensor([1.0, -2.0, 0.5]), atol=1e-2, rtol=0)
    assert len(history.loss) == 300 and history.loss[-1] < 1e-3 * history.loss[0]
    assert not history.interrupted
    assert history.whole("mine") is history


def test_the_same_seed_gives_the_same_weights():
    results = []
    for _ in range(2):
        model, loss = line()
        quiet(model, loss, 20)
        results.append(weights(model))
    assert torch.equal(*results)


def test_the_model_ends_with_the_weights_of_its_best_validation():
    model, loss = line()
    seen = []

    def validate():
        seen.append(weights(model))
        return [5.0, 1.0, 3.0, 2.0][len(seen) - 1]

    history = quiet(model, loss, 40, validate=validate, every=10)
    assert history.checks == [(10, 5.0), (20, 1.0), (30, 3.0), (40, 2.0)]
    assert (history.best, history.best_step) == (1.0, 20)
    assert torch.equal(weights(model), seen[1])


def test_the_last_step_is_validated_even_between_two_checks():
    model, loss = line()
    assert [step for step, _ in quiet(model, loss, 25, validate=lambda: 1.0, every=10).checks] == [10, 20, 25]


def test_the_best_weights_include_the_statistics_of_batch_norm():
    model = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    means = []

    def validate():
        means.append(model[1].running_mean.clone())
        return float(len(means))  # the first is the best

    quiet(model, lambda step: model(torch.randn(16, 2)).square().mean(), 6, validate=validate, every=2)
    assert torch.equal(model[1].running_mean, means[0]) and not torch.equal(means[0], means[-1])


@pytest.mark.parametrize("where", ["loss", "validate"])
def test_an_interrupt_keeps_the_best_weights_and_says_so(where):
    model, loss = line()
    best = []

    def stopping(step):
        if where == "loss" and step == 25:
            raise KeyboardInterrupt
        return loss(step)

    def validate():
        best.append(weights(model))
        if where == "validate" and len(best) == 3:
            raise KeyboardInterrupt
        return float(len(best))

    history = quiet(model, stopping, 1000, validate=validate, every=10)
    assert history.interrupted and history.best_step == 10
    assert len(history.loss) == (25 if where == "loss" else 30)
    assert torch.equal(weights(model), best[0])


def test_an_interrupt_before_any_validation_keeps_what_was_learned():
    model, loss = line()
    before = weights(model)

    def stopping(step):
        if step == 5:
            raise KeyboardInterrupt
        return loss(step)

    history = quiet(model, stopping, 100)
    assert history.interrupted and len(history.loss) == 5
    with pytest.raises(KeyboardInterrupt, match="mine was stopped"):
        history.whole("mine")
    assert not torch.equal(weights(model), before)


def test_after_an_interrupt_the_lock_is_free():
    model, loss = line()

    def stopping(step):
        raise KeyboardInterrupt

    quiet(model, stopping, 10)
    free = []
    thread = threading.Thread(target=lambda: free.append(MODEL_LOCK.acquire(timeout=5)) or MODEL_LOCK.release())
    thread.start()
    thread.join()
    assert free == [True]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_is_reported_with_its_step_and_the_best_weights_stay(value):
    model, loss = line()
    best = []

    def breaking(step):
        return loss(step) * (value if step == 12 else 1)

    def validate():
        best.append(weights(model))
        return 1.0

    with pytest.raises(ValueError, match=r"loss is (nan|inf) at step 12: lower rate=0.001"):
        quiet(model, breaking, 100, validate=validate, every=10)
    assert torch.equal(weights(model), best[0])


def test_no_steps_are_refused():
    with pytest.raises(ValueError, match="steps is 0"):
        fit(nn.Linear(1, 1), lambda step: torch.zeros(()), 0)


def test_a_device_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto") == torch.device("cpu")
    with pytest.raises(ValueError, match="device is 'cuda:1'"):
        resolve_device("cuda:1")


def test_auto_is_the_accelerator_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto") == torch.device("cuda")


def test_a_slider_that_uses_a_model_while_a_cell_trains_it_always_sees_whole_weights():
    """Two threads on one model: training steps, and 200 locked uses with gradients."""
    model, loss = line()
    done, wrong = threading.Event(), []

    def train():
        while not done.is_set():
            quiet(model, loss, 50, rate=1e-3)

    trainer = threading.Thread(target=train)
    trainer.start()
    try:
        for seed in range(200):
            x = torch.randn(8, 2, generator=torch.Generator().manual_seed(seed))
            with MODEL_LOCK.announced(), gradients_on():
                MODEL_LOCK.arrived()
                start = weights(model)
                (gradient,) = torch.autograd.grad(model(x).sum(), model.weight)
                if not torch.equal(weights(model), start):
                    wrong.append("the weights moved")
            if not torch.allclose(gradient[0], x.sum(0), atol=1e-5):
                wrong.append(f"gradient {gradient} of move {seed}")
    finally:
        done.set()
        trainer.join(timeout=60)
    assert not trainer.is_alive() and not wrong


def test_no_stop_leaves_the_lock_held():
    """Two thousand interrupts at random moments of a loop that does little else than take the lock."""

    def stop(*_):
        raise KeyboardInterrupt

    def free_for_others():
        taken = []
        thread = threading.Thread(target=lambda: taken.append(MODEL_LOCK.acquire(timeout=5)) or MODEL_LOCK.release())
        thread.start()
        thread.join()
        return taken == [True]

    before = signal.signal(signal.SIGALRM, stop)
    chance = random.Random(0)
    try:
        for _ in range(2000):
            with contextlib.suppress(KeyboardInterrupt):
                signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-5, 4e-4))
                while True:
                    MODEL_LOCK.let_others()
                    with MODEL_LOCK.announced(), gradients_on():
                        MODEL_LOCK.arrived()
        assert free_for_others()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_an_interrupt_comes_after_what_must_not_be_cut_in_two(request):
    # Where the tests run in the background of a shell, interrupts are ignored from the start.
    request.addfinalizer(partial(signal.signal, signal.SIGINT, signal.getsignal(signal.SIGINT)))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    done = []
    with pytest.raises(KeyboardInterrupt):
        with interrupts_later():
            signal.raise_signal(signal.SIGINT)
            done.append("whole")
        done.append("not reached")
    assert done == ["whole"]
    with interrupts_later():
        pass  # and nothing is left behind
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_gradients_are_on_inside_the_lock_in_any_thread_and_outside_as_before():
    with torch.no_grad():
        with MODEL_LOCK, gradients_on():
            assert torch.is_grad_enabled()
        assert not torch.is_grad_enabled()


def test_bytes_kept_for_the_backward_pass_are_counted_once():
    x = torch.ones(1000, requires_grad=True)
    assert kept_bytes(lambda: x * x) == 4000
    assert kept_bytes(lambda: x.exp().sum()) == 4000
    assert kept_bytes(lambda: x.sum()) == 0
    assert kept_bytes(lambda: x * x, without=[x]) == 0


def test_a_layer_keeps_its_input_and_a_square_its_own():
    line, images = nn.Linear(12, 5), torch.rand(6, 12)
    with torch.no_grad():
        kept = kept_bytes(lambda: line(images).square().sum(), without=line.parameters())
    assert kept == 4 * (6 * 12 + 6 * 5)
