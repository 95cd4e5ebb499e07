"""Small trained networks that ship with the course: safetensors beside a JSON that says what each one saw."""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from tutorial_lib.lifting import TemporalLifter

FOLDER = Path(__file__).resolve().parent

CREDIT = (
    "The data used in this project was obtained from mocap.cs.cmu.edu. "
    "The database was created with funding from NSF EIA-0196217."
)


def names(folder: Path = FOLDER) -> list[str]:
    """The checkpoints that are there."""
    return sorted(path.stem for path in folder.glob("*.safetensors"))


def save(model: TemporalLifter, name: str, record: dict, folder: Path = FOLDER) -> Path:
    """Write `name.safetensors` (half precision: half the size, errors change by less than 0.1 mm) and `name.json`.

    Args:
        record: settings, data, seed, measured metrics; the architecture is added.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        key: value.half().contiguous() if value.is_floating_point() else value
        for key, value in model.state_dict().items()
    }
    path = folder / f"{name}.safetensors"
    save_file(tensors, path)
    architecture = {"frames": model.frames, "channels": model.channels, "causal": model.causal}
    text = json.dumps({"name": name, "architecture": architecture, **record}, indent=1)
    path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
    return path


def record(name: str, folder: Path = FOLDER) -> dict:
    """The JSON of a checkpoint.

    Raises:
        ValueError: there is no such checkpoint (the message lists those there are), or its JSON is damaged.
    """
    path = folder / f"{name}.json"
    if not path.is_file():
        raise ValueError(f"name is {name!r}, but there is no {path.name}; there are: {', '.join(names(folder))}")
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path.name} is no JSON ({error}): restore the file") from error
    if not isinstance(about, dict):
        raise ValueError(f"{path.name} holds a {type(about).__name__}, expected an object: restore the file")
    return about


def load(name: str, device: torch.device | str = "cpu", folder: Path = FOLDER) -> TemporalLifter:
    """A trained lifter in eval mode.

    Raises:
        ValueError: as `record`; weights that are missing, damaged or do not fit the architecture in the JSON.
    """
    about = record(name, folder)
    path = folder / f"{name}.safetensors"
    if not path.is_file():
        raise ValueError(f"{path.name} is missing beside its JSON: run `make checkpoints` or restore the file")
    try:
        model = TemporalLifter(**about["architecture"], dropout=0.0)
    except (KeyError, TypeError) as error:
        raise ValueError(f"{name}.json names no architecture of a lifter ({error}): restore the file") from error
    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{path.name} is cut off or no safetensors file ({error}): restore it") from error
    model.load_videopose3d({key: t.float() if t.is_floating_point() else t for key, t in tensors.items()})
    return model.eval().to(device)
