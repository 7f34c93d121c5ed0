"""Whose figure it is: the township's own, or that of a village, a firm or a project in it."""

from __future__ import annotations

import re

from chalicelib.reading.names import opens_with_verb

PLACE = re.compile(
    r"^(?P<place>[\u4e00-\u9fff]{1,4}?(?:(?<![农乡])村|社区)|[\u4e00-\u9fff]{2,12}?(?:公司|合作社))(?![级民庄两委干容务部内外])"
)
PROJECT = re.compile(
    r"^(?P<place>[\u4e00-\u9fffA-Za-z\d“”]{3,20}?(?:项目|工程))(?=(?:完成|总|累计|计划)*(?:投资|工程量)|占地|年产值)"
)
PLACE_WORD = re.compile("[村社公合项工]")  # one of them is in every match
NO_PLACE = re.compile(
    r"^(?:发展|壮大|增加|带动|推动|促进|助力|提升|年|消除|所有|[选派]*驻村|.?[入进返回下到跨邻包联]村|举办|召开|创建|打造|建立|组建|发放|服务|培训|纳入|通|接待|走访|慰问|组织|开展|完成|推进|帮扶|行政|全|各|农|乡|自然|中心|薄弱|示范|精品|美丽|贫困|新(?!能源|材料)|空壳|经济|个|每|一|两|多|该|本|为|重点|试点|城中|移民|幸福|标杆"
    r"|先进|山区|集体|文明|特色|少数民族|传统|和美|未来|整|行|村|撤|驻|旧|老村|非|出列|后进|软弱|民主|卫生|生态|宜居|美|老旧|智慧|平安"
    r"|城市|所有|以上|旅游|党|专业|农民|股份|省|市|县|区|国|重大|建设|签约|落地|招商|亿元|工业|产业|招引|引进|谋划|开工|续建|技改|民生|政府|储备|实施|争取|申报)"
)


def is_place(subject: str) -> bool:
    """Whether a clause's subject is a village, a neighbourhood or a firm and nothing else."""
    match = PLACE.fullmatch(subject)
    return match is not None and not NO_PLACE.match(subject) and not opens_with_verb(subject)


def place_of(name: str) -> str | None:
    """The village, neighbourhood or firm that a name begins with."""
    if PLACE_WORD.search(name) is None:
        return None
    match = PLACE.match(name) or PROJECT.match(name)
    if match is None or match.end() == len(name) or NO_PLACE.match(name) or opens_with_verb(name):
        return None
    return match["place"]
