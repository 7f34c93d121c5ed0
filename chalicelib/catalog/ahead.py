"""Rows that a large report's revision wrote ahead of the one commit that shows it: which count, and which can go."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from chalicelib.catalog import layout
from chalicelib.storage import Delete, Entry, Index


def is_visible(index: Index, entry: Entry) -> bool:
    """Whether an entry counts: any but a row of a revision that its report does not have now. One get for such a row."""
    ahead = layout.read_ahead(entry.pk, entry.sk)
    if ahead is None:
        return True
    head = index.get(*layout.head(ahead.report_id))
    return head is not None and orjson.loads(head.body)["revision"] == ahead.revision


def remove_replaced(index: Index, report_id: str, number: int) -> None:
    """Remove the rows ahead of all revisions before `number`, which is visible: replaced, or left by a killed writer."""
    for mark, keys in _marks(index, report_id, number):
        # The mark goes last: what is left after a failure is found by the next revision.
        writes = [*(Delete(*key) for key in keys), mark]
        for start in range(0, len(writes), layout.TRANSACTION):
            index.commit(writes[start : start + layout.TRANSACTION])


def _marks(index: Index, report_id: str, before: int) -> Iterator[tuple[Delete, list[tuple[str, str]]]]:
    pk, prefix = layout.marks_ahead(report_id)
    for entry in index.query(pk, prefix=prefix):
        if entry.sk < layout.mark_ahead(report_id, before).sk:
            yield Delete(entry.pk, entry.sk), orjson.loads(entry.body)
