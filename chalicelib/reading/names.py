"""What a quantity is called: the noun phrase that a table's row header would carry, in the words of the text."""

from __future__ import annotations

import re
from functools import cache

from chalicelib.reading.lexicon import begins_as, one_of, read_words
from chalicelib.reading.periods import SPAN

RULES = "names.toml"
EDGE = " ,、;:.。!?·-~|\n\t"
# Who set a task: 县下达我镇招商引资任务.
SET_BY = re.compile(
    r"^(?:(?:上级|[省市县区旗州]{1,2}(?:委|政府|里)?)下达(?:给|到)?(?:[我全本][\u4e00-\u9fff])?|下达(?:给|到)?[我全本][\u4e00-\u9fff])的?"
)
# When a figure will come about: 项目投产后可实现年产值6亿元.
ONCE_BUILT = re.compile(
    r"(?:预计)?(?:项目|工程|全部|该项目)*(?:建成|投产|达产|投用|投入使用|运营|完工|竣工|实施)(?:投产|投用|达产|运营|使用)*(?:以?后),?"
    r"(?:每?年)?(?:预计)?(?:可|能|将|预计)*(?:每年)?(?:实现|新增|达到?)?"
)
# The number of the heading that a figure's clause opens: 1.实现财政收入20亿元.
NUMBERING = re.compile(
    r" *(?:[（(][一二三四五六七八九十\d]{1,3}[)）]|[一二三四五六七八九十]{1,3}、(?![二三][、和产])|\d{1,2}[.、](?!\d)"
    r"|[①-⑳⒈-⒛]|[一二三四五六七八九十]是)"
)
# On which basis or how soon: 财政收入按可比口径增长10%, 14天内实现零扩散.
ON_BASIS = re.compile(r"按照?(?:可比|不变|同|新|老)(?:口径|价格?)(?:计算)?")
HOW_SOON = re.compile(r"\d+(?:天|日|个?月|小时)[内里]")
BRACKETED = re.compile(
    r"\((?:[^()]*(?:月|年|季度|其中|以下简称|下同|可比价|详见|附|如下|约|含税)[^()]*|\d+|[一二三四五六七八九十]+)\)"
)
OPEN = re.compile(r"^[^(]*\)|\([^)]*$")


@cache
def _light() -> re.Pattern[str]:
    light = read_words(RULES, "light")
    return re.compile(
        rf"^{begins_as(light)}{one_of(light)}(?:了)?(?!率|比例|比重|情况|进度|度|额|量)(?<!占(?=[地道比]))"
    )


@cache
def _tail() -> re.Pattern[str]:
    return re.compile(rf"{one_of(read_words(RULES, 'tail'))}$")


@cache
def _bare() -> re.Pattern[str]:
    bare = read_words(RULES, "bare")
    return re.compile(rf"{begins_as(bare)}{one_of(bare)}(?:了|数|的|到位|完毕)?")


@cache
def generic_heads() -> frozenset[str]:
    """The row headers that need a subject."""
    return frozenset((*read_words(RULES, "generic"), *read_words(RULES, "takings")))


def is_bare_verb(name: str) -> bool:
    return _bare().fullmatch(name) is not None


def opens_with_verb(name: str) -> bool:
    """Whether the name is an act with its object (排查安全隐患), of which a further act may be told (整改率)."""
    return _opens_with_verb().match(name) is not None


@cache
def _opens_with_verb() -> re.Pattern[str]:
    bare = read_words(RULES, "bare")
    return re.compile(begins_as(bare) + one_of(bare))


def clean_name(text: str) -> str:
    """The noun phrase of a folded piece of a clause, without adverbs, light verbs, period and what links it to the figure."""
    number = NUMBERING.match(text)
    name = _without_brackets(text[number.end() :] if number else text).strip(EDGE)
    if OPENINGS.match(name):
        for opening in (SET_BY, ONCE_BUILT, HOW_SOON, YEARS_LONG):
            opened = opening.match(name)
            name = name[opened.end() :] if opened else name
    if "”" in name and (campaign := CAMPAIGN.match(name)) and opens_with_verb(name[campaign.end() :]):
        name = name[campaign.end() :]
    name = ON_BASIS.sub("", name) if "按" in name else name
    name = _begun_anew(name) or strip_tail(strip_lead(_last_of_list(name)))
    name = OPEN.sub("", name) if name.count("(") != name.count(")") else name
    name = DONE_BY.sub("", name) if DONE_OF.search(name) else name
    return _balance_quotes(name).strip(EDGE)


