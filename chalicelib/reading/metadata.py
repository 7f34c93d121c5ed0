"""What the page says of the report outside its body: labels and their values, in one line, in lists or in tables."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, time
from functools import cache
from pathlib import Path

RULES = Path(__file__).resolve().parent.parent / "rules" / "metadata.csv"
LONGEST = 600  # characters of a line that holds metadata

Values = dict[str, list[str]]
Pairs = list[tuple[str, str]]

_BLANK = r"[ \u00a0\u3000]{0,4}"
_TIME = r"(?:[T\s]{1,4}(\d{1,2})[:：时](\d{2})(?:[:：分](\d{2}))?)?"
_DATE = re.compile(r"(?<!\d)(\d{4})\s?[-/.年]\s?(\d{1,2})\s?[-/.月]\s?(\d{1,2})(?!\d)(?:\s?日)?" + _TIME)
_LEAD = re.compile(rf"[\s|｜【\[(（•·*◆◇●○■□★☆▲△▪-]{{0,20}}({_DATE.pattern})?[\s|｜】\])）]{{0,20}}")
# A site's name may lead the line, set off by a wide gap.
_SITE = re.compile(r"[^\s。；，,：:|]{2,30}(?:[ \u00a0]{2,40}|[\t\u3000]{1,20})")
_CHINESE_DATE = re.compile(
    "([一二三四五六七八九〇○零０oO]{4})年([一二三四五六七八九十]{1,2})月([一二三四五六七八九十]{1,3})日"
)
_DIGITS = {**{c: i for i, c in enumerate("〇一二三四五六七八九")}, **dict.fromkeys("○零０oO", 0)}
_EDGES = " \t\u00a0\u3000|｜：:;；,，【】[]()（）•·*◆◇●○■□★☆▲△▪"


@dataclass(frozen=True, slots=True)
class Label:
    name: str
    field: str
    bare: bool
    example: str
    value: str


@cache
def labels() -> tuple[Label, ...]:
    """The rows of `rules/metadata.csv`, longest name first."""
    with RULES.open(encoding="utf-8", newline="") as file:
        rows = [
            Label(r["label"], r["field"], r["bare"] == "yes", r["example"], r["value"]) for r in csv.DictReader(file)
        ]
    return tuple(sorted(rows, key=lambda row: -len(row.name)))


@cache
def _fields() -> dict[str, str]:
    return {label.name: label.field for label in labels()}


@cache
def _pattern() -> re.Pattern[str]:
    """A label: one that needs no colon, or any label before a colon, a cell's border or the line's end."""
    first = "".join(sorted({label.name[0] for label in labels()}))
    bare = "|".join(_BLANK.join(label.name) for label in labels() if label.bare)
    weak = "|".join(_BLANK.join(label.name) for label in labels() if not label.bare)
    colon = rf"{_BLANK}(?:[：:]|\||$)"
    return re.compile(
        rf"(?=[{first}])(?:(?P<bare>{bare}){_BLANK}(?:[：:]|\|)?|(?<![\u4e00-\u9fff])(?P<weak>{weak}){colon})"
    )


@cache
def _begins() -> re.Pattern[str]:
    """What a line of labels begins with: a label's first character, a bullet or a date, a site's name and its gap.

    One look spares the paragraphs of a report all that is tried on labels.
    """
    first = re.escape("".join({label.name[0] for label in labels()}))
    return re.compile(rf"[\s|｜【\[(（•·*◆◇●○■□★☆▲△▪\])）\-\d{first}]|{_SITE.pattern}")


def read_pairs(line: str) -> Pairs | None:
    """Label and value, in order, of a line that holds nothing else; a label without value has ''.

    None where the line does not begin with a label (after a bullet or a date).
    """
    if len(line) > LONGEST or _begins().match(line) is None:
        return None
    begin = _LEAD.match(line)
    if begin is None:
        return None
    at = begin.end()
    if not _pattern().match(line, at):
        site = _SITE.match(line, at)
        if site is None or not _pattern().match(line, at := site.end()):
            return None
    found = list(_pattern().finditer(line, at))
    lead = begin.group(1)
    pairs = [("发布时间", lead)] if lead else []
    ends = [match.start() for match in found[1:]] + [len(line)]
    for match, end in zip(found, ends, strict=True):
        name = "".join((match.group("bare") or match.group("weak")).split())
        pairs.append((name, line[match.end() : end].strip(_EDGES)))
    return pairs


def is_metadata(line: str) -> bool:
    """Whether the line holds labels and their values and nothing else: no value reads as a sentence."""
    return is_labels(read_pairs(line))


def is_labels(pairs: Pairs | None) -> bool:
    """As `is_metadata`, by what `read_pairs` gives for the line."""
    return pairs is not None and not any(_is_sentence(value) for _, value in pairs)


def _is_sentence(value: str) -> bool:
    return len(value) > 40 and any(stop in value for stop in "。；")


def collect(lines: Iterable[str]) -> Values:
    """All values by field, in the order of the page; a label alone takes its value from the next line."""
    values: Values = {}
    waiting = ""
    for line in lines:
        text = line.strip(_EDGES)
        if not text:
            continue
        pairs = read_pairs(line.strip())
        if pairs is None:
            if is_value(waiting, text):
                values.setdefault(waiting, []).append(text)
            waiting = ""
            continue
        for name, value in pairs:
            if value and _fields()[name]:
                values.setdefault(_fields()[name], []).append(value)
        waiting = "" if pairs[-1][1] else _fields()[pairs[-1][0]]
    return values


def open_field(pairs: Pairs | None) -> str:
    """The field of the label that ends the line of these pairs without a value, '' if there is none."""
    return _fields()[pairs[-1][0]] if pairs and not pairs[-1][1] else ""


def is_value(field: str, text: str) -> bool:
    """Whether a line below the bare label of `field` can be its value."""
    if field in {"written", "sent", "published"}:
        return len(text) <= 40 and iso_date(text) is not None
    if field == "index_number":
        return len(text) <= 60 and any(c.isdigit() for c in text) and "年" not in text
    return (
        field in {"issuer", "source", "publisher", "author"} and len(text) <= 30 and not any(c.isdigit() for c in text)
    )


def add_meta(values: Values, meta: Mapping[str, str]) -> None:
    """Add what the HTML's own `<meta>` names say, after what the page prints."""
    for name, field in (
        ("pubdate", "published"),
        ("publishdate", "published"),
        ("contentsource", "source"),
        ("source", "source"),
    ):
        if meta.get(name, "").strip():
            values.setdefault(field, []).append(meta[name].strip())


