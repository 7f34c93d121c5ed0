"""What stands below the text: the indicators, the remarks, the outline, the refused numbers, and what each rule says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from chalicelib.explain.escape import show, show_plain
from chalicelib.explain.model import Cause, Explanation
from chalicelib.explain.reasons import Reason, reasons

COLUMNS = (
    ("id", "编号"),
    ("name", "名称"),
    ("value", "数值"),
    ("unit", "单位"),
    ("bound", "界限"),
    ("yoy", "增长 %"),
    ("year", "年份"),
    ("months", "月份"),
    ("status", "性质"),
    ("place", "所属"),
    ("concept", "概念"),
    ("concept_rule", "概念规则"),
    ("standard", "标准单位"),
    ("section", "章节"),
    ("name rule", "名称的来由"),
    ("time rule", "时间的来由"),
    ("status rule", "性质的来由"),
    ("growth rule", "增长的来由"),
    ("bound rule", "界限的来由"),
    ("concept basis", "概念的来由"),
)
RULES = {
    "name": "name rule",
    "time": "time rule",
    "status": "status rule",
    "growth": "growth rule",
    "bound": "bound rule",
    "concept": "concept basis",
}
NUMERIC = {"value", "yoy", "year", "standard"}


def render_indicators(explanation: Explanation) -> Iterator[str]:
    """The table of all indicators with all their fields; row `i5` is that of indicator i5."""
    places: dict[int, int] = {}
    for at, mark in enumerate(explanation.marks):
        for n in mark.indicators if mark.kind == "indicator" else ():
            places.setdefault(n, at)
    yield (
        "<thead><tr>" + "".join(f"<th scope=col>{zh}<i>{key}</i></th>" for key, zh in COLUMNS) + "</tr></thead><tbody>"
    )
    for n, (indicator, trace) in enumerate(zip(explanation.record["indicators"], explanation.traces, strict=True)):
        causes = {RULES[decided]: _cause(cause, explanation.text) for decided, cause in trace.causes().items()}
        cells = (causes[key] if key in causes else _field(key, indicator, places[n]) for key, _ in COLUMNS)
        row = "".join(
            f"<td{' class=num' if key in NUMERIC else ''}>{cell}</td>"
            for (key, _), cell in zip(COLUMNS, cells, strict=True)
        )
        yield f'<tr id="i{n + 1}">{row}</tr>'
    yield "</tbody>"


def _field(key: str, indicator: dict[str, Any], place: int) -> str:
    value = indicator.get(key)
    if value is None:
        return ""
    if key == "id":
        return f'<a href="#n{place}">{show(value)}</a>'
    if key == "section":
        return f'<a href="#t-{show_plain(value)}">{show(value)}</a>'
    if key == "months":
        return f"{value[0]}-{value[1]}"
    if key == "standard":
        return show(f"{value['value']:f} {value['unit']}")
    return show(f"{value:f}" if key in ("value", "yoy") else str(value))


def _cause(cause: Cause, text: str) -> str:
    quote = text[slice(*cause.at)].strip() if cause.at else ""
    words = f" <q>{show(quote if len(quote) <= 40 else quote[:20] + '…' + quote[-19:])}</q>" if quote else ""
    return f'<a href="#rule-{cause.rule}">{cause.rule}</a>{words}'


def render_checks(explanation: Explanation) -> Iterator[str]:
    """The remarks of the record, each with a link to its indicator."""
    for check in explanation.record["checks"]:
        of = check["indicator"]
        link = f'<a href="#{show_plain(of)}">{show(of)}</a> ' if of else ""
        yield f"<li>{link}<code>{show(check['rule'])}</code> {show(check['message'])}</li>"


def render_outline(explanation: Explanation) -> Iterator[str]:
    """The headings; row `s1` is that of section s1."""
    yield "<thead><tr><th scope=col>编号<i>id</i></th><th scope=col>层级<i>level</i></th><th scope=col>序号<i>label</i></th>"
    yield "<th scope=col>标题<i>title</i></th><th scope=col>上级<i>parent</i></th><th scope=col>规则<i>rule</i></th>"
    yield "</tr></thead><tbody>"
    for s, rule in zip(explanation.record["sections"], explanation.headings, strict=True):
        name = show_plain(s["id"])
        cells = f"<td class=num>{s['level']}</td><td>{show(s['label'] or '')}</td><td>{show(s['title'])}</td>"
        parent = show(s["parent"] or "")
        yield f'<tr id="{name}"><td><a href="#t-{name}">{name}</a></td>{cells}<td>{parent}</td>'
        yield f'<td><a href="#rule-{rule}">{rule}</a></td></tr>'
    yield "</tbody>"


def render_refused(explanation: Explanation) -> Iterator[str]:
    """The refused numbers by rule, the commonest rule first, each number with a link to its place."""
    places: dict[str, list[int]] = defaultdict(list)
    for at, mark in enumerate(explanation.marks):
        if mark.kind == "refused":
            places[mark.rule].append(at)
    for rule, numbers in sorted(places.items(), key=lambda pair: (reasons()[pair[0]].about, -len(pair[1]), pair[0])):
        reason = reasons()[rule]
        yield f'<details id="rule-{rule}"><summary>{_said(reason)} <b class=count>{len(numbers)}</b></summary><p>'
        for at in numbers:
            mark = explanation.marks[at]
            yield f'<a href="#n{at}">{show(explanation.text[mark.start : mark.end])}</a> '
        yield "</p></details>"


def render_rules(explanation: Explanation) -> Iterator[str]:
    """What the rules say that named the indicators and gave them their time, status and growth, with how often each did."""
    counts: dict[str, int] = defaultdict(int)
    for trace in explanation.traces:
        for cause in trace.causes().values():
            counts[cause.rule] += 1
    for rule in explanation.headings:
        counts[rule] += 1
    for mark in explanation.marks:
        counts[mark.rule] += mark.rule == "completes_growth"
    for reason in reasons().values():
        if reason.about not in ("refused", "date", "word") and counts.get(reason.rule):
            yield f'<li id="rule-{reason.rule}">{_said(reason)} <b class=count>{counts[reason.rule]}</b></li>'


def _said(reason: Reason) -> str:
    return f"<code>{reason.rule}</code> {show(reason.zh)} <span lang=en>{show(reason.en)}</span>"
