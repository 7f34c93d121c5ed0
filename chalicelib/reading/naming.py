"""What a figure is called: from the words around it, and from what the sentence said before."""

from __future__ import annotations

import re
from typing import NamedTuple

from chalicelib.reading.figures import Quantity
from chalicelib.reading.members import without_list
from chalicelib.reading.memory import Memory
from chalicelib.reading.names import (
    GOES_ON,
    clean_name,
    clean_object,
    generic_heads,
    is_bare_verb,
    opens_with_verb,
)
from chalicelib.reading.owners import CHANGED, complete_name, name_of_share


class Words(NamedTuple):
    """The folded words around a figure: `before` it and `after` it up to its neighbours in the clause, the clause's `rest`
    behind the next one, and all that the sentence says `behind` it. `first` tells whether it is the clause's first figure."""

    before: str
    after: str
    rest: str
    behind: str
    first: bool


def name_figure(words: Words, item: Quantity, memory: Memory) -> tuple[str, bool]:
    """The name, and whether the figure is a share of another's target. Keeps the name in `memory` where it is a figure's own."""
    before = words.before
    if taken_over := _taken_over(before, item, memory):
        return taken_over, False
    object_ = clean_object(AROUND.sub("", words.after), item.unit or "") if words.after else ""
    apart = object_ and (WHERE.fullmatch(before) or before.endswith(("把", "将")))
    lead = "" if apart else clean_name(without_list(before) if object_ else before)
    if _stands_behind(lead, object_, words.after, item):
        object_ = ""
    if described := _of_described(lead, words.behind, memory):
        return described, False
    if not object_ and item.unit in COUNTED and memory.last and WHERE.fullmatch(before):
        return memory.last_name.removesuffix(before) or COUNTED[item.unit], False  # “煤改气”18个村5426户
    if item.unit in COUNTED and (said := _said_of_people(lead, object_, before, item.unit, memory)):
        return said, False
    if item.rate and (share := name_of_share(before, memory.last_name)):
        return share, True
    name = lead + object_ or _behind_the_next(words.rest)
    whole = complete_name(name, memory, _leans_on(name, item, memory), same_clause=not words.first)
    if name == whole:
        memory.owner = name
    return whole, False


def _taken_over(before: str, item: Quantity, memory: Memory) -> str:
    """The name that the words before lead on from: the second value of a change, the target of the figure before."""
    if memory.source and LEADS_TO.search(before):
        return memory.source
    pointed = memory.last
    if item.rate and pointed and pointed.unit == "个百分点" and REACHES.match(before):
        return CHANGED.sub("", pointed.name)  # 覆盖率提高1.2个百分点,达24.6%
    task = TASK.fullmatch(before) if memory.last_name and not item.rate else None
    return memory.last_name + task["task"] if task else ""


def _of_described(lead: str, behind: str, memory: Memory) -> str:
    """The measure with what it and others before it describe (总投资1.2亿元、占地150亩的农产品加工园), '' where they do not."""
    measure = OWN_INVESTMENT.search(lead) if lead.endswith("投资") else None
    if not (measure or lead in generic_heads()) or memory.subject:
        return ""
    described = DESCRIBED.match(behind)
    return described["owner"] + (measure[0] if measure else lead) if described else ""


def _said_of_people(lead: str, object_: str, before: str, unit: str, memory: Memory) -> str:
    """The name of a number of people or households that needs no noun (有4860户, 脱贫145户), '' where it does."""
    goes_on = not before.strip(" ,、") and LIVED_IN.search(memory.last_name)
    if not lead and not object_ and (HAS.search(before) or goes_on):
        return COUNTED[unit]
    if lead in REST and is_bare_verb(object_):
        return object_
    whole = lead + object_
    of_people = bool(OF_PEOPLE.match(lead)) and "贫困" not in memory.last_counted(unit)
    return whole if is_bare_verb(whole) and (of_people or not lead) else ""


