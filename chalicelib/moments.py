"""Moments as the data tell them."""

from __future__ import annotations

from datetime import UTC, datetime

from chalicelib.errors import BadRequest


def read_moment(name: str, text: str) -> datetime:
    """A date, which begins at midnight in UTC, or a time; one without a zone is in UTC.

    Raises BadRequest for what the parameter `name` cannot be.
    """
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        way_out = "Give a date or a time as 2024-03-01 or 2024-03-01T08:30:00Z."
        raise BadRequest("bad_parameter", f"{text!r} is no time.", way_out, parameter=name) from error


def iso(moment: datetime) -> str:
    """UTC to the second, as `2024-03-01T08:30:00Z`."""
    return _iso(moment, "seconds")


def iso_precise(moment: datetime) -> str:
    """UTC to the millisecond, as `2024-03-01T08:30:00.125Z`: such texts sort as their moments do."""
    return _iso(moment, "milliseconds")


def _iso(moment: datetime, timespec: str) -> str:
    return moment.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
