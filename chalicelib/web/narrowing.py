"""Rows with some of their members alone, by the parameter `fields`.

A field is a member (`evidence`), a member of one (`evidence.quote`), or a column of the row's CSV (`quote`). Where a name
is both, a column is meant in CSV, and a member elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import orjson

from chalicelib import tables
from chalicelib.tables import Column

# The members below a member; None for one that is taken whole.
Tree = dict[str, "Tree | None"]


@cache
def fields(schema: str) -> tuple[str, ...]:
    """All that rows of this schema may be asked for: members in its order, then columns with names of their own."""
    return tuple(dict.fromkeys([*_paths(schema), *_by_name(schema)]))


def chosen_columns(schema: str, names: Sequence[str]) -> tuple[Column, ...]:
    """The columns that the fields stand for, in their order; all of those below a member that has some."""
    paths, named = _paths(schema), _by_name(schema)
    every = [[named[name]] if name in named else paths[name] for name in names]
    return tuple(dict.fromkeys(column for some in every for column in some))


def cut_rows(schema: str, names: Sequence[str], rows: Sequence[Any]) -> list[Any]:
    """The rows with these members alone, in the order of the fields; what a row does not have stays out."""
    paths, named, tree = _paths(schema), _by_name(schema), Tree()
    for name in names:
        _add(tree, name.split(".") if name in paths else _steps(named[name]))
    return [_cut(row, tree) for row in orjson.loads(orjson.dumps(rows))]


@cache
def _paths(schema: str) -> dict[str, list[Column]]:
    """The columns of each member, by the names that lead to it with dots between."""
    found: dict[str, list[Column]] = {}
    for column in tables.columns(schema):
        steps = _steps(column)
        for end in range(1, len(steps) + 1):
            found.setdefault(".".join(steps[:end]), []).append(column)
    return found


@cache
def _by_name(schema: str) -> dict[str, Column]:
    return {column.name: column for column in tables.columns(schema)}


def _steps(column: Column) -> list[str]:
    return [step for step in column.path if isinstance(step, str)]


def _add(tree: Tree, steps: Sequence[str]) -> None:
    first, *rest = steps
    if not rest:
        tree[first] = None
    elif (below := tree.setdefault(first, {})) is not None:
        _add(below, rest)


def _cut(value: Any, tree: Tree | None) -> Any:
    if tree is None or value is None:
        return value
    return {name: _cut(value[name], below) for name, below in tree.items() if name in value}
