"""Made work reports of all 41,352 townships for ten years, to see how the service bears a whole collection.

    .venv/bin/python -m bench.made_collection [CODE YEAR]

Prints one report, by default that of 331022103 for 2022. `report_text` is a function of code and year alone: the same
bytes each time, in whatever order. The townships are real ones, everything else is invented: the sentences of
made_sentences.toml, the figures of made_figures.py, the villages.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bench.made_figures import Figures, sentences
from bench.name_townships import township_codes
from chalicelib import divisions

YEARS = range(2014, 2024)
# The part of the sentences `some` and `more` that a report takes: some 60 figures, of which a quarter has a concept.
SOME, MORE = 0.29, 0.65
NUMERALS = "一二三四五六七八九十"
NORTH = ("1", "21", "22", "23", "37", "41", "61", "62", "63", "64", "65")
NARROW = str.maketrans("，：；（）", ",:;()")

_CHOICE = re.compile(r"<([^<>]+)>")
_SLOT = re.compile(r"\{(\w+)(?:\.(\w+))?\}")


def reports(provinces: str = "") -> Iterator[tuple[str, int]]:
    """Code and year of every report, township by township in order of their codes: counties come whole."""
    return ((code, year) for code in township_codes() if code.startswith(provinces) for year in YEARS)


def report_text(code: str, year: int) -> str:
    """The report's page as text. Raises KeyError for a code that the division table does not hold."""
    return _Writer(code, year).page()


def filename(code: str, year: int) -> str:
    return f"{divisions.place(code)['name']}-{year}.txt"


@dataclass(frozen=True)
class _Style:
    """How a township prints its reports, every year alike."""

    head: int  # which page furniture
    topics: int  # how topics are numbered
    own_line: bool  # headings stand on a line of their own
    narrow: bool  # ASCII punctuation
    signed: bool
    indent: str


