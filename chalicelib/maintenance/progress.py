"""How far a walk over a collection has come."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """Gives back what it is given, and tells of it on the way."""

    def __call__(self, items: Iterable[T], unit: str) -> Iterable[T]: ...


def silent(items: Iterable[T], unit: str) -> Iterable[T]:  # noqa: ARG001
    return items


def bar(items: Iterable[T], unit: str) -> Iterator[T]:
    """A bar on stderr, where that is a terminal."""
    from tqdm import tqdm

    yield from tqdm(items, unit=f" {unit}", file=sys.stderr, disable=None)
