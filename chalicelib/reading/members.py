"""Lists in a clause: their members, and what a list says once for all of them."""

from __future__ import annotations

import re

from chalicelib.reading.names import EDGE


def without_list(text: str) -> str:
    """`鸿远塑业等` and `包家村、岙楼村` name members of what is counted: the count's name does without them."""
    if "、" not in text:
        return "" if "等" in text and SUCH_AS.search(text) else text
    if named := NAMED_ONE_BY_ONE.fullmatch(text):
        return named["what"]
    return "" if SUCH_AS.search(text) or "、" in text.rstrip(EDGE) else text


SUCH_AS = re.compile(r"[^高平同优初中上下均特三二一]等(?:地|镇|乡|村|社区|处|单位)? ?$")


# 贫困村有甲、乙、丙3个村: the count is of what the members are.
NAMED_ONE_BY_ONE = re.compile(
    r"[, ]*(?P<what>[^、,]{2,14}?[\u4e00-\u9fff])(?<![具共享拥含])(?:有|为|是|即|包括)(?:[^、,]{1,8}、){2,}[^、,]{1,8}?等? ?"
)


def split_members(subject: str) -> list[str]:
    """The members of a list (`工业投资、限上批发和限上零售`), each with what the list says once at its end."""
    members = [m for m in re.split(r"[、,]|和|以及|及|与", SUMMED_UP.sub("", subject)) if m]
    if (pair := PAIRED.match(subject)) and len(members) == 1 + pair["pair"].count("、"):
        first, second = PAIRS[pair["pair"]]
        return [pair["lead"] + half + subject[pair.end() :] for half in (first, second)]
    if len(members) > 1:
        scope = SCOPE.match(members[0])
        first = members[0][scope.end() :] if scope else members[0]
        kind = KIND.match(members[-1])
        if kind and all(KIND.fullmatch(m) for m in [first, *members[1:-1]]):
            head = scope[0] if scope else ""
            return [head + m + members[-1][kind.end() :] for m in [first, *members[1:-1]]] + [head + members[-1]]
    return members


# One word for two quantities: 城乡居民人均可支配收入分别达…、…, 存贷款余额达…和….
PAIRS = {
    "城乡": ("城镇", "农村"),
    "城、乡": ("城镇", "农村"),
    "存贷款": ("存款", "贷款"),
    "进出口": ("进口", "出口"),
    "存出栏": ("存栏", "出栏"),
}
PAIRED = re.compile(rf"(?P<lead>.{{0,6}}?)(?P<pair>{'|'.join(PAIRS)})")
# What sums up the members of a list behind the last one: 烟叶、茶叶、蚕桑三大产业, 甲、乙等两个项目.
SUMMED_UP = re.compile(
    r"(?<=[、和及与][\u4e00-\u9fff]{2})(?<!第)(?:等|这)?[两三四五六七八九十]{1,2}(?:大|个|项|种|类|家)[\u4e00-\u9fff]{0,6}$"
)
# A part that says only what it is of: 工农业总产值31亿元,其中农业17亿元; 工业产值5亿元(其中规上3亿元).
SECTOR = re.compile(
    r"规上|规下|限上|限下|限额以上|规模以上|工业|农业|服务业|种植业|养殖业|畜牧业|牧业|林业|渔业|建筑业|房地产业?|商贸业|旅游业"
    r"|(?:地方|区|县|市|镇|乡|街道)级|[一二三]产|第[一二三]产业"
)
# A qualifier that a list says once, at its start: 限上批发业、零售业、住宿业销售额.
SCOPE = re.compile(r"限额以上|限上|规模以上|规上|规下|新增|全社会|新建|改造")


# Qualifiers that share their noun in a list: 城镇、农村居民人均可支配收入, 一、二、三产业, 夏粮和秋粮产量.
KIND = re.compile(
    r"(?:第?[一二三]|城镇|农村|城乡|城市|乡村|工业|农业|服务业|地方级|[县区市镇乡]级|进口|出口|进|出|男|女|夏粮|秋粮|早稻|晚稻|规上|规下|限上|限下"
    r"|新开工|续建|新建|改建|扩建|竣工|投产|在建|新签约|签约|储备|存栏|出栏|省级|市级|县级|区级|国家级|镇级|村级|内资|外资|建筑业|批发业|零售业|住宿业|餐饮业|批发|零售|住宿|餐饮)"
)
