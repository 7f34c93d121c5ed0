"""Moments as the data tell them."""

from __future__ import annotations

from datetime import UTC, datetime


def iso(moment: datetime) -> str:
    """UTC to the second, as `2024-03-01T08:30:00Z`."""
    return _iso(moment, "seconds")


def iso_precise(moment: datetime) -> str:
    """UTC to the millisecond, as `2024-03-01T08:30:00.125Z`: such texts sort as their moments do."""
    return _iso(moment, "milliseconds")


def _iso(moment: datetime, timespec: str) -> str:
    return moment.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
