"""What looks, places and photos have in common: one row a picture."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, ClassVar, Self, TypeVar

import torch

SomeBatch = TypeVar("SomeBatch", bound="Batch")


class Batch:
    """A frozen dataclass whose fields are tensors with one row a picture."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def __len__(self) -> int:
        return getattr(self, fields(self)[0].name).shape[0]

    def _map(self, change: Callable[[torch.Tensor], torch.Tensor]) -> Self:
        return type(self)(**{field.name: change(getattr(self, field.name)) for field in fields(self)})

    def select(self, index: Any) -> Self:
        """The rows of `index`: a list, a slice, an integer or boolean tensor. One integer gives a batch of one."""
        if isinstance(index, int):
            if not -len(self) <= index < len(self):
                raise IndexError(f"index is {index}, expected one of the {len(self)} rows")
            index = [index]
        return self._map(lambda value: value[index])

    __getitem__ = select

    def repeat(self, count: int) -> Self:
        """Every row `count` times in turn: one person (or place) for `count` pictures."""
        return self._map(lambda value: value.repeat_interleave(count, dim=0))

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """The same on another device; a dtype changes the floating-point fields only."""
        device_only = [a for a in args if not isinstance(a, torch.dtype)]
        rest = {k: v for k, v in kwargs.items() if k != "dtype"}

        def move(value: torch.Tensor) -> torch.Tensor:
            if value.is_floating_point():
                return value.to(*args, **kwargs)
            return value.to(*device_only, **rest) if device_only or rest else value

        return self._map(move)


def cat(batches: Sequence[SomeBatch]) -> SomeBatch:
    """Several batches of one kind as one."""
    kind = type(batches[0])
    return kind(**{f.name: torch.cat([getattr(b, f.name) for b in batches]) for f in fields(kind)})
