"""A document without its furniture: the title over the body, the body's paragraphs, and what the page says of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.errors import ReportError
from chalicelib.reading import furniture, metadata, paragraphs, titles
from chalicelib.reading.model import Document, Page

EDGES = " \t\u00a0\u3000\u200b\u2002\u2003"
MIN_PROSE = 100  # ideographs of running text; the shortest real reports have some 200
MIN_CUES = 4  # different words of the genre where the title is not that of a report
HEAD_SHARE = 0.1  # of the prose: what may stand above a title (a slogan, a summary)

ROWS = 3  # with a header: fewer lines with tabs may be anything
_TABS = re.compile(" ?\t ?")
_IDEOGRAPH = re.compile("[\u4e00-\u9fff]")
_ENOUGH = re.compile(f"(?:[^\u4e00-\u9fff]*[\u4e00-\u9fff]){{{MIN_PROSE}}}")
_BULLET = re.compile(r"^[•·●○■◆*▪-]\s{0,3}")
_CLOSING = re.compile(
    r".{0,40}(?:镇|乡|街道|政府|委员会|党委|党工委|办公室|办事处)$|[(（]?.{2,4}年.{1,2}月(?:.{1,3}日)?[)）]?$|.{0,60}[。！!”]$|.{0,60}[，,；;].{0,60}|(?:注|名词解释|附)[：:]?"
)
_SITE_NAME = re.compile(r"[\u4e00-\u9fff]{2,30}(?:人民政府|政府网站?|门户网站?|政务公开|信息公开)\S{0,8}$")
_MEETING = re.compile("(?:镇|乡|街道)第.{1,4}届.{0,20}代表大会")
_CRUMBS = re.compile("位置[：:]|[>＞»›→]")
_CUES = re.compile(
    "今年以来|一年来|年以来|全年|全镇|全乡|全街道|全县|全区|全场|全苏木|我镇|我乡|我县|街道|同比|增长|党委|政府|总结|计划|人民代表|各位代表|工作"
    "|固定资产|招商|党建|脱贫|信访|人居环境|乡村振兴|播种|种植面积|存栏|职工|牧民|农民|村民|参合|低保"
)


@dataclass(frozen=True, slots=True)
class Layout:
    """The page's stripped lines; which are furniture, which running text or headings, and the prose before each."""

    lines: list[str]
    dropped: list[bool]
    body: list[bool]
    prose_before: list[int]


def clean_page(document: Document) -> Page:
    """Title and body without furniture, as `title`, a blank line, and one paragraph a line; dates, issuer and places.

    Characters inside a paragraph are those of the document; a title that the page does not give is ''. Raises
    ReportError `not_a_report` where there is no running text, or nothing in it speaks of a report.
    """
    raw = _with_cells(document.text.split("\n"))
    if document.main is None:
        raw = [part for line in raw for part in furniture.split_head(line)]
    layout = _layout(raw)
    first, last = _bounds(layout, document)
    values = metadata.collect(
        line for at, line in enumerate(layout.lines) if not first <= at < last or layout.dropped[at]
    )
    known = titles.known_titles(document.meta, values.get("title", ()))
    title, start, glued = _find_title(layout, first, known)
    kept = [at for at in range(start, last) if layout.lines[at] and not layout.dropped[at]]
    kept = _without_tail(layout, kept)
    body = paragraphs.join_wrapped([paragraphs.Line(layout.lines[at], *_position(layout, raw, at)) for at in kept])
    if glued and body:
        body = [glued, *body[1:]]
    body = [paragraphs.without_wrap_blanks(line) for line in body if line != title]
    _refuse_other(title, body)
    metadata.add_meta(values, document.meta)
    head = f"{title}\n\n" if title else ""
    return Page(
        text=head + "\n".join(body),
        title=title,
        body_start=len(head),
        issuer=_issuer(values),
        issued=metadata.first_date(values, "written", "sent", "published"),
        published=_published(values),
        index_number=next(iter(values.get("index_number", ())), None),
        places=tuple(_places(layout, document, values, start, last)),
    )


