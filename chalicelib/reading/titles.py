"""The report's title: which line it is, over how many lines it runs, where it ends when the body is glued to it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

LONGEST = 80
DASHES = "—–-"

_NOUN = "(?:总结|报告|计划|思路|打算|要点|安排|汇报|回顾|情况|谋划|小结|规划|设想|展望|部署|目标|简况|概况)"
_TITLE = re.compile(rf"{_NOUN}(?:的?(?:报告|汇报|材料|函|通知|请示))?\s*(?:[(（【\[][^()（）]{{0,20}}[)）】\]])?$")
_HEADING = re.compile(
    r"\s*(?:[(（]?[一二三四五六七八九十]{1,3}[)）]?[、.．，,)）]|第[一二三四五六七八九十]{1,3}[部章]|[0-9]{1,2}(?:[、．]|\.(?![0-9]))|[一二三四五六七八九十]是)"
)
_YEAR = re.compile(
    "(?:19|20)[0-9]{2}|[二][〇○零０0oO][〇○零０0oO一二三四五六七八九][〇○零０0oO一二三四五六七八九]|(?<![0-9])[0-9]{2}年"
)
_PLACE = re.compile("[镇乡县区市州盟旗省]|街道|苏木|农场|林场")
_BODY_OPENS = (
    r"(?:今年|一年来|过去|近年|(?:19|20)\d\d年(?:[，,来以是度]|我)|各位|一、|[(（]一[)）]|根据|按照|在[县区市镇乡党上])"
)
_GLUED = re.compile(rf"([^，,。；;：:！!]{{4,60}}?{_NOUN})(?={_BODY_OPENS})")
_ORGAN = re.compile("(?:镇|乡|街道|苏木|办事处|政府|委员会|党委|党工委|管委会|办公室|党政办|农场|林场)$")
_OPEN_END = re.compile("(?:[和及与暨、的]|以及|关于|年|年度|工作)$")
_OPEN_START = re.compile("[和及与暨]|以及")
_SITE = re.compile(r"\s*[-_|—–－]{1,2}\s*")


def is_heading(line: str) -> bool:
    """Whether the line begins with a heading's number."""
    return _HEADING.match(line) is not None


def is_title(line: str) -> bool:
    """Whether the line has the shape of a report's title: short, unnumbered, ending in 总结, 报告, 计划…

    Behind a dash it is the lower line of a title whose upper line is a motto.
    """
    line = line.lstrip(DASHES)
    return 4 <= len(line) <= LONGEST and line[0] != ">" and _TITLE.search(line) is not None and not is_heading(line)


def is_organ(line: str) -> bool:
    """Whether the line ends as the name of a township or of an organ does."""
    return _ORGAN.search(line) is not None


def title_score(line: str, known: Sequence[str]) -> int:
    """How much speaks for a title line: its year, its place, what the page's metadata says."""
    score = 2 * bool(_YEAR.search(line)) + bool(_PLACE.search(line)) + (len(line) >= 8 or line.endswith("政府工作报告"))
    return score + 3 * any(_same(line, title) for title in known)


def _same(line: str, title: str) -> bool:
    plain, other = re.sub(r"\s", "", line), re.sub(r"\s", "", title)
    return bool(plain) and (plain == other or (len(other) >= 6 and plain.startswith(other)))


def known_titles(meta: Mapping[str, str], labelled: Sequence[str]) -> list[str]:
    """The titles that the page's metadata gives, best first: ArticleTitle, a 标题 label, `<title>` without the site."""
    titles = [meta.get("articletitle", ""), meta.get("doctitle", ""), *labelled]
    if page_title := meta.get("title", ""):
        parts = [part for part in _SITE.split(page_title) if part]
        titles.append(next((part for part in parts if is_title(part)), parts[0] if parts else ""))
    return [title.strip() for title in titles if title.strip()]


def split_glued(line: str, known: Sequence[str]) -> tuple[str, str] | None:
    """Title and body of a line that holds both; None where the line begins with no title.

    The title ends at a blank, or where the body visibly opens.
    """
    words = line[:LONGEST].split()
    for count in range(min(len(words) - 1, 6), 0, -1):
        end = _end_of_words(line, words[:count])
        if is_title(line[:end]) and not re.search("[，,。；;：:]", line[:end]) and title_score(line[:end], known) >= 2:
            return line[:end], line[end:].strip()
    for title in known:
        if is_title(title) and line.startswith(title):
            return title, line[len(title) :].strip()
    glued = _GLUED.match(line)
    if glued and title_score(glued.group(1), known) >= 3:
        return glued.group(1), line[glued.end() :].strip()
    return None


def _end_of_words(line: str, words: Sequence[str]) -> int:
    at = 0
    for word in words:
        at = line.index(word, at) + len(word)
    return at


def title_span(lines: Sequence[str], at: int, usable: Sequence[bool]) -> tuple[int, int]:
    """First line of the title and the line after its last: place or connective may stand on lines of their own."""
    first, last = at, at
    for _ in range(3):
        above = _neighbour(first, -1, lines, usable)
        if above is None or not _continues(lines[above], lines[first]):
            break
        first = above
    for _ in range(2):
        below = _neighbour(last, 1, lines, usable)
        if below is None or not _runs_on(lines[last], lines[below]):
            break
        last = below
    return first, last + 1


def _neighbour(at: int, step: int, lines: Sequence[str], usable: Sequence[bool]) -> int | None:
    for distance in (1, 2):
        other = at + step * distance
        if not 0 <= other < len(lines):
            return None
        if lines[other]:
            return other if usable[other] and len(lines[other]) <= 40 else None
    return None


def _continues(above: str, line: str) -> bool:
    """Whether `above` is the title's upper line: an organ's name over a title without place, or an open end."""
    if is_heading(above) or above[-1] in "。！!：:；;，,":
        return False
    if line[0] in DASHES:
        return True
    if _ORGAN.search(above) and (_ORGAN.search(line) or not re.search("镇|乡|街道", line)):
        return True
    return bool(_YEAR.search(above) or _PLACE.search(above)) and bool(
        _OPEN_END.search(above) or _OPEN_START.match(line)
    )


def _runs_on(line: str, below: str) -> bool:
    return is_title(below) and bool(_OPEN_END.search(line) or _OPEN_START.match(below))
