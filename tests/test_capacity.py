"""What operations cost on DynamoDB: the write units of a typical report, the read units of a GET."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.consumed import Meter
from chalicelib.catalog import one_report
from chalicelib.storage import Storage
from tests.made_reports import drop

SEEDS = Path(__file__).resolve().parent.parent / "seeds"
pytestmark = pytest.mark.engines


@pytest.mark.parametrize(("seed", "figures"), [("稽东镇-2023", 64), ("亭旁镇-2022", 39)])
def test_a_typical_report_costs_at_most_40_write_units_and_its_get_2_read_units(
    engines_storage: Storage, seed: str, figures: int
) -> None:
    meter = Meter(engines_storage)
    with meter.counting() as written:
        state = drop(engines_storage, "a.txt", (SEEDS / f"{seed}.txt").read_bytes())
    assert (
        len(one_report.indicators(engines_storage, state["report"]["id"], None, cursor=None, limit=999).data) == figures
    )
    # The upload's own announcement is one more.
    assert 20 < written.write_units + 1 <= 40
    assert written.requests["TransactWriteItems"] == written.requests["BatchWriteItem"] == 1
    with meter.counting() as read:
        one_report.record(engines_storage, state["report"]["id"])
    assert dict(read.requests) == {"GetItem": 1, "GetObject": 1}
    assert read.read_units <= 2