class _Writer:
    """Writes one report. Two sources of chance: the township's, for what stays, and the report's."""

    def __init__(self, code: str, year: int) -> None:
        self.code, self.year = code, year
        self.place = divisions.place(code)
        self.town, self.chance = random.Random(f"{code} town"), random.Random(f"{code} {year}")
        self.figures = Figures(code, year)
        self.style = _Style(
            self.town.randrange(4),
            self.town.randrange(3),
            self.town.random() < 0.3,
            self.town.random() < 0.25,
            self.town.random() < 0.5,
            self.town.choice(("", "　　", "    ")),
        )
        self.data = sentences()

    def page(self) -> str:
        lines = [*self._head(), "", *(self.style.indent + line for line in self._body()), "", *self._foot()]
        text = "\n".join(lines) + "\n"
        return text.translate(NARROW) if self.style.narrow else text

    @cached_property
    def words(self) -> dict[str, str]:
        """What the slots for words hold."""
        name, words = self.place["name"] or "", self.data["words"]
        county = self.place["county"] or self.place["prefecture"] or ""
        rank = next((rank for rank in ("街道", "镇", "乡", "苏木") if name.endswith(rank)), "")
        north = self.code.startswith(NORTH)
        crop, crop2 = self.town.sample(words["crops_north" if north else "crops_south"], 2)
        village, village2 = self.chance.sample(self._villages(), 2)
        return {
            "year": str(self.year),
            "next": str(self.year + 1),
            "name": name,
            "county": county,
            "rulers": f"委、{county}政府" if self.town.random() < 0.5 else "委、政府",
            "party": "党工委" if rank in ("街道", "") else "党委",
            "all": f"全{rank}" if rank else "辖区",
            "office": name + {"街道": "办事处", "": ""}.get(rank, "人民政府"),
            "slogan": self.chance.choice(words["slogans"]),
            "crop": crop,
            "crop2": crop2,
            "village": village,
            "village2": village2,
        }

    def _villages(self) -> list[str]:
        """The township's villages, the same each year."""
        chance, words = random.Random(f"{self.code} villages"), self.data["words"]
        fronts = chance.sample(words["village_fronts"], 12)
        rank = "社区" if (self.place["name"] or "").endswith("街道") else "村"
        return [front + chance.choice(words["village_ends"]) + rank for front in fronts]

    # The page around the report.

    def _head(self) -> list[str]:
        words, number = self.words, self.chance.randrange(100, 99_999)
        issued = f"{self.year + 1}-{self.chance.randint(1, 3):02}-{self.chance.randint(1, 28):02}"
        credit = f"11{self.code[:6]}{self.town.randrange(10**8):08}{self.town.choice('0123456789ABCDEFGX')}"
        title, full = self._title(), words["county"] + self._title()
        index = f"{credit}/{issued[:4]}-{number:05}"
        time = f"{self.chance.randint(8, 17):02}:{self.chance.randint(0, 59):02}"
        match self.style.head:
            case 0:
                rows = [f"索引号：{index}", f"发布机构：{words['county']}{words['office']}", f"成文日期：{issued}"]
                return [*rows, "公开方式：主动公开", title, f"发布时间：{issued} {time}　浏览次数：{number % 977}"]
            case 1:
                way = f"当前位置：首页 > 政务公开 > 乡镇街道信息公开 > {words['name']} > 计划总结"
                return [way, full, f"发布日期：{issued}　来源：{words['name']}　字体：[大 中 小]"]
            case 2:
                rows = [
                    f"索引号 | {index} | 公开方式 | 主动公开 |",
                    f"发布日期 | {issued} | 发布机构 | {words['name']} |",
                ]
                return [*rows, "", full]
        return [full]

    def _title(self) -> str:
        both = self.town.choice(("总结和{next}年工作计划", "总结及{next}年工作打算", "总结", "总结和{next}年工作思路"))
        return self._fill(f"{{name}}{{year}}年工作{both}")

    def _foot(self) -> list[str]:
        signature = [self.words["office"], f"{self.year + 1}年1月{self.chance.randint(3, 28)}日"]
        buttons = ["【打印本页】【关闭窗口】"] if self.style.head in (0, 1) else []
        return [*(signature if self.style.signed else []), *buttons]

    # The report.

    def _body(self) -> list[str]:
        opening = self.data["opening"]
        some = self.chance.sample(opening["some"], self.chance.randint(0, 2))
        first = self._say(self.chance.choice(opening["lines"]), self.chance.choice(opening["always"]), *some)
        return [first, *self._review(), *self._shortcomings(), *self._plan()]

    def _review(self) -> list[str]:
        topics = self.data["topics"]
        left_out = {self.town.randrange(len(topics))} if self.town.random() < 0.4 else set()
        kept = [topic for at, topic in enumerate(topics) if at not in left_out or "always" in topic]
        lines = [f"一、{self.year}年工作{self.town.choice(('总结', '回顾', '开展情况'))}"]
        for at, topic in enumerate(kept):
            lines += self._under(at, topic["titles"], self._topic(topic))
        return lines

    def _topic(self, topic: dict[str, Any]) -> str:
        some = [line for line in topic["some"] if self.chance.random() < SOME]
        more = [line for line in topic["more"] if self.chance.random() < MORE]
        told = [*some, *more]
        self.chance.shuffle(told)
        always = [self.chance.choice(topic["always"])] if "always" in topic else []
        return self._say(self.chance.choice(topic["plain"]), *always, *told)

    def _shortcomings(self) -> list[str]:
        part = self.data["shortcomings"]
        more = [line for line in part["more"] if self.chance.random() < MORE]
        return [
            "二、" + self._say(self.chance.choice(part["titles"])),
            self._say(self.chance.choice(part["plain"]), *more),
        ]

    def _plan(self) -> list[str]:
        plan = self.data["plan"]
        lines = ["三、" + self._say(plan["titles"][self.town.randrange(len(plan["titles"]))])]
        lines.append(self._say(self.chance.choice(plan["plain"]), self.chance.choice(plan["always"])))
        for at, (title, more) in enumerate(zip(plan["titles_below"], plan["more"], strict=True)):
            told = [more] if self.chance.random() < MORE else []
            lines += self._under(at, [title], self._say(*told, self.chance.choice(plan["plain_below"])))
        return lines

    def _under(self, at: int, titles: Sequence[str], text: str) -> list[str]:
        """A heading with its number and the text below or behind it."""
        title = self._say(self.chance.choice(titles))
        label = (f"（{NUMERALS[at]}）", f"{at + 1}.", f"（{NUMERALS[at]}）")[self.style.topics]
        return [label + title, text] if self.style.own_line else [f"{label}{title}。{text}"]

    def _say(self, *lines: str) -> str:
        return "".join(map(self._fill, lines))

    def _fill(self, line: str) -> str:
        chosen = _CHOICE.sub(lambda found: self.chance.choice(found[1].split("|")), line)
        return _SLOT.sub(self._slot, chosen)

    def _slot(self, found: re.Match[str]) -> str:
        key, what = found[1], found[2] or ""
        return self.words[key] if key in self.words else self.figures.print(key, what)


def main(arguments: Sequence[str]) -> int:
    """Print a report."""
    code, year = arguments or ("331022103", "2022")
    print(report_text(code, int(year)), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
