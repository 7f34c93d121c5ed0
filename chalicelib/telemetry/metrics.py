"""What the functions tell of each request and each upload: one log line, which CloudWatch also reads as metrics.

The line is a document of CloudWatch's embedded metric format, so that nothing is sent to CloudWatch itself. Each
combination of a metric with values of its dimensions is paid for, which is why there are few.
"""

from __future__ import annotations

import itertools
import logging
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from chalicelib.telemetry.logs import EVENTS

NAMESPACE = "TownshipReports"
# Route classes by the second part of the path: what is measured together.
_WHOLE = {"uploads": "upload", "bulk": "bulk"}

_events = itertools.count()  # of this process


class Metric(NamedTuple):
    """A measured value; `dimensions` are names of members of its line that tell its series apart."""

    name: str
    unit: str
    value: float
    dimensions: tuple[str, ...] = ()


def are_told() -> bool:
    """Whether anything collects what is told of requests."""
    return EVENTS.isEnabledFor(logging.INFO)


def tell_request(method: str, route: str, status: int, duration_ms: float) -> None:
    """Log one answered request. `route` is the path's pattern."""
    if not are_told():
        return
    dimensions = {"RouteClass": route_class(route), "StatusClass": f"{status // 100}xx"}
    metrics = [
        Metric("Requests", "Count", 1, ("RouteClass", "StatusClass")),
        Metric("Latency", "Milliseconds", duration_ms, ("RouteClass",)),
    ]
    fields = {"method": method, "route": route, "status": status, "duration_ms": duration_ms}
    _tell(f"{method} {route} {status}", fields, metrics, dimensions)


def tell_upload(
    outcome: str, noted: Mapping[str, Any], duration_ms: float, error: Exception | None = None, message: str = ""
) -> None:
    """Log what became of an upload; `noted` may have `parse_ms` and `indicators`, where its file was read.

    With `error` it is logged as an error, with its traceback.
    """
    if not EVENTS.isEnabledFor(logging.ERROR if error else logging.INFO):
        return
    metrics = [Metric("Uploads", "Count", 1, ("Outcome",))]
    if "parse_ms" in noted:
        metrics.append(Metric("ParseDuration", "Milliseconds", noted["parse_ms"]))
    if outcome == "published" and "indicators" in noted:
        metrics.append(Metric("Indicators", "Count", noted["indicators"]))
    fields = {"outcome": outcome, "duration_ms": duration_ms}
    _tell(message or f"upload {outcome}", fields, metrics, {"Outcome": outcome}, error)


def route_class(route: str) -> str:
    """`upload`, `bulk`, `list` (also of one report or township), `item`, or `other`: pages, the contract, health."""
    parts = route.strip("/").split("/")
    if parts[0] != "v1" or parts[1] in ("health", "openapi.json"):
        return "other"
    return _WHOLE.get(parts[1]) or ("item" if parts[-1].startswith("{") or parts[-1] in ("text", "source") else "list")


def embed(metrics: Sequence[Metric], dimensions: Mapping[str, str], milliseconds: int) -> dict[str, Any]:
    """The members that make a log line a document of the embedded metric format, measured at `milliseconds` (epoch)."""
    directives = [
        {
            "Namespace": NAMESPACE,
            "Dimensions": [["FunctionName", *names]],
            "Metrics": [{"Name": each.name, "Unit": each.unit} for each in group],
        }
        for names, group in itertools.groupby(sorted(metrics, key=_series), key=_series)
    ]
    about = {"Timestamp": milliseconds, "CloudWatchMetrics": directives}
    return {"_aws": about, **dimensions, **{each.name: each.value for each in metrics}}


def _series(metric: Metric) -> tuple[str, ...]:
    return metric.dimensions


def _tell(
    message: str,
    fields: Mapping[str, Any],
    metrics: list[Metric],
    dimensions: Mapping[str, str],
    error: Exception | None = None,
) -> None:
    if cold := next(_events) == 0:
        metrics.append(Metric("ColdStart", "Count", 1))
    # Part of a stack's name is in its functions' names: stages of one account do not mix.
    whole = {"FunctionName": os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "local"), **dimensions}
    line = {**fields, "cold_start": cold, **embed(metrics, whole, int(time.time() * 1000))}
    EVENTS.log(logging.ERROR if error else logging.INFO, message, exc_info=error, extra={"fields": line})
