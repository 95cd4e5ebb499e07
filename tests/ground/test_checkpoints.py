"""Damaged checkpoints: each is the network that was stored, or one `ValueError` that names the file."""

import json

import pytest
import torch
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from tutorial_lib import checkpoints
from tutorial_lib.lifting import SingleFrameLifter, TemporalLifter

NAMES = checkpoints.names() + [f"temporal/{name}" for name in checkpoints.names(checkpoints.FOLDER / "temporal")]
many = settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
few = settings(many, max_examples=60)
words = st.sampled_from(["", "x", "3", "false", "channels"])
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**6) | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=4,
)


@pytest.fixture
def folder(tmp_path):
    """A folder with one whole checkpoint."""
    torch.manual_seed(0)
    checkpoints.save(TemporalLifter(3, 4, causal=True), "mine", {"seed": 0}, tmp_path)
    return tmp_path


def rewrite(folder, *, keep_fingerprint=True, **changes):
    path = folder / "mine.json"
    about = json.loads(path.read_text()) | changes
    if not keep_fingerprint:
        del about["fingerprint"]
    path.write_text(json.dumps(about))


def change_weights(folder, change):
    """Weights that were damaged before anybody took their fingerprint."""
    path = folder / "mine.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)
    rewrite(folder, keep_fingerprint=False)


def model_or_message(folder, content, text):
    (folder / "mine.safetensors").write_bytes(content)
    (folder / "mine.json").write_bytes(text)
    try:
        return checkpoints.load("mine", folder=folder)
    except ValueError as error:
        assert "mine" in str(error) and len(str(error)) < 2000
        assert any(word in str(error) for word in ("restore", "train again")), error
        return None


@seed(0)
@many
@given(data=st.data())
def test_damaged_bytes_are_the_model_or_one_message(folder, data):
    originals = [(folder / f"mine.{end}").read_bytes() for end in ("safetensors", "json")]
    damaged = [bytearray(content) for content in originals]
    which = data.draw(st.integers(0, 1))
    kind = data.draw(st.sampled_from(["flip", "cut", "double", "empty", "header"]))
    if kind == "flip":
        for _ in range(data.draw(st.integers(1, 4))):
            damaged[which][data.draw(st.integers(0, len(damaged[which]) - 1))] ^= data.draw(st.integers(1, 255))
    elif kind == "header":
        damaged[which][data.draw(st.integers(0, 200))] = data.draw(st.integers(0, 255))
    else:
        end = {"cut": data.draw(st.integers(1, len(damaged[which]) - 1)), "empty": 0}.get(kind)
        damaged[which] = damaged[which][:end] if end is not None else 2 * damaged[which]
    model = model_or_message(folder, *map(bytes, damaged))
    for content, end in zip(originals, ("safetensors", "json")):
        (folder / f"mine.{end}").write_bytes(content)
    if model is not None:
        whole = checkpoints.load("mine", folder=folder)
        assert model.architecture == whole.architecture
        assert all(torch.equal(value, model.state_dict()[key]) for key, value in whole.state_dict().items())


@seed(0)
@few
@given(
    field=st.sampled_from(["name", "network", "architecture", "fingerprint", "seed"]), value=anything
)  # fmt: skip
def test_a_field_of_another_type_is_the_model_or_one_message(folder, field, value):
    content, text = ((folder / f"mine.{end}").read_bytes() for end in ("safetensors", "json"))
    about = json.loads(text)
    model = model_or_message(folder, content, json.dumps(about | {field: value}).encode())
    assert (model is not None) == (field in ("name", "seed") or about[field] == value)
    (folder / "mine.json").write_bytes(text)


@seed(0)
@few
@given(
    field=st.sampled_from(["widths", "channels", "joints", "causal", "outputs", "dilated", "root_relative", "dropout"]),
    value=anything,
)  # fmt: skip
def test_a_setting_of_another_type_never_takes_memory_or_means_something_else(folder, field, value):
    """Without a fingerprint, as checkpoints of version 1.0 are."""
    content, text = ((folder / f"mine.{end}").read_bytes() for end in ("safetensors", "json"))
    about = json.loads(text)
    del about["fingerprint"]
    about["architecture"][field] = value
    model = model_or_message(folder, content, json.dumps(about).encode())
    assert model is None or all(isinstance(choice, bool) for choice in (model.causal, model.root_relative))
    (folder / "mine.json").write_bytes(text)