def _with_cells(lines: list[str]) -> list[str]:
    """The lines, where three or more with as many tabs each are the rows of a table that was pasted as text."""
    counts = [line.strip(EDGES).count("\t") for line in lines]
    start = 0
    for at in range(1, len(lines) + 1):
        if at < len(lines) and counts[at] == counts[start]:
            continue
        if counts[start] >= 2 and at - start >= ROWS:
            lines[start:at] = [_TABS.sub(" | ", line.strip(EDGES)) for line in lines[start:at]]
        start = at
    return lines


def _position(layout: Layout, raw: Sequence[str], at: int) -> tuple[bool, bool]:
    """Whether the line is indented, and whether only blank lines stand between it and the one before.

    A dropped line in between is a page's foot, over which a paragraph goes on.
    """
    above = at - 1
    while above >= 0 and not layout.lines[above]:
        above -= 1
    spaced = above < at - 1 and above >= 0 and not layout.dropped[above]
    return raw[at][:1] in EDGES, spaced


def _layout(raw: Sequence[str]) -> Layout:
    lines = furniture.without_watermark([_bare_cell(line.strip(EDGES)) for line in raw])
    dropped, body, before = [], [], []
    waiting, prose, numbered = "", 0, furniture.has_page_numbers(lines)
    for line in lines:
        before.append(prose)
        if not line:
            dropped.append(False)
            body.append(False)
            continue
        bare = _BULLET.sub("", line)
        number = line.isdecimal() and (numbered or prose == 0)
        pairs = metadata.read_pairs(bare)
        drop = number or _is_dropped(bare, pairs, waiting)
        waiting = metadata.open_field(pairs) if drop else ""
        text = not drop and (furniture.is_prose(line) or titles.is_heading(line))
        prose += len(line) if text else 0
        dropped.append(drop)
        body.append(text)
    before.append(prose)
    return Layout(lines, dropped, body, before)


def _bare_cell(line: str) -> str:
    """A line without the marks of a table that lays out the page: `标题 |` is one cell, and that is no table."""
    bare = line.strip(EDGES + "|")
    return line if "|" in bare else bare


def _is_dropped(line: str, pairs: metadata.Pairs | None, waiting: str) -> bool:
    return (
        not line
        or metadata.is_labels(pairs)
        or furniture.is_furniture(line)
        or (bool(waiting) and metadata.is_value(waiting, line))
    )


def _bounds(layout: Layout, document: Document) -> tuple[int, int]:
    """The first line of running text, and the line after which the page's end begins."""
    first = next((at for at, text in enumerate(layout.body) if text), len(layout.lines))
    last, total = len(layout.lines), layout.prose_before[-1]
    for at, line in enumerate(layout.lines):
        if line and at > first and 2 * layout.prose_before[at] >= total and furniture.opens_end(_BULLET.sub("", line)):
            last = at
            break
    if document.main is None:
        return first, last
    begin, end = (document.text.count("\n", 0, offset) for offset in document.main)
    if layout.prose_before[min(end + 1, len(layout.lines))] - layout.prose_before[begin] < 0.5 * total:
        return first, last
    inner = next((at for at in range(begin, end + 1) if layout.body[at]), first)
    return max(first, inner), min(last, end + 1)


def _find_title(layout: Layout, first: int, known: Sequence[str]) -> tuple[str, int, str]:
    """The title, the line where the body begins, and that line's rest where the title is glued to it ('' where not)."""
    usable = [bool(line) and not drop for line, drop in zip(layout.lines, layout.dropped, strict=True)]
    found = _printed_title(layout, first, usable, known)
    if found is not None:
        at, after = titles.title_span(layout.lines, found, usable)
        title = "".join(line for line in layout.lines[at:after] if line).lstrip(titles.DASHES + " |")
        glued = titles.split_glued(layout.lines[first], [title, *known]) if found < first < len(usable) else None
        if glued and glued[0].startswith(title):
            return glued[0], first, glued[1]
        return title, after, ""
    if first < len(usable) and (glued := titles.split_glued(layout.lines[first], known)):
        return glued[0], first, glued[1]
    if known:
        return known[0], first, ""
    return _first_line(layout, first, usable)


