"""How many reports and figures there are, by year, province and concept: made of the parts' notes, read by `catalog.counts`.

The first line has what is counted of reports, each of the others a concept and its figures.
"""

from __future__ import annotations

from typing import Any

import orjson

from chalicelib.bulk.parts import Counts
from chalicelib.catalog.partitions import Partition


class Cube:
    """The counts of all parts. Those of figures are kept as the text that they become, for there are hundreds of thousands."""

    def __init__(self) -> None:
        self._reports: list[list[Any]] = []
        self._figures: dict[str, bytearray] = {}

    def add(self, partition: Partition, counts: Counts) -> None:
        """Parts come once each, by year and province."""
        self._reports.append([*partition, counts.reports, counts.withdrawn, counts.townships])
        for concept, years in counts.figures.items():
            line = self._figures.setdefault(concept, bytearray())
            for year, number in years.items():
                line += b'[%s,"%s",%d],' % (year.encode() or b"null", partition.province.encode(), number)

    def body(self, complete_to: str, rejected: dict[str, int]) -> bytes:
        """`rejected`: how many files were refused, by the code of a province, "" for those of none."""
        first = orjson.dumps({"complete_to": complete_to, "reports": self._reports, "rejected": rejected})
        concepts = (b'["%s",[%s]]' % (concept.encode(), line[:-1]) for concept, line in sorted(self._figures.items()))
        return b"\n".join((first, *concepts)) + b"\n"
