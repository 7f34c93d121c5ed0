"""What a verification found, for people."""

from __future__ import annotations

from chalicelib.maintenance.verify import Findings

SHOWN = 100


def tell(found: Findings) -> int:
    """Print the findings; 1 if anything differs, else 0."""
    for each in found.differences[:SHOWN]:
        print(f"{each.kind}: {each.where}")
    if len(found.differences) > SHOWN:
        print(f"… and {len(found.differences) - SHOWN} more")
    for key in found.waiting[:SHOWN]:
        print(f"waits to be read: {key}")
    if found.writing:
        print(f"{found.writing} writings are under way, or broke off within the last two hours")
    walked = f"{found.reports} reports, {found.revisions} revisions, {found.uploads} uploads, {found.entries} entries"
    print(f"{walked}: {len(found.differences) or 'no'} difference{'s' * (len(found.differences) != 1)}")
    return 1 if found.differences else 0
