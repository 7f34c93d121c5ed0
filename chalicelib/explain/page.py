"""The explanation as one HTML page that needs nothing but itself."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

from chalicelib.explain.body import class_of, render_body
from chalicelib.explain.escape import show, show_plain
from chalicelib.explain.lists import (
    render_checks,
    render_indicators,
    render_outline,
    render_refused,
    render_rules,
)
from chalicelib.explain.model import Explanation
from chalicelib.explain.style import SCRIPT, STYLE

LEGEND = (
    ("i", "指标", "indicator"),
    ("g", "增长", "growth"),
    ("h", "标题", "heading"),
    ("t", "日期和时段", "date or period"),
    ("r", "不采用的数字", "refused"),
    ("w", "词语中的数字", "part of a word"),
)


def render_page(explanation: Explanation) -> str:
    """The page, in UTF-8 once encoded: text with marks, fields and rules; it loads nothing and runs only its own script."""
    return "".join(_page(explanation))


def _page(explanation: Explanation) -> Iterator[str]:
    record = explanation.record
    title = record["title"] or record["source"]["filename"]
    own = f"style-src '{_hash(STYLE)}'; script-src '{_hash(SCRIPT)}'"
    policy = f"default-src 'none'; {own}; base-uri 'none'; form-action 'none'"
    yield '<!doctype html>\n<html lang="zh-CN"><head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{show_plain(title)} · 读取说明</title><style>{STYLE}</style></head>\n<body>"
    yield f"<header><h1>{show(title)}</h1>{_facts(explanation)}</header>\n"
    yield f'<div class="bar">{_legend(explanation)}</div>\n'
    yield '<main><article id="text" aria-label="报告正文">\n'
    for block in render_body(explanation):
        yield block + "\n"
    yield '</article>\n<aside id="panel" aria-live="polite" aria-label="所选数字">'
    yield '<p class="hint">选一个有标记的数字，这里就列出它的字段和规则。'
    yield "<span lang=en>Choose a marked number: its fields and its rule appear here.</span></p></aside></main>\n"
    yield from _lists(explanation)
    yield f"<script>{SCRIPT}</script></body></html>\n"


def _hash(code: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()


def _lists(explanation: Explanation) -> Iterator[str]:
    record = explanation.record
    yield _head("indicators", "指标", "indicators", len(record["indicators"]))
    yield '<div class="wide" tabindex="0" role="region" aria-labelledby="h-indicators"><table>'
    yield "\n".join(render_indicators(explanation)) + "</table></div></section>\n"
    yield _head("checks", "核对提示", "remarks", len(record["checks"]))
    yield f"<ul>{''.join(render_checks(explanation)) or '<li>没有提示。<span lang=en>None.</span></li>'}</ul></section>\n"
    refused = sum(mark.kind == "refused" for mark in explanation.marks)
    yield _head("refused", "不采用的数字", "numbers refused, by rule", refused)
    yield "\n".join(render_refused(explanation)) + "</section>\n"
    yield _head("rules", "采用的规则", "rules that made indicators and headings", None)
    yield f"<ul>{''.join(render_rules(explanation))}</ul></section>\n"
    yield _head("outline", "标题", "headings", len(record["sections"]))
    yield '<div class="wide" tabindex="0" role="region" aria-labelledby="h-outline"><table>'
    yield "".join(render_outline(explanation)) + "</table></div></section>\n"


def _head(name: str, zh: str, en: str, count: int | None) -> str:
    number = f" <b class=count>{count}</b>" if count is not None else ""
    return f'<section id="{name}"><h2 id="h-{name}">{zh} <span lang=en>{en}</span>{number}</h2>'


# --- the head ------------------------------------------------------------------------------------------------------


def _facts(explanation: Explanation) -> str:
    record = explanation.record
    source, parser, township = record["source"], record["parser"], record["township"]
    place = "".join(township[key] or "" for key in ("province", "prefecture", "county", "name"))
    facts = (
        ("编号", "id", record["id"]),
        ("乡镇", "township", f"{place} {township['code'] or ''}".strip()),
        ("报告年份", "review_year", record["review_year"]),
        ("计划年份", "plan_year", record["plan_year"]),
        ("类别", "kind", record["kind"]),
        ("发布单位", "issuer", record["issuer"]),
        ("成文日期", "issued", record["issued"]),
        ("发布日期", "published", record["published"]),
        ("索引号", "index_number", record["index_number"]),
        ("文件", "source", f"{source['filename']} · {source['format']} · {source['encoding']} · {source['bytes']} B"),
        ("SHA-256", "sha256", source["sha256"]),
        ("解析器", "parser", f"{parser['version']} · {parser['rules'][:12]}"),
    )
    rows = "".join(
        f"<div><dt>{zh} <i>{key}</i></dt><dd class={key}>{_fact(value)}</dd></div>" for zh, key, value in facts
    )
    return f"<dl class=facts>{rows}</dl>{_candidates(record['candidates'])}"


def _fact(value: object) -> str:
    return (
        show(str(value))
        if value not in (None, "")
        else '<span class=none>未写明 <span lang="en">not stated</span></span>'
    )


def _candidates(candidates: list[dict[str, Any]]) -> str:
    if not candidates:
        return ""
    rows = "".join(
        f"<li>{show(''.join(c[key] or '' for key in ('province', 'prefecture', 'county', 'name')))} "
        f"<code>{show(c['code'] or '')}</code> <q>{show('；'.join(c['evidence']))}</q></li>"
        for c in candidates
    )
    count = f"<b class=count>{len(candidates)}</b>"
    return f"<details open><summary>乡镇未定，可能是 <span lang=en>candidates</span> {count}</summary><ol>{rows}</ol></details>"


def _legend(explanation: Explanation) -> str:
    """What each mark looks like, how many there are, and a box to hide them."""
    counts = Counter(class_of(mark) for mark in explanation.marks)
    counts["h"] = len(explanation.record["sections"])
    boxes = "".join(
        f'<label><input type="checkbox" id="show-{kind}" checked><span class="{kind}">{zh}</span> '
        f"<span lang=en>{en}</span> <b class=count>{counts[kind]}</b></label>"
        for kind, zh, en in LEGEND
    )
    links = (("indicators", "指标表"), ("checks", "提示"), ("refused", "不采用"), ("outline", "标题"))
    return (
        f"<fieldset><legend>图例</legend>{boxes}</fieldset><nav>"
        + "".join(f'<a href="#{to}">{zh}</a>' for to, zh in links)
        + "</nav>"
    )
