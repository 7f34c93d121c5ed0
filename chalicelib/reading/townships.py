"""Which township a report is of: names and codes on the page, weighed against the whole table. Nothing is guessed."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib import divisions
from chalicelib.divisions import Division
from chalicelib.errors import ReportError
from chalicelib.place_names import read_place
from chalicelib.reading import gazetteer
from chalicelib.reading.evidence import Evidence, collect_evidence, host_names, place_strings
from chalicelib.reading.former_divisions import lies_in
from chalicelib.reading.model import Candidate, Page, Township
from chalicelib.reading.namesakes import find_namesakes, is_same
from chalicelib.reading.own_name import find_own_name, is_joint, is_village
from chalicelib.reading.places_above import NOBODY, lies_in_any, now_in, resolve_above, surest_uppers
from chalicelib.reading.township_names import full_names

MOST_CANDIDATES = 20
BODY = 30_000  # characters of the body that are searched for names

# What a mention is worth by the level that it names and where it stands. A county in the index number beats all.
LEVEL = {6: 1.0, 4: 0.4, 2: 0.2}
INDEX, NAMED, SHORT, BODY_ANCHOR, BODY_SUPERIOR, BODY_NAMED, BODY_SHORT = 100.0, 40.0, 20.0, 20.0, 20.0, 11.0, 3.0
BODY_MOST = 5  # mentions of one name that count
ENOUGH = 20.0  # a county in the title or site, or several in the body
ENOUGH_PRINTED = 8.0  # a province in the title or site
RIVAL = 0.4  # of the best score: a second candidate above it leaves the question open
ELSEWHERE = 3  # mentions of one county in the body that speak against a township of which nothing speaks

# Kinds that a settled township must not contradict.
DECISIVE = frozenset({"title", "subtitle", "issuer", "source", "site"})


def named_township(named: str) -> Township:
    """The township with this code of 9 digits or this name, or the county, prefecture or province, `name` None.

    Raises ReportError `unknown_township` where the table has no such place, `ambiguous_township` where it has several.
    """
    return _township(read_place(named, ReportError, place="township"))


def resolve_township(page: Page) -> tuple[Township, tuple[Candidate, ...]]:
    """The township and (); or what is certain of it (its name, or the county), and the candidates, best first."""
    strings = place_strings(page)
    body = page.text[page.body_start : page.body_start + BODY]
    evidence = collect_evidence(page, strings, body)
    name, kind = find_own_name(strings, body)
    if name is None:
        return resolve_above(page, evidence), ()
    if is_joint(page.title):
        return NOBODY, ()
    rows = [d for full in full_names(name) for d in divisions.named(full)]
    if not rows:
        return _unknown(name, kind, evidence)
    scored = sorted(((_score(d, evidence), d) for d in rows), key=lambda pair: (-pair[0][0], pair[1].code))
    first = scored[0][1]
    if _is_settled([score for score, _ in scored], first, evidence) and not is_village(page.title, name):
        return _township(first.code), ()
    candidates = tuple(
        Candidate(_township(d.code), (f"{kind}: {name}", *said)) for (_, _, said), d in scored[:MOST_CANDIDATES]
    )
    township, namesakes = Township(None, name, None, None, None), tuple[Candidate, ...]()
    uppers = surest_uppers(evidence)
    if uppers and not any(lies_in_any(d.code, uppers) for d in rows):
        township, namesakes = _unknown(name, kind, evidence)
    return township, () if township.code else namesakes or candidates


def _is_settled(scores: Sequence[tuple[float, float, tuple[str, ...]]], first: Division, evidence: Evidence) -> bool:
    """Whether the best of the candidates, with their scores best first, is the township beyond doubt."""
    best, printed, said = scores[0]
    second = scores[1][0] if len(scores) > 1 else 0.0
    contradicted = _contradicted(first, evidence)
    if second <= RIVAL * best and (best >= ENOUGH or printed >= ENOUGH_PRINTED):
        return not contradicted
    return len(scores) == 1 and not contradicted and bool(said or not _is_elsewhere(evidence))


def _score(division: Division, evidence: Evidence) -> tuple[float, float, tuple[str, ...]]:
    """The score, the part of it that stands outside the body, and the words that speak for the division."""
    code, said = division.code, []
    printed = body = 0.0
    for number, codes in evidence.index.items():
        if level := _level(code, codes):
            printed += INDEX * LEVEL[level]
            said.append(f"index number: {number}")
    for kind, mention in evidence.printed:
        if level := _level(code, mention.codes):
            printed += (NAMED if mention.exact else SHORT) * LEVEL[level]
            said.append(f"{kind}: {mention.name}")
    anchors = evidence.anchors(division.name)
    for worth, names, behind in (
        (BODY_NAMED, evidence.body, ""),
        (BODY_SUPERIOR, evidence.superiors, ", as what it belongs to"),
        (BODY_ANCHOR, anchors, f" before {division.name}"),
    ):
        for (name, codes), count in names.items():
            if level := _level(code, codes):
                body += worth * min(count, BODY_MOST) * LEVEL[level]
                said.append(f"body: {name}{behind} ×{count}")
    for digits in (6, 4, 2):
        upper = divisions.get(code[:digits])
        if upper is None or upper.name in divisions.PLACEHOLDERS:
            continue
        if host := next(iter(evidence.hosts & host_names(upper.code)), None):
            printed += SHORT * LEVEL[digits]
            said.append(f"url: {host}")
        short = gazetteer.stem(upper.name)
        if len(short) >= 2 and short not in division.name and (count := evidence.count(short)):
            body += BODY_SHORT * min(count, BODY_MOST) * LEVEL[digits]
            said.append(f"body: {short} ×{count}")
    return printed + body, printed, tuple(dict.fromkeys(said))


def _level(code: str, codes: tuple[str, ...]) -> int:
    return max((len(upper) for upper in codes if lies_in(code, upper)), default=0)


def _contradicted(division: Division, evidence: Evidence) -> bool:
    """Whether index number, title, publisher, source or site name another place and nothing of that kind this one."""
    code = division.code
    if evidence.index:
        return not any(code.startswith(found[:4]) for codes in evidence.index.values() for found in codes)
    decisive = [m for kind, m in evidence.printed if kind in DECISIVE]
    return any(m.exact for m in decisive) and not any(_level(code, m.codes) for m in decisive)


def _is_elsewhere(evidence: Evidence) -> bool:
    """Whether the body names one county again and again."""
    return any(count >= ELSEWHERE and len(codes[0]) == 6 for (_, codes), count in evidence.body.items())


def _unknown(name: str, kind: str, evidence: Evidence) -> tuple[Township, tuple[Candidate, ...]]:
    """A township that the table lacks where the page places it: its name, the county where certain, and its namesakes
    of another rank there as candidates. With or without the name of a people it is the same township."""
    uppers = surest_uppers(evidence)
    if not uppers:
        return Township(None, name, None, None, None), ()
    within = now_in(uppers)
    namesakes = find_namesakes(name, within) if len(uppers[0]) > 2 else []
    same = [d for d in namesakes if is_same(d.name, name)]
    if len(same) == 1 and len(uppers[0]) == 6:
        return _township(same[0].code), ()
    candidates = tuple(
        Candidate(_township(d.code), (f"{kind}: {name}", f"{_name_above(d, within)}: {d.name}"))
        for d in namesakes[:MOST_CANDIDATES]
    )
    if len(uppers) > 1:
        return Township(None, name, None, None, None), candidates
    above = divisions.place(uppers[0])
    return Township(None, name, above["county"], above["prefecture"], above["province"]), candidates


def _name_above(township: Division, uppers: Sequence[str]) -> str:
    """The name of that one of `uppers` in which the township lies."""
    above = divisions.get(next(upper for upper in uppers if township.code.startswith(upper)))
    return above.name if above else ""


def _township(code: str) -> Township:
    return Township(**divisions.place(code))