# 五年累计完成9.7亿元: how long a time the sum is of.
YEARS_LONG = re.compile(r"(?:近|过去)?[两二三四五六七八九十\d]年(?:来|间)?(?=累计|合计|共|$)")
# What the four begin with: one look spares most names all of them.
OPENINGS = re.compile(r"[上省市县区旗州下预项工全该建投达运完竣实近过两二三四五六七八九十\d]")
# “百日会战”拆除乱搭乱建: in which campaign.
CAMPAIGN = re.compile(r"[^”]*”(?=.{4})")
# 爱心理发等助老活动: one member is enough where what sums it up says what it is.
ONE_MEMBER = re.compile(r"[^、“”]{4,}[^高平同优初中上下均特三二一]等(?=[\u4e00-\u9fff]{4,}$)")


def _without_brackets(text: str) -> str:
    """The text without what brackets add to a name: its period, its number, 以下简称."""
    return BRACKETED.sub("", text) if "(" in text else text


def _begun_anew(name: str) -> str:
    """The noun phrase behind a time or a sum in mid-phrase, '' where there is none."""
    if INNER.search(name, 2) is None:
        return ""
    inner = next((m for m in reversed(list(INNER.finditer(name))) if m.start() >= 2), None)
    if inner is None:
        return ""
    anew = strip_tail(strip_lead(_last_of_list(name[inner.end() :])))
    if anew in ("投入", "入库", "到位") and INVESTED.search(name, 0, inner.start()):
        return strip_lead(name[: inner.start()])  # 固定资产投资累计投入
    if anew in generic_heads() or anew in ACTS or is_bare_verb(anew):
        # 服务业累计营收, 第一针累计接种: the sum is of what stands before it.
        anew = strip_lead(name[: inner.start()]) + anew
    return anew if len(anew) >= 2 else ""


DONE_OF = re.compile(r"完成|实现|达到")
# 新能源项目已完成投资: what a project has of it is its investment.
DONE_BY = re.compile(
    r"(?<=项目|工程|企业|产业|园区|公司)(?:目前|预计|全年)?已?(?:累计)?(?:完成|实现|达到)(?=总?投资|总?产值|工程量|税收|营业?收)"
)
# What is done to people, who stand before the sum: 3-11岁人群累计接种35649人.
ACTS = frozenset({"接种", "检测", "采样", "体检"})
INVESTED = re.compile(r"(?:投资|资金|经费)$")
# A time or a sum in mid-phrase begins the noun phrase anew (the pause before it was lost or left out).
INNER = re.compile(r"(?:全年|今年以来|今年|截至目前|目前|累计|共计|合计|总计|一共|先后|期间)(?!计|率)")
SUMS_UP = frozenset(("资金", "活动", "项目", "工程", "补贴", "物资", "费用", "款项", "设施", "工作"))
MEMBERS = re.compile(r"^(?P<members>.*[、“”].*?[^高平同优初中上下均特三二一])等(?:地|镇|乡)?(?=.{2})")


def _last_of_list(name: str) -> str:
    """`香榧巧克力、香榧香薰等系列衍生产品` is about 系列衍生产品."""
    match = (MEMBERS.match(name) or ONE_MEMBER.match(name)) if "等" in name else None
    # 低保、特困供养等资金: what sums them up says too little alone.
    return name[match.end() :] if match and name[match.end() :] not in SUMS_UP else name


OF_PLAN = re.compile("度?(?:计划|目标|任务)")


def strip_lead(name: str) -> str:
    """Without adverbs, times and light verbs at its start, unless nothing would be left."""
    while True:
        before = name
        span = SPAN.match(name)
        if span and span.end() and not OF_PLAN.match(name, span.end()):
            name = name[span.end() :].lstrip(EDGE + "度份底末止")
        name = _without_lead_words(name)
        light = _light().match(name)
        if light and not _whole().match(name) and not _bare().fullmatch(name):
            name = name[light.end() :]
        name = name.lstrip(EDGE)
        if name == before or not name:
            return name


def _without_lead_words(name: str) -> str:
    """`name` without its leading adverbs, but never into a word that merely begins like one."""
    words = _lead_words().match(name)
    return name[words.end() :] if words else name


@cache
def _whole() -> re.Pattern[str]:
    return re.compile(one_of(read_words(RULES, "whole")))


@cache
def _lead_words() -> re.Pattern[str]:
    whole, lead = (read_words(RULES, key) for key in ("whole", "lead"))
    first = begins_as(lead)
    return re.compile(rf"(?:{first}(?!{one_of(whole)}){one_of(lead)}(?:(?<=其中)|(?!县|局|村委|委会)))+")


LASTS = re.compile(r"连续[两三四五六七八九十\d]+年$")  # 粮食总产连续五年稳定在5.2万吨
KEEP_END = re.compile(
    r"(?:[签预节履集]约|[主重需纪摘首]要|[统会设审]计|[通经]过|[日月户亩人村职]均|惠及|涉及|普及|危及|行为|作为|不动|税收|总额|增加值|存|收入|达标|试点|以上|批准|所在|大数据|养老|新|所得|净增|[国所没持具占享私公含独]有)$"
)


