"""Small trained networks that ship with the course: safetensors beside a JSON that says what each one saw."""

import hashlib
import json
import pkgutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors.torch import load as load_bytes
from safetensors.torch import save as save_bytes
from torch import nn

from tutorial_lib.folders import write_whole
from tutorial_lib.locking import interrupts_later

Network = TypeVar("Network", bound=nn.Module)

FOLDER = Path(__file__).resolve().parent

CREDIT = (
    "The data used in this project was obtained from mocap.cs.cmu.edu. "
    "The database was created with funding from NSF EIA-0196217."
)


def names(folder: Path = FOLDER) -> list[str]:
    """The checkpoints that are there; lessons may have folders: `names(FOLDER / "temporal")`."""
    return sorted(path.stem for path in folder.glob("*.safetensors"))


def store(tensors: dict[str, torch.Tensor], name: str, architecture: dict, record: dict, folder: Path = FOLDER) -> Path:
    """Write `name.safetensors` (half precision: half the size, errors change by less than 0.1 mm) and `name.json`.

    The JSON holds a fingerprint of both, so that neither can be changed or exchanged unseen.

    Args:
        tensors: what to keep, such as a `state_dict`.
        name: may begin with a lesson's folder, such as "temporal/lifter-27f".
        architecture: what the model's constructor needs to build it again.
        record: settings, data, seed, measured metrics.
        folder: where the checkpoints are.

    Raises:
        ValueError: tensors with NaN or infinity.
    """
    path = folder / f"{name}.safetensors"
    content = save_bytes({key: _halved(value, key).contiguous() for key, value in tensors.items()})
    about = {"name": name, "architecture": architecture, **record}
    about["fingerprint"] = _fingerprint(about, content)
    text = json.dumps(about, indent=1)

    def write(half: Path) -> None:
        half.write_bytes(content)
        # Only now: where weights are, the checkpoint counts as finished, so their JSON must be there before them.
        write_whole(path.with_suffix(".json"), lambda beside: beside.write_text(text + "\n", encoding="utf-8"))

    write_whole(path, write)
    return path


def _halved(value: torch.Tensor, key: str) -> torch.Tensor:
    """Half precision, unless that cannot hold the values."""
    if not value.is_floating_point():
        return value
    if not value.isfinite().all():
        raise ValueError(f"tensors: {key} holds NaN or infinity, expected finite weights: did the training diverge?")
    return value.half() if value.half().isfinite().all() else value.float()


def _fingerprint(about: dict, content: bytes) -> str:
    """Of the weights and of the settings that they mean nothing without: both are from one training, or it differs."""
    settings = json.dumps([about.get("network"), about.get("architecture")], sort_keys=True)
    return hashlib.sha256(settings.encode() + content).hexdigest()


def save(model: Any, name: str, record: dict, folder: Path = FOLDER) -> Path:
    """Write a network that knows its own `architecture`, such as a lifter, so that `load` can build it again.

    Args:
        model: a module whose `architecture` holds what its constructor needs.
        name: as `store`.
        record: as `store`.
        folder: as `store`.
    """
    room = ".".join(type(model).__module__.split(".")[:2])  # its face, which stays where files inside may move
    network = f"{room}.{type(model).__qualname__}"
    return store(model.state_dict(), name, model.architecture, {"network": network, **record}, folder)


def record(name: str, folder: Path = FOLDER) -> dict:
    """The JSON of a checkpoint.

    Raises:
        ValueError: there is no such checkpoint (the message lists those there are), or its JSON is damaged.
    """
    if not isinstance(name, str):
        raise ValueError(f"name is {name!r}, expected one of: {', '.join(names(folder))}")
    path = folder / f"{name}.json"
    if not _is_file(path):
        known = ", ".join((Path(name).parent / other).as_posix() for other in names(path.parent))
        raise ValueError(f"name is {name!r}, but there is no {path.name}; there are: {known}")
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError, RecursionError) as error:
        raise ValueError(f"{path.name} is no JSON ({error}): restore the file") from error
    if not isinstance(about, dict):
        raise ValueError(f"{path.name} holds a {type(about).__name__}, expected an object: restore the file")
    return about


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that no file can have: too long, or with a NUL
        return False


