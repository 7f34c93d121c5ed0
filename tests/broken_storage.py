"""A storage that does something else before or after one of its calls: fail, die, or let another one work meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from chalicelib.storage import Storage

WRITES = frozenset(("put", "put_new", "put_file", "put_blocks", "delete", "delete_unchanged", "commit", "write"))
READS = frozenset(("get", "stat", "query"))


class Death(BaseException):
    """The end of a process: nothing catches it, nothing is tidied up."""


class Breaking:
    """A storage's half; `step` is called before and after each call of `names`, and may raise."""

    def __init__(self, inner: Any, names: Collection[str], step: Callable[[bool], None]) -> None:
        self._inner, self._names, self._step = inner, names, step

    def __getattr__(self, name: str) -> Any:
        inner = getattr(self._inner, name)
        if name not in self._names:
            return inner

        def call(*arguments: Any, **named: Any) -> Any:
            self._step(False)
            answer = inner(*arguments, **named)
            self._step(True)
            return answer

        return call


class Broken:
    """Acts once, at call number `at` of `names` (from 0), before it is made or `after`; `acted` says whether."""

    def __init__(
        self, storage: Storage, at: int, after: bool, act: Callable[[], object], names: Collection[str] = WRITES
    ) -> None:
        self.acted, self._left, self._after, self._act = False, at, after, act
        halves: Any = [Breaking(half, names, self._step) for half in (storage.objects, storage.index)]
        self.storage = Storage(*halves)

    def _step(self, done: bool) -> None:
        if done != self._after or self.acted:
            return
        self.acted, self._left = self._left == 0, self._left - 1
        if self.acted:
            self._act()


def raising(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act