def _printed_title(layout: Layout, first: int, usable: Sequence[bool], known: Sequence[str]) -> int | None:
    """The line above the body that most looks like a title, the last one of equals; below some prose only where the
    page has furniture and the line has year and place."""
    limit = HEAD_SHARE * layout.prose_before[-1]
    best, best_score = None, 1
    for at, line in enumerate(layout.lines):
        if layout.prose_before[at] > limit:
            break
        if not usable[at] or layout.body[at] or not titles.is_title(line):
            continue
        score = titles.title_score(line, known)
        if score >= best_score and (at < first or (score >= 4 and any(layout.dropped[:at]))):
            best, best_score = at, score
    return best


def _first_line(layout: Layout, first: int, usable: Sequence[bool]) -> tuple[str, int, str]:
    """Where nothing is furniture, a short first line is the title, whatever its words; else the page gives none."""
    if any(layout.dropped[:first]):
        return "", first, ""
    head = [at for at in range(first) if usable[at]]
    if head and len(layout.lines[head[0]]) <= 40 and layout.lines[head[0]][-1] not in "：:，,。":
        return layout.lines[head[0]], head[0] + 1, ""
    return "", head[0] if head else first, ""


def _without_tail(layout: Layout, kept: list[int]) -> list[int]:
    """The lines up to the last running text, and behind it only what closes a report: signature, date, last words."""
    last = max((at for at in kept if layout.body[at]), default=-1)
    return [at for at in kept if at <= last or " | " in layout.lines[at] or _CLOSING.fullmatch(layout.lines[at])]


def _refuse_other(title: str, body: Sequence[str]) -> None:
    """Raise where there are no sentences, or too few words of the genre for their number."""
    prose = "".join(line for line in body if furniture.is_prose(line) or titles.is_heading(line))
    named = titles.is_title(title) and titles.title_score(title, ()) >= 1
    if not _ENOUGH.match(prose):
        size = len(_IDEOGRAPH.findall(prose))
        reason = f"it holds {size} Chinese characters of running text, a report at least {MIN_PROSE}"
    elif not named and len(set(_CUES.findall(prose[:20000]))) < MIN_CUES:
        reason = "neither its title nor its sentences speak of a year's work"
    else:
        return
    raise ReportError(
        "not_a_report",
        f"The page is no work report: {reason}.",
        "Upload the page or text that holds the report itself.",
    )


def _issuer(values: metadata.Values) -> str | None:
    return next((v for field in ("issuer", "source", "publisher") for v in values.get(field, ())), None)


def _published(values: metadata.Values) -> str | None:
    """The first date of publication, with its time where any value of the same day has one."""
    dates = [iso for value in values.get("published", ()) if (iso := metadata.iso_date(value))]
    return next((iso for iso in dates if iso[:10] == dates[0][:10] and "T" in iso), dates[0] if dates else None)


def _places(
    layout: Layout, document: Document, values: metadata.Values, start: int, last: int
) -> list[tuple[str, str]]:
    """What outside the body may name the place, with its kind, the surest first."""
    found = [(field, value) for field in ("issuer", "source", "publisher", "author") for value in values.get(field, ())]
    found += [("url", value) for name in ("url", "og:url") if (value := document.meta.get(name))]
    found += [("site", value) for name in ("sitename", "sitedomain", "title") if (value := document.meta.get(name))]
    found += [("column", document.meta["columnname"])] if document.meta.get("columnname") else []
    for at, line in enumerate(layout.lines):
        if not line or start <= at < last or len(line) > 200:
            continue
        if at < start and _CRUMBS.search(line):
            found.append(("breadcrumb", line))
        elif at < start and len(line) <= 30 and titles.is_organ(line):
            found.append(("issuer", line))  # 三门县亭旁镇 over 亭旁镇2022年工作总结
        elif at < start and _MEETING.search(line):
            found.append(("subtitle", line))
        elif _SITE_NAME.search(line) or (at >= last and line.startswith(("主办", "版权所有", "承办"))):
            found.append(("site", line))
    return list(dict.fromkeys(found))
