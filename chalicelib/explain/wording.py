"""Where the words of an indicator's name stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.explain.model import Cause
from chalicelib.reading.clauses import LONGEST
from chalicelib.reading.figures import Growth, Item, item_start

if TYPE_CHECKING:
    from chalicelib.explain.watch import Watch


def trace_name(watch: Watch, item: Item, name: str, *, anchor: bool, reached: bool) -> Cause:
    """The step that named the figure; for one that is named by the words around it, where these stand."""
    if watch.step:
        return Cause(watch.step)
    if reached:
        return Cause("share_of_target")
    if watch.leads_from and name == watch.leads_from:
        return Cause("change_target")
    if not anchor:
        return Cause("change_of_value")  # no growth or share can be of a change
    return _around(watch, item, name)


def _around(watch: Watch, item: Item, name: str) -> Cause:
    folded, start = watch.folded, item.start if isinstance(item, Growth) else item_start(item)
    own = start - len(watch.before) if folded.endswith(watch.before, 0, start) else start
    end = watch.clause.end if watch.clause else item.end
    opens = max(watch.opens, start - LONGEST)
    if (at := folded.rfind(name, own, start)) >= 0:
        return Cause("name_before", (at, at + len(name)))
    if (at := folded.find(name, item.end, end)) >= 0:
        return Cause("name_behind", (at, at + len(name)))
    for cut in range(len(name) - 1, 0, -1):
        before, behind = folded.rfind(name[:cut], own, start), folded.find(name[cut:], item.end, end)
        if before >= 0 and behind >= 0:
            return Cause("name_around", (before, behind + len(name) - cut))
    if (at := folded.rfind(name, opens, start)) >= 0:
        return Cause("name_carried", (at, at + len(name)))
    for cut in range(len(name) - 1, 0, -1):
        before, rest = folded.rfind(name[:cut], opens, start), folded.find(name[cut:], own, end)
        if before >= 0 and rest >= 0:
            return Cause("name_completed", (before, max(start, rest + len(name) - cut)))
    return Cause("name_composed", (opens, end))
