"""Small records, published through the layout alone: what reading and ingestion make is theirs to test."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from chalicelib import divisions
from chalicelib.catalog import layout
from chalicelib.catalog.paging import Page
from chalicelib.storage import Delete, Put, Storage

Record = dict[str, Any]
TEXT = "亭旁镇工作总结\n\n一、产业\n完成投资1.5亿元。\n(一)工业\n新增企业3家。\n二、民生\n参保率99.5%。"
TINGPANG, FANGCHENG = "331022103", "331083106"


def plain(page: Page) -> list[Any]:
    """The rows of a page as a client reads them."""
    rows: list[Any] = orjson.loads(orjson.dumps(page.data))
    return rows


def indicator(
    number: int, concept: str | None = "fixed_asset_investment", year: int | None = 2022, **more: Any
) -> Record:
    return {
        "id": f"i{number}",
        "section": "s1",
        "name": "投资",
        "concept": concept,
        "concept_rule": concept and f"alias {concept}: 投资",
        "value": 150000000 + number,
        "unit": "元",
        "bound": "=",
        "yoy": 34.15,
        "standard": {"value": 150000000 + number, "unit": "CNY"},
        "year": year,
        "months": None,
        "status": "actual",
        "place": None,
        "evidence": {"start": 15, "end": 24, "quote": "完成投资1.5亿元。", "number": "1.5亿元", "number_start": 19},
        **more,
    }


def record(
    code: str = TINGPANG,
    year: int = 2022,
    revision: int = 1,
    indicators: list[Record] | None = None,
    text: str = TEXT,
    suffix: str = "",
    **more: Any,
) -> Record:
    place = dict(divisions.place(code))
    return {
        "id": f"{code}-{year}{suffix}",
        "revision": revision,
        "kind": "annual",
        "title": f"{place['name']}{year}年工作总结",
        "township": place,
        "candidates": [],
        "review_year": year,
        "plan_year": None,
        "issuer": None,
        "issued": None,
        "published": None,
        "index_number": None,
        "source": {
            "sha256": hashlib.sha256(f"{code}{year}{suffix}{revision}".encode()).hexdigest(),
            "filename": f"{place['name']}{year}.txt",
            "format": "text",
            "encoding": "utf-8",
            "bytes": len(text.encode()),
        },
        "sections": _sections(text),
        "indicators": [indicator(1)] if indicators is None else indicators,
        "checks": [],
        "parser": {"version": "0.0.0", "rules": "0" * 64},
        **more,
    }


def _sections(text: str) -> list[Record]:
    starts = [(text.index(head), head) for head in ("一、产业", "(一)工业", "二、民生") if head in text]
    if len(starts) < 3:
        return []
    ends, labels = (starts[2][0], starts[2][0], len(text)), ("一", "一", "二")
    return [
        {
            "id": f"s{n}",
            "parent": "s1" if n == 2 else None,
            "level": 2 if n == 2 else 1,
            "label": label,
            "title": head[-2:],
            "start": start,
            "end": end,
            "title_start": start + len(head) - 2,
            "title_end": start + len(head),
        }
        for n, ((start, head), end, label) in enumerate(zip(starts, ends, labels, strict=True), 1)
    ]


MOMENT = "2024-03-01T08:30:00.000Z"


def publish(
    storage: Storage, new: Record, previous: Record | None = None, text: str = TEXT, moment: str = MOMENT
) -> bytes:
    """Make a record visible, objects first; its bytes as stored. `moment` is when the list of changes has it."""
    body = orjson.dumps(new, option=orjson.OPT_APPEND_NEWLINE)
    storage.objects.put(layout.raw_object(new["source"]["sha256"]), text.encode())
    storage.objects.put(layout.record_object(new["id"], new["revision"]), body)
    storage.objects.put(layout.text_object(new["id"], new["revision"]), text.encode())
    summary = layout.summarise(new, "2024-03-01T08:30:00Z", hashlib.sha256(body).hexdigest())
    token = f"{new['revision']:08x}"
    position = layout.position(moment, new["id"], token)
    told = {**layout.revision_line(summary), "known_as": [None], "position": position}
    storage.objects.put(layout.shown_object(new["id"], new["revision"], token), orjson.dumps(told))
    storage.index.write(layout.row_puts(new, token))
    if previous:
        storage.index.write([Delete(*key) for key in layout.row_bodies(previous, f"{previous['revision']:08x}")])
    year = Put(*layout.listed_year(new["id"]), b"{}")
    number = new["revision"]
    change = layout.change_body(summary, {"revision": number - 1} if number > 1 else None)
    changes = [Put(*layout.change(position), change), Put(*layout.changed_month(position), b"{}")]
    storage.index.commit([year, *changes, *layout.shown_writes(summary, token)])
    return body
