"""Townships that a name of a report may stand for where the table has no such township: those whose rank changed,
whose people is left out or added, and those with a character that pages replace."""

from __future__ import annotations

import re
from collections.abc import Iterable

from chalicelib import divisions
from chalicelib.divisions import Division
from chalicelib.reading import township_names

_RANK = re.compile("(?:街道办事处|街道|[镇乡]|苏木|地区|[农林牧]场)$")


def find_namesakes(name: str, uppers: Iterable[str]) -> list[Division]:
    """The townships below `uppers`, in order, that have the stem of `name` or all of it as their stem, or that `name`
    spells without a rare character."""
    stems = {township_stem(name), name}
    return [
        d
        for upper in uppers
        for d in divisions.townships_in(upper)
        if township_stem(d.name) in stems or _spells(name, d.name)
    ]


def is_same(name: str, other: str) -> bool:
    """Whether the names differ in the names of peoples and in 办事处 alone: then it is the same township."""
    return plain_name(name) == plain_name(other)


def township_stem(name: str) -> str:
    """A township's name without its people and rank: what stays when a 乡 becomes a 镇 or a 街道."""
    return _RANK.sub("", plain_name(name))


def plain_name(name: str) -> str:
    """A township's name without its people and without the 办事处 behind 街道."""
    return township_names.without_people(name.removesuffix("办事处") if name.endswith("街道办事处") else name)


def _spells(name: str, full: str) -> bool:
    """Whether `name` is `full` but for a character outside GB 2312, where pages print another, its parts, or nothing:
    `湖父镇` for `湖㳇镇`."""
    if _is_plain(full):
        return False
    pattern = "".join(re.escape(char) if _is_plain(char) else ".{0,3}" for char in full)
    return re.fullmatch(pattern, name) is not None


def _is_plain(text: str) -> bool:
    try:
        text.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True
