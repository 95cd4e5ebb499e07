"""Small trained networks that ship with the course: safetensors beside a JSON that says what each one saw."""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from tutorial_lib.lifting import TemporalLifter
from tutorial_lib.lifting.single_frame import SingleFrameLifter

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
        name: may begin with a lesson's folder, such as "temporal/lifter-27f".
        architecture: what the model's constructor needs to build it again.
        record: settings, data, seed, measured metrics.
    """
    path = folder / f"{name}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    halved = {
        key: value.half().contiguous() if value.is_floating_point() else value.contiguous()
        for key, value in tensors.items()
    }
    save_file(halved, path)
    text = json.dumps({"name": name, "architecture": architecture, **record}, indent=1)
    path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
    return path


def save(model: TemporalLifter | SingleFrameLifter, name: str, record: dict, folder: Path = FOLDER) -> Path:
    """Write a lifter of 17 joints (`TemporalLifter`: filters of width 3); its architecture is added to the record.

    Args:
        name, record, folder: as `store`.
    """
    architecture = {"frames": model.frames, "channels": model.channels}
    if isinstance(model, TemporalLifter):
        architecture["causal"] = model.causal
    if model.outputs != model.joints:
        architecture["outputs"] = model.outputs
    return store(model.state_dict(), name, architecture, record, folder)


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


def load(name: str, device: torch.device | str = "cpu", folder: Path = FOLDER) -> TemporalLifter | SingleFrameLifter:
    """A trained lifter in eval mode.

    Raises:
        ValueError: as `weights`; weights that do not fit the architecture in the JSON.
    """
    about, tensors = weights(name, folder)
    architecture = about["architecture"]
    try:
        if architecture.get("frames") == 1:
            kept = {key: value for key, value in architecture.items() if key != "frames"}
            model = SingleFrameLifter(**kept, dropout=0.0)
        else:
            model = TemporalLifter(**architecture, dropout=0.0)
    except (KeyError, TypeError) as error:
        raise ValueError(f"{name}.json names no architecture of a lifter ({error}): restore the file") from error
    if isinstance(model, TemporalLifter):
        model.load_videopose3d(tensors)
    else:
        try:
            model.load_state_dict(tensors)
        except RuntimeError as error:
            raise ValueError(f"{name}: the weights do not fit the architecture in its JSON ({error})") from error
    return model.eval().to(device)