def first_date(values: Values, *fields: str) -> str | None:
    """The first valid date of the fields, in their order, as ISO without time."""
    return next((iso[:10] for field in fields for value in values.get(field, ()) if (iso := iso_date(value))), None)


def iso_date(value: str) -> str | None:
    """`2023-06-20`, with `T10:15` where a time stands behind it; None where the value holds no valid date."""
    value = unicodedata.normalize("NFKC", value)  # ２０１９－０１－１５
    if found := _DATE.search(value):
        year, month, day, *clock = (int(part) if part else None for part in found.groups())
    elif chinese := _CHINESE_DATE.search(value):
        year = int("".join(str(_DIGITS[c]) for c in chinese.group(1)))
        month, day, clock = _chinese_number(chinese.group(2)), _chinese_number(chinese.group(3)), []
    else:
        return None
    try:
        iso = date(year or 0, month or 0, day or 0).isoformat()
        if not clock or clock[0] is None:
            return iso
        at = time(clock[0], clock[1] or 0, clock[2] or 0)
    except ValueError:
        return None
    return f"{iso}T{at.isoformat('minutes' if clock[2] is None else 'seconds')}"


def _chinese_number(text: str) -> int:
    tens, ten, ones = text.rpartition("十")
    return (_DIGITS.get(tens, 1) * 10 if ten else 0) + _DIGITS.get(ones, 0)
