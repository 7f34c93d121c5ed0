"""Which township a report is of: names and codes on the page, weighed against the whole table. Nothing is guessed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from chalicelib import divisions
from chalicelib.divisions import Division
from chalicelib.errors import ReportError
from chalicelib.reading import gazetteer
from chalicelib.reading.anchors import find_anchored
from chalicelib.reading.evidence import Evidence, collect_evidence, place_strings
from chalicelib.reading.model import Candidate, Page, Township
from chalicelib.reading.namesakes import find_namesakes, is_same

NOBODY = Township(None, None, None, None, None)
MOST_CANDIDATES = 20
BODY = 30_000  # characters of the body that are searched for names

# What a mention is worth by the level that it names and where it stands. A county in the index number beats all.
LEVEL = {6: 1.0, 4: 0.4, 2: 0.2}
INDEX, NAMED, SHORT, BODY_NAMED, BODY_SHORT = 100.0, 40.0, 20.0, 8.0, 3.0
BODY_MOST = 5  # mentions of one name that count
ENOUGH = 20.0  # a county in the title or site, or several in the body
ENOUGH_PRINTED = 8.0  # a province in the title or site
RIVAL = 0.4  # of the best score: a second candidate above it leaves the question open

DECISIVE = frozenset({"title", "subtitle", "issuer"})  # kinds that a settled township must not contradict

_COUNTY_REPORT = re.compile(r"[)）\s]*(?:人民政府|政府|委|党委)?[)）\s]*(?:关于|(?:政府)?工作(?:报告|总结)|20|19|二|$)")


def named_township(code: str) -> Township:
    """The township with this 9-digit code, or the county, prefecture or province with a shorter one, `name` None.

    Raises ReportError `unknown_township` where the table has no place of this code.
    """
    if not divisions.is_place(code):
        raise ReportError(
            "unknown_township",
            f"No township has the code {code}, and no county, prefecture or province.",
            "Give the statistical code of 2023: 9 digits for a township, 6 for a county; /v1/townships?q= finds it.",
            place="township",
        )
    return _township(code)


def resolve_township(page: Page) -> tuple[Township, tuple[Candidate, ...]]:
    """The township and (); or what is certain of it (its name, or the county), and the candidates, best first."""
    strings = place_strings(page)
    body = page.text[page.body_start : page.body_start + BODY]
    evidence = collect_evidence(page, strings, body)
    name, kind = _township_name(strings, body)
    if name is None:
        return _above(page, evidence), ()
    if _is_joint(page.title):
        return NOBODY, ()
    rows = [d for full in gazetteer.full_names(name) for d in divisions.named(full)]
    if not rows:
        return _unknown(name, kind, evidence)
    scored = sorted(((_score(d, evidence), d) for d in rows), key=lambda pair: (-pair[0][0], pair[1].code))
    (best, printed, _), first = scored[0]
    second = scored[1][0][0] if len(scored) > 1 else 0.0
    lone = len(scored) == 1 and not _contradicted(first, evidence)
    clear = second <= RIVAL * best and (best >= ENOUGH or printed >= ENOUGH_PRINTED)
    if (lone or clear) and not (clear and _contradicted(first, evidence)):
        return _township(first.code), ()
    candidates = tuple(
        Candidate(_township(d.code), (f"{kind}: {name}", *said)) for (_, _, said), d in scored[:MOST_CANDIDATES]
    )
    township, namesakes = Township(None, name, None, None, None), tuple[Candidate, ...]()
    uppers = _surest_uppers(evidence)
    if uppers and not any(d.code.startswith(uppers) for d in rows):
        township, namesakes = _unknown(name, kind, evidence)
    return township, () if township.code else namesakes or candidates


def _township_name(strings: Sequence[tuple[str, str]], body: str) -> tuple[str | None, str]:
    """The township's name and the kind of string that gives it; (None, '') where none does."""
    for kind, line in strings:
        if kind != "url" and (anchored := find_anchored(line[:300])):
            return anchored[-1 if kind == "breadcrumb" else 0].name, kind
        mentions = gazetteer.find_townships(line[:300])
        if kind == "breadcrumb":
            mentions = mentions[::-1]
        if mentions and kind not in {"url"}:
            return mentions[0].name, kind
        if kind in {"title", "issuer"} and (name := _odd_name(line)):
            return name, kind
    return _name_in_body(body), "body"


def _is_joint(title: str) -> bool:
    """Whether the title names several townships in a row: a report of all of them has no one place."""
    mentions = gazetteer.find_townships(title)
    pairs = pairwise(mentions)
    return any(a.known and b.known and title[a.end : b.start] in {"、", "和", "与", "及"} for a, b in pairs)


def _odd_name(line: str) -> str | None:
    """A name without a township's usual rank (`…管理处`, `…园区`) at the line's beginning or after a county's name."""
    starts = [0, *(mention.end for mention in gazetteer.find_uppers(line))]
    for start in starts:
        for end in range(min(len(line), start + 24), start + 3, -1):
            name = line[start:end]
            if gazetteer.is_township(name) and name not in gazetteer.words("generic"):
                return name
    return None


