"""Small trained networks that ship with the course: safetensors beside a JSON that says what each one saw."""

import json
import pkgutil
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from tutorial_lib.folders import write_whole

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

    Args:
        tensors: what to keep, such as a `state_dict`.
        name: may begin with a lesson's folder, such as "temporal/lifter-27f".
        architecture: what the model's constructor needs to build it again.
        record: settings, data, seed, measured metrics.
        folder: where the checkpoints are.
    """
    path = folder / f"{name}.safetensors"
    halved = {
        key: value.half().contiguous() if value.is_floating_point() else value.contiguous()
        for key, value in tensors.items()
    }
    text = json.dumps({"name": name, "architecture": architecture, **record}, indent=1)

    def write(half: Path) -> None:
        save_file(halved, half)
        # Only now: where weights are, the checkpoint counts as finished, so their JSON must be there before them.
        write_whole(path.with_suffix(".json"), lambda beside: beside.write_text(text + "\n", encoding="utf-8"))

    write_whole(path, write)
    return path


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
    path = folder / f"{name}.json"
    if not path.is_file():
        known = ", ".join((Path(name).parent / other).as_posix() for other in names(path.parent))
        raise ValueError(f"name is {name!r}, but there is no {path.name}; there are: {known}")
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path.name} is no JSON ({error}): restore the file") from error
    if not isinstance(about, dict):
        raise ValueError(f"{path.name} holds a {type(about).__name__}, expected an object: restore the file")
    return about


def weights(name: str, folder: Path = FOLDER) -> tuple[dict, dict[str, torch.Tensor]]:
    """The JSON of a checkpoint, and its tensors in single precision.

    Raises:
        ValueError: as `record`; weights that are missing or damaged, a JSON without an architecture.
    """
    about = record(name, folder)
    path = folder / f"{name}.safetensors"
    if not path.is_file():
        raise ValueError(f"{path.name} is missing beside its JSON: run `make checkpoints` or restore the file")
    if not isinstance(about.get("architecture"), dict):
        raise ValueError(f"{name}.json names no architecture: restore the file")
    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{path.name} is cut off or no safetensors file ({error}): restore it") from error
    return about, {key: t.float() if t.is_floating_point() else t for key, t in tensors.items()}


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
    network = about.get("network")
    # Only this library's own classes: a JSON from elsewhere must not choose what code runs.
    if not isinstance(network, str) or not network.startswith(f"{__name__.partition('.')[0]}."):
        raise ValueError(f"{name}.json says network {network!r}, expected a class of tutorial_lib: restore the file")
    try:
        model = pkgutil.resolve_name(network)(**about["architecture"])
        model.load_state_dict(tensors)
    except (ImportError, AttributeError, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name}: the weights do not fit the architecture in its JSON ({error})") from error
    return model.eval().to(device)
