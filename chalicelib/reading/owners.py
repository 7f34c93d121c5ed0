"""Names that lean on what stands before them: a bare measure, a bare verb, a part, a share of a target."""

from __future__ import annotations

import re
from functools import cache

from chalicelib.reading.lexicon import one_of, read_words
from chalicelib.reading.members import SCOPE, SECTOR
from chalicelib.reading.memory import Memory
from chalicelib.reading.names import EDGE, RULES, clean_name, generic_heads, is_bare_verb, strip_lead

SHARE = re.compile(
    r"(?:完成|占|达到|为|是)(?P<whole>[^,]*(?:目标|任务|计划|预算|指标|工程量|进度|总量|总数)[^,]*?)的?(?:比例|比重)?(?:达到?|为)?[约近超]?$"
)


PART = re.compile(r"^[ ,]*(?:约|仅|共)?占(?!比|地)(?P<whole>[^,]{2,20}?)的?(?:比重|比例)?(?:为|达到?|约|近|超过?)*$")
TARGET_NAME = re.compile(r"(?:任务|目标|计划)$")
# 年度计划投资23亿元,已完成投资19亿元: what was done is no plan.
PLANNED = re.compile(r"(?:年度?|全年|本年)?计划$")


def name_of_share(before: str, last: str) -> str:
    """What a share of a target is called (`完成年度目标的56%`), '' if the figure is none."""
    part = PART.match(before)
    if part and last:
        whole = part["whole"].strip(EDGE)
        return f"{last}占{strip_lead(whole) or whole}比重"
    if before.strip(EDGE) == "的" and TARGET_NAME.search(last):
        return f"占{last}比例"
    share = SHARE.search(before)
    if share is None:
        return ""
    last = clean_name(before[: share.start()]) or last
    whole = strip_lead(share["whole"].strip(EDGE))
    return f"{last}占{whole}比例" if last else f"{whole}完成比例"


def complete_name(name: str, memory: Memory, last: str, *, same_clause: bool) -> str:
    """The name with what it leans on: the subject of the clause before without a figure, or `last`, the figure before."""
    if not name:
        # 建成区面积扩大2平方公里,达19平方公里: the second figure is of the area, not of its growth.
        return CHANGED.sub("", last) if same_clause and last else (memory.subject or CHANGED.sub("", last))
    if last and SECTOR.fullmatch(name):
        return _part_of(last, name)
    if name in PER:
        return name + (memory.subject or CHANGED.sub("", last))
    if name in generic_heads():
        return _measure_of(memory.subject or last, name)
    if is_bare_verb(name):
        owner = last or memory.subject
        return name + _object_of(owner) if owner else name
    return name


def _measure_of(owner: str, name: str) -> str:
    """A bare measure with what it is of: `name` alone where nothing stands before, or nothing that it could be of."""
    owner = owner if TARGET_NAME.search(name) else PLANNED.sub("", _without_head(owner))
    owner = _acted_on(owner) if OF_ACT.search(name) or name == "总数" else owner
    if name in read_words(RULES, "takings") and not FIRMS.search(owner):
        return name
    return _joined(owner, name) if owner else name


def _part_of(whole: str, part: str) -> str:
    """The name of a part that says only which (工业, 规上, 地方级), by the measure of its whole."""
    if whole.startswith(part):
        return whole
    level = LEVEL.match(whole)
    if level or SCOPE.fullmatch(part):
        return part + whole[level.end() if level and LEVEL.fullmatch(part) else 0 :]
    head = _generic_tail().search(whole)
    return part + head[0] if head else whole


LEVEL = re.compile(r"(?:地方|区|县|市|镇|乡|街道)级")
# Whose takings a report tells.
FIRMS = re.compile(r"企业|公司|项目|园|商务区|开发区|基地|厂|店|楼宇|电商|合作社|市场主体|户")
# A mean is of the figure before it: 果园面积2.1万亩,人均1.6亩.
PER = frozenset({"人均", "户均", "亩均", "村均", "职均", "日均", "月均", "职工人均"})
CHANGED = re.compile(r"(?<=..)(?:扩大|增加|净增|减少|提高|下降|提升|增长)$")


def _joined(owner: str, name: str) -> str:
    """The two as one phrase, without saying twice what ends the one and begins the other (医保参保, 参保率)."""
    overlap = next((n for n in range(min(len(owner), len(name)), 1, -1) if owner.endswith(name[:n])), 0)
    return owner + name[overlap:]


def join_head(member: str, head: str) -> str:
    """A member of a list with the measure that the list says once at its end; as it is where it has one of its own."""
    return _joined(_without_head(member), head) if head else member


def _without_head(name: str) -> str:
    """The name without a measure of its own: of 夏粮种植面积 only 夏粮 has a 单产."""
    head = _generic_tail().search(name)
    return name[: head.start()] if head and head.start() >= 1 else name


@cache
def _generic_tail() -> re.Pattern[str]:
    return re.compile(rf"(?:种植|播种|收获|养殖|建筑|占地)?{one_of(read_words(RULES, 'generic'))}$")


# A rate that says its own act: 整改率 is that of what was 排查ed, 成功率 that of the act before.
OF_ACT = re.compile(r"(?<!成功)(?<!完成)率$")


def _acted_on(name: str) -> str:
    """The noun of a name without the verbs before it: 排查安全隐患 gives 安全隐患."""
    acts = _acts().match(name)
    return name[acts.end() :] or name if acts else name


def _object_of(name: str) -> str:
    """The noun of a name without the verbs around it: 高标准农田改造提升 gives 高标准农田."""
    return _verbs_around().sub("", name) or name


@cache
def _acts() -> re.Pattern[str]:
    return re.compile(one_of(read_words(RULES, "bare")) + "+")


@cache
def _verbs_around() -> re.Pattern[str]:
    verbs = one_of(read_words(RULES, "bare"))
    return re.compile(rf"^{verbs}(?:[和、及]{verbs})*|(?:{verbs})+$")
