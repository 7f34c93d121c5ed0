"""What the service costs in a month on AWS, reckoned with the figures that bench.capacity measured.

    .venv/bin/python -m bench.capacity --out build/capacity.json
    .venv/bin/python -m bench.monthly_bill build/capacity.json

41,000 townships with 15 reports each, a million GETs a day, and a report of each township a year. Prices are the list
prices of us-east-1 in US dollars, without free tiers.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

REPORTS = 41_000 * 15
NEW = 41_000 / 12  # a month
GETS = 1_000_000 * 30.4  # a month

# How the GETs fall on the addresses; the rest of the figures does not hang on it much.
MIX = {
    "report": 0.40,
    "report's indicators": 0.15,
    "township's indicators": 0.20,
    "township's reports": 0.10,
    "concept's rows of a year": 0.10,
    "text": 0.05,
}
# Assumed, since only AWS can tell: what a function is billed for, and the ones that answer 304 from a cache are none.
GET_SECONDS, GET_MB = 0.060, 1024
INGEST_SECONDS, INGEST_MB = 1.5, 1769
LOG_BYTES = 750  # a line of a request
SERIES = 45  # of metrics that are filled in a month
ALARMS = 16

MILLION, GB = 1e6, 1e9
PRICES = {
    "API Gateway, REST, a million requests": 3.50,
    "Lambda, a million requests": 0.20,
    "Lambda, a GB-second (x86)": 0.0000166667,
    "DynamoDB, a million read units": 0.125,
    "DynamoDB, a million write units": 0.625,
    "DynamoDB, a GB and month": 0.25,
    "DynamoDB, backup to any point, a GB and month": 0.20,
    "S3, a thousand GETs": 0.0004,
    "S3, a thousand PUTs": 0.005,
    "S3, a GB and month": 0.023,
    "SQS, a million requests": 0.40,
    "CloudWatch Logs, a GB taken in": 0.50,
    "CloudWatch, a metric and month": 0.30,
    "CloudWatch, an alarm and month": 0.10,
    "out to the Internet, a GB": 0.09,
}


def bill(figures: dict[str, Any]) -> list[tuple[str, float, float]]:
    """Each item with its quantity, in the unit of its price, and its dollars a month."""
    gets, stored = figures["gets"], figures["stored"]
    writing = figures["ingestions"]["稽东镇-2023"]  # a real report of some 60 figures

    def mixed(name: str) -> float:
        return float(sum(share * gets[kind][name] for kind, share in MIX.items()))

    def asked(operation: str) -> float:
        return float(sum(share * gets[kind]["requests"].get(operation, 0) for kind, share in MIX.items()))

    table_gb, object_gb = (REPORTS * stored[name] / GB for name in ("table bytes a report", "object bytes"))
    puts = writing["requests"]["PutObject"] * NEW / 1000
    quantities = {
        "API Gateway, REST, a million requests": GETS / MILLION,
        "Lambda, a million requests": (GETS + NEW) / MILLION,
        "Lambda, a GB-second (x86)": (GETS * GET_SECONDS * GET_MB + NEW * INGEST_SECONDS * INGEST_MB) / 1024,
        "DynamoDB, a million read units": (GETS * mixed("read units") + NEW * writing["read units"]) / MILLION,
        "DynamoDB, a million write units": NEW * writing["write units"] / MILLION,
        "DynamoDB, a GB and month": table_gb,
        "DynamoDB, backup to any point, a GB and month": table_gb,
        "S3, a thousand GETs": GETS * asked("GetObject") / 1000,
        "S3, a thousand PUTs": puts,
        "S3, a GB and month": object_gb,
        # Lambda asks for messages all the time: five connections that wait 20 seconds each.
        "SQS, a million requests": (5 * 30.4 * 86_400 / 20 + 3 * NEW) / MILLION,
        "CloudWatch Logs, a GB taken in": GETS * LOG_BYTES / GB,
        "CloudWatch, a metric and month": SERIES,
        "CloudWatch, an alarm and month": ALARMS,
        "out to the Internet, a GB": GETS * mixed("gzipped") / GB,
    }
    return [(name, quantity, quantity * PRICES[name]) for name, quantity in quantities.items()]


def first_load(figures: dict[str, Any]) -> float:
    """Dollars for publishing all reports once: write units, PUTs, functions."""
    writing = figures["ingestions"]["稽东镇-2023"]
    units = writing["write units"] * PRICES["DynamoDB, a million write units"] / MILLION
    puts = writing["requests"]["PutObject"] * PRICES["S3, a thousand PUTs"] / 1000
    seconds = INGEST_SECONDS * INGEST_MB / 1024 * PRICES["Lambda, a GB-second (x86)"]
    return float(REPORTS * (units + puts + seconds))


def main() -> None:
    figures = json.loads(Path(sys.argv[1]).read_text())
    rows = bill(figures)
    print("| item | price | quantity | a month |\n| --- | --- | --- | --- |")
    for name, quantity, dollars in rows:
        print(f"| {name} | {PRICES[name]:g} | {quantity:,.1f} | {dollars:,.2f} |")
    print(f"| together | | | {sum(dollars for *_, dollars in rows):,.2f} |")
    print(f"\nPublishing all {REPORTS:,} reports once: {first_load(figures):,.2f}")


if __name__ == "__main__":
    main()
