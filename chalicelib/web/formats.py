"""In which format a list goes out: by `format=`, or by the header Accept (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.web.replies import RefusedError

MEDIA = {
    "json": "application/json; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "ndjson": "application/x-ndjson; charset=utf-8",
}


def choose(accept: str, offered: Sequence[str]) -> str:
    """The format that the caller likes best, of equals the first that is offered. Raises RefusedError of status 406."""
    if not accept.strip():
        return offered[0]
    liked = {name: _quality(MEDIA[name].partition(";")[0], accept) for name in offered}
    best = max(offered, key=lambda name: liked[name])
    if liked[best] > 0:
        return best
    media = [MEDIA[name].partition(";")[0] for name in offered]
    detail = f"No format of this list is acceptable by the header Accept: {accept[:100]!r}."
    way_out = f"Accept one of {', '.join(media)}, or add format={'|'.join(offered)}."
    raise RefusedError(406, "not_acceptable", detail, way_out, allowed=media)


def _quality(media: str, accept: str) -> float:
    """What the most specific range that the media type lies in says of it; 0 where it lies in none."""
    ranges = {media: 2, f"{media.partition('/')[0]}/*": 1, "*/*": 0}
    found = (-1, 0.0)
    for part in accept.split(","):
        name, *parameters = (each.strip().lower() for each in part.split(";"))
        if name in ranges:
            found = max(found, (ranges[name], weight(parameters)))
    return found[1]


def weight(parameters: Sequence[str]) -> float:
    """The weight `q`, 1 where none is given or it is no weight."""
    for name, _, value in (each.partition("=") for each in parameters):
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 1.0
    return 1.0