def _stands_behind(lead: str, object_: str, after: str, item: Quantity) -> bool:
    """Whether the figure stands behind its noun phrase, so that what follows it is a clause of its own."""
    if lead and GOES_ON.match(object_):
        return True
    if item.rate:
        return not AROUND.sub("", after).startswith("的") and len(lead) > 1 and not is_bare_verb(object_)
    return len(lead) >= 3 and item.unit in STAND_BEHIND


def _behind_the_next(rest: str) -> str:
    """What a pair of figures counts, behind its second one (`3条12公里道路`)."""
    return clean_object(re.sub(r"^[^\u4e00-\u9fff]*", "", rest.split(",", maxsplit=1)[0]).lstrip("元户人家个件"), "")


def _leans_on(name: str, item: Quantity, memory: Memory) -> str:
    """The name before that a bare measure or a bare verb is completed by."""
    last = memory.last_name
    if name in generic_heads():
        return memory.owner or last
    if is_bare_verb(name):
        return memory.last_counted(item.unit) or (last if opens_with_verb(last) else "")
    return last


REST = frozenset(("剩余", "余下", "其余", "剩下"))  # 剩余58户全部脱贫
AROUND = re.compile(r"^ ?(?:以上|以下|以内|左右|之多|余)")
# Money and weights stand behind their noun phrase; what follows them without a pause is a clause of its own.
REACHES = re.compile(r"^[ ,]*(?:总量|总额|总数)?(?:已)?(?:达到?|为|实现|完成|突破|超过?)(?:了|约|近)*$")
EACH = re.compile(r"(各|均(?:为|达到?)?|都(?:为|达到?)?)(?:约|超过?)?$")
# A project behind its measures, up to what is said of it.
DESCRIBED = re.compile(
    r"(?:[、,][^,。;、的]{2,14}[\d.]+[^,。;、的\d]{1,6}){0,3}(?:以上)?的(?P<owner>[\u4e00-\u9fff“”·A-Za-z]{2,20}?"
    r"(?:项目|工程|园区|园|基地|厂|中心|线|广场|市场|公司|学校|小学|中学|幼儿园|卫生院|医院|综合体|小区|公路|大道|大桥|水库|景区|酒店)(?:[\u4e00-\u9fff]{0,6}(?:项目|工程))?)"
)
# 326户1125人脱贫, 就业600人: said of people, and of nothing that stands before.
OF_PEOPLE = re.compile(r"就业|脱贫|返贫|摘帽")
# 11个行政村76个自然村: what stands between is of the first alone.
WHERE = re.compile(r"(?:行政|自然|贫困|建制|重点)?(?:村|社区|乡镇|街道|村委会|居委会)(?:中[仍还已]?有?)?")
# 是年初人代会目标45亿元的116%: the target is of the figure before.
TASK = re.compile(
    r"[,、 ]*(?:是|为|占|(?:超额)?完成)了?"
    r"(?:年初|年度|全年|年(?=任务|目标|计划)|人代会|党代会|[省市县区镇乡]{1,2}(?:级|委|里|定|政府)?|上级|下达|确定|制定|既定|计划|的)*(?P<task>目标|任务|计划)(?:任务|数|值)?的?"
)
LIVED_IN = re.compile(r"^(?:户数|人口)$|(?:村|社区|组|社|屯|寨|嘎查|队|村委会|居委会)$")
OWN_INVESTMENT = re.compile(r"(?<=公司|企业)(?:计划|概算)?总?投资$")
# 全镇有4860户、18650人: what is counted goes without saying.
COUNTED = {"户": "户数", "人": "人口"}
HAS = re.compile(r"(?:^|[,乡镇村辖])(?:共?有|总计|共计|共)$")
LEADS_TO = re.compile(r"(?:到|至|为|达)了?(?:(?:19|20)\d\d年底?)?的?[^\u4e00-\u9fff]*[约近超逾]?$")
STAND_BEHIND = ("元", "美元", "公斤", "斤", "吨")
