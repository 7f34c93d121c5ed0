"""The cases of `tests/cases/page.toml`, read through the public chain."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chalicelib.decode import decode
from chalicelib.reading.model import Page
from chalicelib.reading.page import clean_page

CASES = Path(__file__).parent / "cases" / "page.toml"

PROSE = (
    "坚持以项目建设为抓手，全年完成固定资产投资2.3亿元，同比增长8.5%；新增规模以上企业3家，税收达到1200万元。"
    "持续改善人居环境，硬化道路12公里，改造危房35户，群众的获得感不断增强。扎实做好信访维稳工作，调处纠纷86件，"
    "调处率达98%，未发生重大安全事故，社会大局和谐稳定。"
)


@dataclass(frozen=True)
class Case:
    name: str
    source: str
    encoding: str = "utf-8"
    expect: dict[str, Any] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    lines_start: str = ""
    refused: str = ""

    def page(self) -> Page:
        source = self.source.lstrip("\n").replace("{prose}", PROSE)
        return clean_page(decode(source.encode(self.encoding), "upload"))


def cases() -> list[Case]:
    return [Case(**case) for case in tomllib.loads(CASES.read_text("utf-8"))["case"]]
