"""Whose report a whole page is: right, asked or wrong, for made pages of a sample of townships. Run:
python -m bench.place_reports [COUNT]

For each of COUNT townships (2,000 by default, the same ones at every run) a page is made in each of the forms below and
read from bytes to identity. `right`: the code of the township. `asked`: no code, the township among the candidates, so that
the publisher is asked. `open`: no code and no such candidate. `wrong`: another code. In the last three forms the township is one
that the table lacks in the county that the page names, as if it had been abolished: a code at all is wrong there.
What is wrong is printed.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bench.name_townships import township_codes
from chalicelib import divisions
from chalicelib.decode import decode
from chalicelib.reading import gazetteer
from chalicelib.reading.former_divisions import former_divisions, heirs
from chalicelib.reading.identify import identify
from chalicelib.reading.page import clean_page
from chalicelib.reading.township_names import words

OUTCOMES = ("right", "asked", "open", "wrong")
SEED = 331022
TITLE = "2020年工作总结及2021年工作计划"
PROSE = (
    "一年来，在县委、县政府的正确领导下，全体干部群众攻坚克难，各项工作取得新进展。全年完成固定资产投资2.3亿元，同比增长8.5%；"
    "新增规模以上企业3家，税收达到1200万元。持续改善人居环境，硬化道路12公里，改造危房35户，群众的获得感不断增强。"
    "扎实做好信访维稳工作，调处纠纷86件，调处率达98%，未发生重大安全事故，社会大局和谐稳定。"
)


@dataclass(frozen=True, slots=True)
class Place:
    """A township with the words that pages have for it: `county` is its city where it has no county. `others` are townships
    beside it, `far` is another county, which has a township of the same name where there is one."""

    code: str
    name: str
    county: str
    prefecture: str
    others: tuple[str, ...]
    far: str


def make_places(count: int) -> list[Place]:
    """The sample: the same townships for the same count."""
    chance = random.Random(SEED)
    codes = township_codes()
    return [_place(code, chance) for code in sorted(chance.sample(codes, min(count, len(codes))))]


def _place(code: str, chance: random.Random) -> Place:
    names = divisions.place(code)
    name = names["name"] or ""
    others = [d.name for d in divisions.townships_in(code[:6]) if d.name != name]
    namesakes = [d.code for d in divisions.named(name) if d.code[:6] != code[:6]]
    far = chance.choice(namesakes or township_codes())
    return Place(
        code,
        name,
        names["county"] or names["prefecture"] or "",
        names["prefecture"] or names["province"] or "",
        tuple(chance.sample(others, min(3, len(others)))),
        _county(far),
    )


def _county(code: str) -> str:
    names = divisions.place(code)
    return names["county"] or names["prefecture"] or ""


Form = Callable[[Place], str | None]


def _title(place: Place) -> str:
    return f"{place.county}{place.name}{TITLE}\n{PROSE}"


def _name_alone(place: Place) -> str:
    return f"{place.name}{TITLE}\n{PROSE}"


def _issuer(place: Place) -> str:
    return f"{TITLE}\n发布机构：{place.county}{place.name}人民政府　发布日期：2021-01-05\n{PROSE}"


def _site(place: Place) -> str:
    return f"{TITLE}\n发布机构：{place.name}　发布日期：2021-01-05\n{PROSE}\n{PROSE}\n主办：{place.prefecture}{place.county}人民政府"


def _index_number(place: Place) -> str:
    return f"{place.name}{TITLE}\n索引号：11{place.code[:6]}002688123X/2021-00012\n{PROSE}"


def _address(place: Place) -> str | None:
    host = divisions.fold_latin(divisions.latin(place.code[:6]).split(" ", 1)[0])
    head = f'<title>{place.name}{TITLE}</title><link rel="canonical" href="http://www.{host}.gov.cn/art/2021/1/5.html">'
    return f"<html><head>{head}</head><body><h1>{place.name}{TITLE}</h1><p>{PROSE}</p><p>{PROSE}</p></body></html>"


def _county_in_text(place: Place) -> str:
    opening = f"2020年，{place.name}在{place.county}委、{place.county}政府的正确领导下扎实工作。"
    return f"{place.name}{TITLE}\n{opening}{PROSE}承办{place.county}现场会2次。"


def _text_alone(place: Place) -> str:
    opening = f"2020年，{place.county}{place.name}党委、政府扎实工作。"
    return f"{TITLE}\n{opening}{PROSE}{place.name}干部群众团结一心，{place.name}面貌一新。"


def _far_counties(place: Place) -> str:
    help_elsewhere = f"对口帮扶{place.far}，赴{place.far}考察2次。"
    opening = f"2020年，{place.name}在{place.county}委、{place.county}政府的正确领导下扎实工作。"
    return f"{place.name}{TITLE}\n{opening}{PROSE}{help_elsewhere}承办{place.county}现场会2次。"


def _far_county_alone(place: Place) -> str:
    return f"{place.name}{TITLE}\n{PROSE}对口帮扶{place.far}，赴{place.far}考察2次。"


def _neighbours(place: Place) -> str:
    beside = "、".join(place.others)
    links = "\n".join(f"下一篇：{other}{TITLE}" for other in place.others)
    return f"{place.name}{TITLE}\n来源：{place.county}\n{PROSE}与{beside}相比仍有差距。\n{PROSE}\n{links}"


def _rankless(place: Place) -> str | None:
    rank = next((rank for rank in ("街道", "镇", "乡") if place.name.endswith(rank)), "")
    short = place.name.removesuffix(rank)
    if not rank or not 2 <= len(short) <= 4:
        return None
    return f"{short}{TITLE}\n来源：{place.county}人民政府\n2020年，全{rank}上下团结一心。{PROSE}我{rank}面貌一新。"


def _former_county(place: Place) -> str | None:
    rows = [row for row in former_divisions() if place.code[:6] in row.codes]
    return f"{rows[0].name}{place.name}{TITLE}\n{PROSE}" if rows and len(rows[0].codes) == 1 else None


def _lacks(place: Place) -> str | None:
    """Another county of the prefecture, which has no township of the name."""
    uppers = [divisions.get(place.code[:digits]) for digits in (2, 4, 6)]
    if any(gazetteer.stem(upper.name) in place.name for upper in uppers if upper):
        return None  # the name says where it is
    counties = [d for d in divisions.children(place.code[:4]) if d.code != place.code[:6]]
    holding = {d.code[:6] for d in divisions.named(place.name)}
    lacking = (d.name for d in counties if not holding & {d.code, *heirs(d.code)} and gazetteer.stem(d.name) != d.name)
    return next((name for name in lacking if name not in words("generic")), None)


def _lacking_in_title(place: Place) -> str | None:
    return f"{lacks}{place.name}{TITLE}\n{PROSE}" if (lacks := _lacks(place)) else None


def _lacking_in_site(place: Place) -> str | None:
    return f"{place.name}{TITLE}\n{PROSE}\n{PROSE}\n主办：{lacks}人民政府" if (lacks := _lacks(place)) else None


def _lacking_in_text(place: Place) -> str | None:
    lacks = _lacks(place)
    return f"{place.name}{TITLE}\n{lacks}委、{lacks}政府{PROSE}{lacks}文明村3个。" if lacks else None


FORMS: dict[str, Form] = {
    "county and name in the title": _title,
    "publisher alone": _issuer,
    "publisher, site of the county": _site,
    "county in the index number": _index_number,
    "county in the address": _address,
    "county in the text": _county_in_text,
    "name and county in the text": _text_alone,
    "far counties in the text too": _far_counties,
    "neighbours, and the source": _neighbours,
    "former county in the title": _former_county,
    "name without its rank": _rankless,
    "name alone": _name_alone,
    "a far county alone": _far_county_alone,
    "lacking, county in the title": _lacking_in_title,
    "lacking, county in the site": _lacking_in_site,
    "lacking, county in the text": _lacking_in_text,
}
LACKING = "lacking"


def judge(form: str, place: Place) -> tuple[str, str] | None:
    """The outcome for the place's page of this form, and the code found; None where the place has no such form."""
    source = FORMS[form](place)
    if source is None:
        return None
    identity = identify(clean_page(decode(source.encode(), "page")))
    code = identity.township.code or ""
    if len(code) == 9:
        return ("right" if code == place.code and not form.startswith(LACKING) else "wrong"), code
    named = any(candidate.township.code == place.code for candidate in identity.candidates)
    return ("asked" if named else "open"), code


def count_outcomes(places: Sequence[Place]) -> Iterator[tuple[str, Counter[str], list[str]]]:
    """Each form with the number of each outcome, and the words for what is wrong."""
    for form in FORMS:
        judged = [(place, found) for place in places if (found := judge(form, place))]
        wrong = [f"{p.county}{p.name} ({p.code}) as {code}" for p, (outcome, code) in judged if outcome == "wrong"]
        yield form, Counter(outcome for _, (outcome, _) in judged), wrong


def main(arguments: Sequence[str]) -> int:
    """Print a row a form, and what is wrong below it."""
    places = make_places(int(arguments[0]) if arguments else 2000)
    start, pages = time.perf_counter(), 0
    print(f"{'':32}{''.join(f'{outcome:>8}' for outcome in OUTCOMES)}")
    for form, counts, wrong in count_outcomes(places):
        pages += counts.total()
        print(f"{form:32}{''.join(f'{counts[outcome]:8}' for outcome in OUTCOMES)}")
        for each in wrong:
            print(f"  wrong: {each}")
    print(f"{1000 * (time.perf_counter() - start) / pages:.2f} ms a page, from bytes to identity")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