def weights(name: str, folder: Path = FOLDER) -> tuple[dict, dict[str, torch.Tensor]]:
    """The JSON of a checkpoint, and its tensors in single precision.

    Raises:
        ValueError: as `record`; weights that are missing, damaged or not finite, a JSON without an architecture, or
            whose network or architecture is not the one that these weights were stored with.
    """
    about = record(name, folder)
    path = folder / f"{name}.safetensors"
    if not path.is_file():
        raise ValueError(f"{path.name} is missing beside its JSON: run `make checkpoints` or restore the file")
    if not isinstance(about.get("architecture"), dict):
        raise ValueError(f"{name}.json names no architecture: restore the file")
    content = path.read_bytes()
    try:
        tensors = load_bytes(content)
    except Exception as error:  # its header is JSON of whoever wrote it, and the parser checks little of that
        raise ValueError(f"{path.name} is cut off or no safetensors file ({error}): restore it") from error
    # Checkpoints of version 1.0 have none.
    if "fingerprint" in about and about["fingerprint"] != _fingerprint(about, content):
        raise ValueError(
            f"{path.name} is not what {name}.json was written with, or one of the two was changed: restore both files"
        )
    for key, value in tensors.items():
        if not value.isfinite().all():
            raise ValueError(f"{path.name}: {key} holds NaN or infinity: restore the file or train again")
        if key.endswith("running_var") and (value < 0).any():
            raise ValueError(f"{path.name}: {key} holds negative variances: restore the file or train again")
    return about, {key: t.float() if t.is_floating_point() else t for key, t in tensors.items()}


def fill(build: Callable[[], Network], tensors: Mapping[str, torch.Tensor], name: str) -> Network:
    """The network that `build` makes, with these weights, in eval mode.

    It is made twice, first on the meta device: whatever size a damaged JSON asks for, no memory is taken before the
    weights are known to have it.

    Args:
        build: makes the network from what the JSON says; whatever it raises says that the JSON is wrong.
        tensors: its `state_dict`.
        name: of the checkpoint, for the message.

    Raises:
        ValueError: weights that do not fit.
    """
    try:
        with interrupts_later(), torch.device("meta"):  # some initialisers import torch's compiler there
            expected = build().state_dict()
        kinds, given = ({key: (tuple(t.shape), t.dtype) for key, t in d.items()} for d in (expected, tensors))
        wrong = sorted(key for key in {**kinds, **given} if kinds.get(key) != given.get(key))
        if wrong:
            key = wrong[0]
            raise ValueError(f"{key} is {given.get(key)}, expected {kinds.get(key)}")
        model = build()
        model.load_state_dict(tensors)
    except Exception as error:
        raise ValueError(
            f"{name}: the weights do not fit the architecture in its JSON ({error}): restore both files"
        ) from error
    return model.eval()


def load(name: str, device: torch.device | str = "cpu", folder: Path = FOLDER) -> Any:
    """A trained network in eval mode, of the class that its JSON names.

    Args:
        name: such as "ours-9f" or "temporal/lifter-27f".
        device: where it shall be.
        folder: where the checkpoint is.

    Raises:
        ValueError: as `weights`; a JSON that names no network of this library; weights that do not fit it.
    """
    about, tensors = weights(name, folder)
    network = _network(about.get("network"))
    if network is None:
        raise ValueError(
            f"{name}.json says network {about.get('network')!r}, expected a class of tutorial_lib: restore the file"
        )
    return fill(lambda: network(**about["architecture"]), tensors, name).to(device)


def _network(path: object) -> type[nn.Module] | None:
    """This library's network of that name. A JSON from elsewhere must not choose what code runs.

    It is not enough that the name begins well: "tutorial_lib.folders.os.system" is a name, too.
    """
    package = __name__.partition(".")[0]
    if not isinstance(path, str) or not path.startswith(f"{package}."):
        return None
    try:
        found = pkgutil.resolve_name(path)
    except (ImportError, AttributeError, ValueError):
        return None
    ours = isinstance(found, type) and issubclass(found, nn.Module) and found.__module__.startswith(f"{package}.")
    return found if ours else None