def strip_tail(name: str) -> str:
    """Without the words that link a noun phrase to its figure."""
    while True:
        tail = _tail().search(name)
        if tail is None and name.endswith("年"):
            return LASTS.sub("", name)
        if tail is None or KEEP_END.search(name) or _bare().fullmatch(name):
            return name
        if tail.start() == 0:
            return "" if REACHING.fullmatch(name) else name
        name = name[: tail.start()].rstrip(EDGE)


# What is left of a clause that only says how far its figure went: 力争全年突破4.3亿元.
REACHING = re.compile(
    r"突破|超过?|达到?|逾|完成|实现|(?:增加|提高|增长|提升|上升|下降|扩大)[到至]|[增升降]至|[稳保维控][定持制]在"
)


def _balance_quotes(name: str) -> str:
    if "“" not in name and "”" not in name:
        return name
    if name.count("“") == name.count("”"):
        return name
    return name.replace("“", "").replace("”", "")


CUT = re.compile(
    r"(?:,|中(?=[仍还已有])|同比|共计|累计|总计|合计|达到$|实现(?!率)|共(?=$)|较上年|比上年|进入|成为|(?<![亩人户])均(?![衡税产价值收])|已(?!经)|目前|正在|预计|以及|(?<!创建)(?<![评列作定予名])为(?!民)|位居|居全|获评|荣获|于(?=\d)|并(?!购)|之间)"
)
# Where the noun phrase is whole, its predicate is no part of the name.
PREDICATE = re.compile(
    r"(?<=.{3})(?:全覆盖|纳入|入选|参加|参与|通过|投入|落户|入驻|受益|脱贫|销售额|销售收入|产值|用于|全部|按期|顺利)"
    r"|(?:(?<=小学|中学|学校|企业|公司|社区|医院)|(?<=幼儿园|合作社))(?:招收|招生|开展|获|荣获)"
)
# What happens next to what was counted: 新建果园300亩正在办理手续.
GOES_ON = re.compile(r"已(?!办)|正在?|将|可(?!回)|进行|预计")
# What a figure is spent on or for is said in a clause of its own: 投资10万元对老路进行修复.
TURNS = re.compile(r"对(?!口|外|接)|用于|以(?!工代)")
# 9个村全部实现通自来水: what is counted are villages, what is said of them names the count.
OF_VILLAGES = re.compile(
    r"村(?![级民集委组屯庄社史干道容街中共合总(])(?:的|全部|均|都|已|也|先|顺利|成功|完成了?|实现了?)*(?=[^,。]{2})"
)
# 26个村(社区)集体经济总收入达1142万元: the income is a figure of its own.
OR_COMMUNITIES = re.compile(r"(?:行政)?村(?:\((?:社区|居)\)|居)(?=集体)")
ALL = re.compile(r"^(?:已|均|都)?(?:全部|全面)(?:已|实现|完成)*(?=.)")
GIVEN = re.compile(r"^元?大关|^(?:被)?(?:评|授予|列|认定|命名|确定|推荐)为?")
WORK = re.compile(r"(?:工作|任务|相关工作|等工作|各项工作)$")
DONE = re.compile(r"(?:也|顺利|全部|已|全面|圆满|成功|基本|均|陆续|相继|初步)*(?:完成|实现)(?:了)?")


def clean_object(text: str, unit: str) -> str:
    """The noun phrase that follows a figure (`23个重点工程项目落地`), up to where its predicate turns to something else."""
    text = _without_brackets(text).strip(EDGE).lstrip("的")
    if not text:
        return ""
    text = GIVEN.sub("", text)
    text = "人" + text if unit == "人" and text.startswith("口") else text  # 45万人口
    text = "" if TURNS.match(text) else text
    villages = OF_VILLAGES.match(text) if unit == "个" else None
    if villages and not is_bare_verb(text[villages.end() :]):
        text = text[villages.end() :]
    if villages := OR_COMMUNITIES.match(text):
        return villages[0]
    text = ALL.sub("", text)
    pause = text.find("、")
    if pause >= 4 and len(text) > 12:
        text = text[:pause]
    cuts = [cut.start() for cut in (PREDICATE.search(text), CUT.search(text, 1)) if cut]
    text = text[: min(cuts)] if cuts else text
    done = DONE.search(text)
    if done and done.start() > 0 and done.end() < len(text):
        text = text[: done.start()] + text[done.end() :]
    elif done and done.start() == 0:
        text = text[done.end() :]
    text = WORK.sub("", text.strip(EDGE))
    return _balance_quotes(OPEN.sub("", text) if text.count("(") != text.count(")") else text).strip(EDGE)