@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda f: (f / "mine.json").write_text("[" * 10**5), "mine.json is no JSON"),
        (lambda f: (f / "mine.json").write_text('{"a":' * 10**5), "mine.json is no JSON"),
        (lambda f: (f / "mine.json").write_bytes(b"\xff\xfe{}"), "mine.json is no JSON"),
        (lambda f: rewrite(f, architecture={"channels": 10**6}), "mine.safetensors is not what mine.json was written"),
        (
            lambda f: rewrite(f, keep_fingerprint=False, architecture={"channels": 10**6}),
            "mine: the weights do not fit",
        ),
        (
            lambda f: rewrite(f, keep_fingerprint=False, architecture={"channels": 10**40}),
            "mine: the weights do not fit",
        ),
        (lambda f: rewrite(f, network="tutorial_lib.lifting.SingleFrameLifter"), "mine.safetensors is not what"),
        (lambda f: change_weights(f, lambda t: t["shrink.bias"].fill_(torch.nan)), "shrink.bias holds NaN"),
        (lambda f: change_weights(f, lambda t: t["shrink.bias"].fill_(torch.inf)), "shrink.bias holds NaN or inf"),
        (lambda f: change_weights(f, lambda t: t["expand_bn.running_var"].neg_()), "running_var holds negative"),
        (lambda f: change_weights(f, lambda t: t.pop("shrink.bias")), "shrink.bias is None, expected"),
        (lambda f: change_weights(f, lambda t: t.update(more=torch.ones(2))), "more is .*, expected None"),
        (
            lambda f: change_weights(f, lambda t: t.update({"shrink.bias": torch.ones(51).int()})),
            "shrink.bias is .*int32",
        ),
    ],
)
def test_what_is_wrong_is_named(folder, damage, message):
    damage(folder)
    with pytest.raises(ValueError, match=message):
        checkpoints.load("mine", folder=folder)


def test_other_settings_or_weights_of_equal_shapes_are_noticed(folder):
    architecture = checkpoints.record("mine", folder)["architecture"]
    text = (folder / "mine.json").read_text()
    rewrite(folder, architecture=architecture | {"causal": False})
    with pytest.raises(ValueError, match="restore both files"):
        checkpoints.load("mine", folder=folder)
    (folder / "mine.json").write_text(text)
    checkpoints.save(TemporalLifter(3, 4, causal=True), "other", {}, folder)
    (folder / "other.safetensors").rename(folder / "mine.safetensors")
    with pytest.raises(ValueError, match="mine.safetensors is not what mine.json was written with"):
        checkpoints.load("mine", folder=folder)


def test_notes_may_be_added_to_a_record(folder):
    rewrite(folder, test_rates={"alone": 0.1})
    assert checkpoints.load("mine", folder=folder).causal


def test_a_checkpoint_without_a_fingerprint_is_read_as_before(folder):
    rewrite(folder, keep_fingerprint=False)
    assert checkpoints.load("mine", folder=folder).causal


@pytest.mark.parametrize("name", NAMES + ["heads/world-rle-4", "integral/integral", "templates/main"])
def test_every_shipped_checkpoint_has_a_fingerprint(name):
    assert len(checkpoints.record(name)["fingerprint"]) == 64


@pytest.mark.parametrize("name", [None, 5, ["mine"], b"mine"])
def test_a_name_that_is_no_text_is_refused_with_those_there_are(folder, name):
    with pytest.raises(ValueError, match="name is .* expected one of: mine"):
        checkpoints.load(name, folder=folder)


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "", "../mine", "mine.json"])
def test_a_name_that_no_file_can_have_is_refused(folder, name):
    with pytest.raises(ValueError, match="name is .* but there is no"):
        checkpoints.load(name, folder=folder)


@pytest.mark.parametrize(
    "network",
    [
        "tutorial_lib.checkpoints.json.dumps",
        "tutorial_lib.folders.os.system",
        "tutorial_lib.checkpoints.nn.Linear",
        "tutorial_lib.lifting.TemporalLifter.lift",
        "tutorial_lib.nowhere.Net",
        "tutorial_lib.",
        "os.system",
        None,
    ],
)
def test_a_record_cannot_choose_what_code_runs(folder, network):
    rewrite(folder, keep_fingerprint=False, network=network)
    with pytest.raises(ValueError, match="expected a class of tutorial_lib: restore"):
        checkpoints.load("mine", folder=folder)


def test_weights_that_half_precision_cannot_hold_are_kept_whole_and_nan_is_never_written(folder):
    model = SingleFrameLifter(4)
    with torch.no_grad():
        model.shrink.bias[0] = 1e6
    checkpoints.save(model, "large", {}, folder)
    assert checkpoints.load("large", folder=folder).shrink.bias[0] == 1e6
    with torch.no_grad():
        model.shrink.bias[0] = torch.nan
    with pytest.raises(ValueError, match="shrink.bias holds NaN or infinity"):
        checkpoints.save(model, "spoiled", {}, folder)
    assert "spoiled" not in checkpoints.names(folder)
