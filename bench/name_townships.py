"""How the titles of all townships resolve: right, open or wrong. Run: python -m bench.name_townships [STEP]

Each township is named in a title as its county and name, its name alone, the county's short form and name, and the
prefecture and name, on a page that says nothing else. STEP takes every so many of them. Everything wrong is printed;
a name alone is `open` where several townships have it.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence

from chalicelib import divisions
from chalicelib.reading import gazetteer
from chalicelib.reading.model import Page
from chalicelib.reading.townships import resolve_township

OUTCOMES = ("right", "open", "wrong")
LONGEST_SHORT = 5  # nobody shortens `长春净月高新技术产业开发区` by its last character


def main(arguments: Sequence[str]) -> int:
    """Print what is wrong, then a row a form."""
    step = int(arguments[0]) if arguments else 1
    table: Counter[tuple[str, str]] = Counter()
    for code in township_codes()[::step]:
        for form, title in titles(code):
            found = resolve(title)
            outcome = "open" if found is None else OUTCOMES[2 * (found != code)]
            table[form, outcome] += 1
            if outcome == "wrong":
                print(f"wrong: {form}: {title} is {code}, found {found}")
    print(f"{'':20}{''.join(f'{outcome:>8}' for outcome in OUTCOMES)}")
    for form in dict.fromkeys(form for form, _ in table):
        print(f"{form:20}{''.join(f'{table[form, outcome]:8}' for outcome in OUTCOMES)}")
    return 0


def township_codes() -> list[str]:
    """Every township's code, in order."""
    return [code for code in divisions.table().codes if len(code) == 9]


def titles(code: str) -> Iterator[tuple[str, str]]:
    """The forms in which a title names the township, each with the words; forms that its place does not have are left
    out."""
    place = divisions.place(code)
    name, county = place["name"] or "", place["county"] or place["prefecture"] or ""
    short = gazetteer.stem(county)
    yield "county and name", county + name
    yield "name alone", name
    if 1 < len(short) <= LONGEST_SHORT and short != county:
        yield "short county, name", short + name
    if place["prefecture"]:
        yield "prefecture and name", place["prefecture"] + name


def resolve(title: str) -> str | None:
    """The code found on a page whose title names a place so, None where it stays open."""
    title = f"{title}2020年工作总结"
    return resolve_township(Page(f"{title}\n\n全年扎实工作。", title, len(title) + 2))[0].code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
