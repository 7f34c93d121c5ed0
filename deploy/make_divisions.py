"""Give every row of `rules/divisions.csv.gz` its Latin name. Run: python -m deploy.make_divisions

Readings come from the table of `latin/readings.csv` first: a row holds for the divisions whose code begins with its
`within`, the longest name wins, then the longest `within`. What it leaves is read by pypinyin. A name is written as
words: the proper name, then each common word of it (`Zhen`, `Xian`); a proper name of one syllable is joined to its
common word (`Shexian`). Other customary spellings follow behind slashes.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path

from pypinyin import Style, lazy_pinyin

from chalicelib import divisions
from chalicelib.reading import gazetteer, township_names

TABLES = Path(__file__).resolve().parent / "latin"

_IDEOGRAPHS = re.compile("[\u3400-\u9fff〇\U00020000-\U0003ffff]+")
_INNER = frozenset("省市县区旗盟")  # what one character can be before another common word
_TOWNSHIPS = ("街道", "镇", "乡", "苏木")
LONG = 7  # characters of a proper name that is looked into for common words


def main() -> None:
    """Write the table anew, the same bytes for the same readings."""
    divisions.TABLE.write_bytes(compress(table_text()))


def compress(text: str) -> bytes:
    """The text as gzip without name and time."""
    buffer = io.BytesIO()
    with gzip.GzipFile("", "wb", 9, buffer, mtime=0) as stream:
        stream.write(text.encode())
    return buffer.getvalue()


def table_text() -> str:
    """The table with its columns code, name and latin."""
    table = divisions.table()
    customary = {row["code"]: row["spellings"] for row in read_rows("customary.csv")}
    rows = (
        f"{code},{name},{'/'.join(filter(None, (latin_name(code, name), customary.get(code))))}\n"
        for code, name in zip(table.codes, table.names, strict=True)
    )
    return "code,name,latin\n" + "".join(rows)


def latin_name(code: str, name: str) -> str:
    """The name in pinyin without tones, as words with capitals: `Tingpang Zhen`, `Lu'an Shi`."""
    syllables = iter(read_syllables(code, name))
    words = (join_syllables(list(islice(syllables, size))) for size in word_sizes(code, name))
    return " ".join(filter(None, words))


def word_sizes(code: str, name: str) -> Iterator[int]:
    """The numbers of characters in the words of a name: names of what is above it, its own, its common words."""
    tail: list[int] = []
    end = len(name)
    while name[:end] not in _endings() and (word := _ending(name[:end])):
        if (
            tail
            and len(word) == 1
            and (word not in _INNER or name[end:].startswith(_TOWNSHIPS) or "红旗" in name[:end][-2:])
        ):
            break  # the 市 of `东花市街道` and the 镇 of `景德镇市` are part of the proper name
        tail.append(len(word))
        end -= len(word)
    at = 0
    for digits in (2, 4, 6):
        upper = divisions.get(code[:digits]) if digits < len(code) else None
        for lead in (upper.name, gazetteer.stem(upper.name)) if upper else ():
            if name[at:end].startswith(lead) and len(lead) > 1 and len(lead) + 4 <= end - at:
                yield len(lead)
                at += len(lead)
                break
    if end - at == 1 and tail and tail[-1] == 1:
        tail[-1] = 2
    elif end > at:
        yield from map(len, _inner_words(name[at:end]))
    yield from reversed(tail)


def _ending(name: str) -> str | None:
    """The longest common word or people that ends the name; 林区 and 蒙古 end some proper names too."""
    if name.endswith(("柏林区", "内蒙古")):
        return "区" if name[-1] == "区" else None
    return max(filter(name.endswith, _endings()), key=len, default=None)


def _inner_words(name: str) -> list[str]:
    """A long proper name at the common words within it, any other as it is."""
    return [name] if len(name) < LONG else [part for part in _inner().split(name) if part]


@cache
def _inner() -> re.Pattern[str]:
    longest_first = sorted((word for word in _common() if len(word) > 1), key=lambda word: (-len(word), word))
    return re.compile(f"({'|'.join(longest_first)})")


@cache
def _common() -> tuple[str, ...]:
    return tuple(row["word"] for row in read_rows("words.csv"))


@cache
def _endings() -> tuple[str, ...]:
    return (*_common(), *township_names.words("peoples"))


def read_syllables(code: str, name: str) -> list[str]:
    """One reading for each character; '' for a bracket or dash, the character itself for a letter or digit."""
    found = [sign if sign.isalnum() else "" for sign in name]
    for run in _IDEOGRAPHS.finditer(name):
        found[slice(*run.span())] = lazy_pinyin(run.group(), style=Style.NORMAL, v_to_u=True)
    if len(found) != len(name):
        raise ValueError(f"No reading for a character of {name}")
    at = 0
    while at < len(name):
        size, reading = _known_reading(code, name, at)
        found[at : at + size] = reading or found[at : at + size]
        at += size
    return found


def _known_reading(code: str, name: str, at: int) -> tuple[int, tuple[str, ...]]:
    fits = [
        (len(word), len(within), reading)
        for word, within, reading in _readings().get(name[at], ())
        if name.startswith(word, at) and code.startswith(within)
    ]
    size, _, reading = max(fits, default=(1, 0, ()))
    return size, reading


@cache
def _readings() -> dict[str, list[tuple[str, str, tuple[str, ...]]]]:
    found: dict[str, list[tuple[str, str, tuple[str, ...]]]] = {}
    for row in read_rows("readings.csv"):
        found.setdefault(row["name"][0], []).append((row["name"], row["within"], tuple(row["reading"].split())))
    return found


def join_syllables(syllables: list[str]) -> str:
    """One word: an apostrophe before a later syllable that begins with a vowel, the first letter a capital."""
    word = ""
    for syllable in syllables:
        word += f"'{syllable}" if word and syllable[:1] in set("aeo") else syllable
    return word[:1].upper() + word[1:]


def read_rows(name: str) -> list[dict[str, str]]:
    """The rows of a table of `latin/`."""
    with (TABLES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main()