def _name_in_body(body: str) -> str | None:
    """The township that the body names again and again, more than any other."""
    counts = Counter(m.name for m in gazetteer.find_townships(body) if m.known and len(m.name) > 2).most_common(2)
    if not counts or counts[0][1] < 2 or (len(counts) > 1 and 2 * counts[1][1] > counts[0][1]):
        return None
    return counts[0][0]


def _score(division: Division, evidence: Evidence) -> tuple[float, float, tuple[str, ...]]:
    """The score, the part of it that stands outside the body, and the words that speak for the division."""
    code, said = division.code, []
    printed = body = 0.0
    for found in evidence.index:
        if code.startswith(found):
            printed += INDEX * LEVEL[len(found)]
            said.append(f"index number: {found}")
    for kind, mention in evidence.printed:
        if level := _level(code, mention.codes):
            printed += (NAMED if mention.exact else SHORT) * LEVEL[level]
            said.append(f"{kind}: {mention.name}")
    for (name, codes), count in evidence.body.items():
        if level := _level(code, codes):
            body += BODY_NAMED * min(count, BODY_MOST) * LEVEL[level]
            said.append(f"body: {name} ×{count}")
    for digits in (6, 4, 2):
        upper = divisions.get(code[:digits])
        short = gazetteer.stem(upper.name) if upper and upper.name not in divisions.PLACEHOLDERS else ""
        if len(short) >= 2 and short not in division.name and (count := evidence.count(short)):
            body += BODY_SHORT * min(count, BODY_MOST) * LEVEL[digits]
            said.append(f"body: {short} ×{count}")
    return printed + body, printed, tuple(dict.fromkeys(said))


def _level(code: str, codes: tuple[str, ...]) -> int:
    return max((len(upper) for upper in codes if code.startswith(upper)), default=0)


def _contradicted(division: Division, evidence: Evidence) -> bool:
    """Whether index number, title, subtitle or publisher name another place and nothing of that kind names this one."""
    code = division.code
    if evidence.index:
        return not any(code.startswith(found[:4]) for found in evidence.index)
    decisive = [m for kind, m in evidence.printed if kind in DECISIVE and m.exact]
    return bool(decisive) and not any(_level(code, m.codes) for m in decisive)


def _unknown(name: str, kind: str, evidence: Evidence) -> tuple[Township, tuple[Candidate, ...]]:
    """A township that the table lacks where the page places it: its name, the county where certain, and its namesakes
    of another rank there as candidates. With or without the name of a people it is the same township."""
    uppers = _surest_uppers(evidence)
    if not uppers:
        return Township(None, name, None, None, None), ()
    namesakes = find_namesakes(name, uppers) if len(uppers[0]) > 2 else []
    same = [d for d in namesakes if is_same(d.name, name)]
    if len(same) == 1 and len(uppers[0]) == 6:
        return _township(same[0].code), ()
    candidates = tuple(
        Candidate(_township(d.code), (f"{kind}: {name}", f"{_name_above(d, uppers)}: {d.name}"))
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


def _above(page: Page, evidence: Evidence) -> Township:
    """A report of a county, city or province where the title says so; else the county that the page names."""
    upper = _surest_upper(evidence)
    if upper is None:
        return NOBODY
    place = divisions.place(upper)
    title = page.title
    owner = [
        m
        for m in gazetteer.find_uppers(title)
        if _COUNTY_REPORT.match(title, m.end) and gazetteer.at_boundary(title, m.start)
    ]
    code = upper if owner and any(upper in m.codes for m in owner) else None
    return Township(code, None, place["county"], place["prefecture"], place["province"])


def _surest_upper(evidence: Evidence) -> str | None:
    """The code of the county (or what is above it) that the page names for certain; None where it names several."""
    uppers = _surest_uppers(evidence)
    return uppers[0] if len(uppers) == 1 else None


def _surest_uppers(evidence: Evidence) -> tuple[str, ...]:
    """The county, or what is above it, that the page names for certain: several codes where they share the name."""
    counties = [code for code in evidence.index if len(code) == 6]
    if counties:
        return (counties[0],)
    mentions = [m for _, m in evidence.printed if m.exact]
    mentions += [gazetteer.Mention(0, 0, n, c, True) for (n, c), k in evidence.body.items() if k > 1 and not mentions]
    codes = {code for m in mentions for code in m.codes}
    fits = [code for code in codes if all(_related(code, m.codes) for m in mentions)]
    longest = max(map(len, fits), default=0)
    return tuple(sorted(code for code in fits if len(code) == longest))


def _related(code: str, codes: tuple[str, ...]) -> bool:
    return any(code.startswith(other) or other.startswith(code) for other in codes)


def _township(code: str) -> Township:
    return Township(**divisions.place(code))
