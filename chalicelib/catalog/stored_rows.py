"""The body of an entry of indicator rows: a line of JSON for each row, in runs of one figure year.

A first line tells the runs, so that what is asked of one year costs that year alone, and rows that no filter looks into
are never parsed. Runs of an entry that would fill more than one KB are deflated, for the write of an item is billed by
the KB; `z` before the first line says so.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any

import orjson

Row = dict[str, Any]

PLAIN = 900  # bytes of rows that with their key stay below 1 KB
# What rows have in common, the most frequent last. Stored rows cannot be read with another one.
_COMMON = (
    '"concept_rule":"alias ","unit":"%","bound":">=","standard":{"value":,"unit":"percent"},"months":[1,6],'
    '"status":"target","place":""{"report":"","revision":1,"township":{"code":"","name":"镇","county":"县",'
    '"prefecture":"市","province":"省"},"id":"i1","section":"s1","name":"","concept":null,"concept_rule":null,'
    '"value":null,"unit":"万元","bound":"=","yoy":null,"standard":{"value":0,"unit":"CNY"},"year":20,"months":null,'
    '"status":"actual","place":null,"evidence":{"start":,"end":,"quote":"","number":"","number_start":}}'
).encode()


def write_rows(rows: Sequence[Row]) -> bytes:
    """The rows, by the year that their figures speak of (those without one last), each year's in the order given."""
    years = sorted({row["year"] for row in rows}, key=lambda year: (year is None, year))
    runs = [(year, b"\n".join(orjson.dumps(row) for row in rows if row["year"] == year)) for year in years]
    plain = _written(runs)
    return plain if len(plain) <= PLAIN else b"z" + _written([(year, _deflate(run)) for year, run in runs])


def read_lines(body: bytes, holds: Callable[[int | None], bool] | None = None) -> list[bytes]:
    """The rows as JSON, of the figure years that `holds`, or of all."""
    deflated, at = body.startswith(b"z"), body.index(b"\n") + 1
    if holds is None and not deflated:
        return body[at:].split(b"\n") if at < len(body) else []
    lines = list[bytes]()
    for year, size in orjson.loads(body[deflated : at - 1]):
        if holds is None or holds(year):
            run = body[at : at + size]
            lines += (_inflate(run) if deflated else run).split(b"\n")
        at += size + 1
    return lines


def read_rows(body: bytes) -> list[Row]:
    """The rows, parsed."""
    return [orjson.loads(line) for line in read_lines(body)]


def _written(runs: Sequence[tuple[int | None, bytes]]) -> bytes:
    return orjson.dumps([(year, len(run)) for year, run in runs]) + b"\n" + b"\n".join(run for _, run in runs)


def _deflate(run: bytes) -> bytes:
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9, zdict=_COMMON)
    return squeezer.compress(run) + squeezer.flush()


def _inflate(run: bytes) -> bytes:
    return zlib.decompressobj(-zlib.MAX_WBITS, zdict=_COMMON).decompress(run)
