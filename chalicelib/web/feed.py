"""The changes as an Atom feed (RFC 4287)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as Xml

from chalicelib.catalog import changes as log
from chalicelib.web.replies import VARY, Ask, Reply, next_address

ATOM = "application/atom+xml; charset=utf-8"
NAMESPACE = "http://www.w3.org/2005/Atom"
# Of a feed that nothing happened in yet: one has to be stated, and it must not change with each request.
NEVER_UPDATED = "1970-01-01T00:00:00Z"
LABELS = {"added": "新增", "revised": "修订", "withdrawn": "撤回", "restored": "恢复"}


def feed_reply(ask: Ask) -> Reply:
    """The newest changes; those since a time or behind a cursor with a link to the following ones."""
    if ask["since"] is None and ask["cursor"] is None:
        return Reply(write_feed(ask, log.newest(ask.storage, ask["limit"], ask.now), None), ATOM, headers=VARY)
    page = log.changes(ask.storage, **ask.given, now=ask.now)
    assert page.next
    return Reply(write_feed(ask, page.data, next_address(ask, page.next)), ATOM, headers=VARY)


def record_url(ask: Ask, change: dict[str, Any]) -> str:
    """The address of the record as this change made it."""
    return ask.url(f"/v1/reports/{change['report']}?revision={change['revision']}")


def write_feed(ask: Ask, changes: Sequence[dict[str, Any]], following: str | None) -> bytes:
    """The feed of changes as they come; `following` is the address of those after them."""
    feed = Xml.Element("feed", {"xmlns": NAMESPACE, "xml:lang": "zh"})
    _text(feed, "id", ask.url(ask.path))
    _text(feed, "title", "乡镇工作报告:更新 Township reports: changes")
    _text(feed, "updated", max((change["time"] for change in changes), default=NEVER_UPDATED))
    _text(Xml.SubElement(feed, "author"), "name", "Township Reports")
    _link(feed, "self", ask.url(ask.path), "application/atom+xml")
    _link(feed, "alternate", ask.url("/v1/changes"), "application/json")
    if following:
        _link(feed, "next", following, "application/atom+xml")
    for change in changes:
        _add(Xml.SubElement(feed, "entry"), ask, change)
    return bytes(Xml.tostring(feed, encoding="utf-8", xml_declaration=True))


def _add(entry: Xml.Element, ask: Ask, change: dict[str, Any]) -> None:
    place = change["township"]
    name = " ".join(filter(None, (place["province"], place["county"], place["name"])))
    _text(entry, "id", record_url(ask, change))
    _text(entry, "title", f"{LABELS[change['change']]} {change['title']}({name})")
    _text(entry, "updated", change["time"])
    _link(entry, "alternate", ask.url(f"/v1/reports/{change['report']}"), "application/json")
    Xml.SubElement(entry, "category", {"term": change["change"]})
    _text(entry, "summary", f"{change['report']}, revision {change['revision']}: {change['change']}")


def _text(parent: Xml.Element, name: str, text: str) -> None:
    # XML has no way at all to write most control characters, and a title may come with one.
    Xml.SubElement(parent, name).text = "".join(c for c in text if c.isprintable() or c in "\t\n")


def _link(parent: Xml.Element, rel: str, href: str, media: str) -> None:
    Xml.SubElement(parent, "link", {"rel": rel, "href": href, "type": media})
