"""Which route a path is of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from chalicelib.web.route import Route


class Match(NamedTuple):
    """The routes of a path by method, and its parameters as they stand in it."""

    routes: Mapping[str, Route]
    captured: Mapping[str, str]


@dataclass(slots=True)
class _Part:
    """What may follow in a path: parts that are written out, or else a parameter."""

    routes: dict[str, Route] = field(default_factory=dict)
    named: dict[str, _Part] = field(default_factory=dict)
    parameter: str = ""
    open: _Part | None = None


class Matcher:
    """The routes as a tree of the parts of their paths. A part that is written out goes before a parameter."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Part()
        for route in routes:
            part = self._root
            for name in _parts(route.path):
                part = _follow(part, name)
            part.routes.update(dict.fromkeys(route.methods, route))

    def match(self, path: str) -> Match | None:
        """The routes at the path, of which one more slash at the end makes no other one."""
        part, captured = self._root, {}
        for name in _parts(path):
            if name in part.named:
                part = part.named[name]
            elif part.open is not None and name:
                captured[part.parameter] = name
                part = part.open
            else:
                return None
        return Match(part.routes, captured) if part.routes else None


def _follow(part: _Part, name: str) -> _Part:
    if not name.startswith("{"):
        return part.named.setdefault(name, _Part())
    part.parameter, part.open = name[1:-1], part.open or _Part()
    return part.open


def _parts(path: str) -> list[str]:
    one_more = len(path) > 1 and path.endswith("/") and not path.endswith("//")
    return path[:-1].split("/") if one_more else path.split("/")
