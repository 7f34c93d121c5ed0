"""What the words around a figure say of it, in its sentence and not too far off."""

from __future__ import annotations

import re
from functools import cache

from chalicelib.reading.lexicon import one_of, read_words
from chalicelib.reading.model import Indicator

# A sentence may be as long as a file: what is further away than this is not looked at, so that the time stays linear.
NEAR = 200
# 累计 may be of one year as well: it is not certain, so nothing is said of such a figure.
OVER_YEARS = re.compile(
    r"累计|(?:\d+|[两二三四五六七八九十几]) ?年(?:来|间|内|共|期间|时间)|十[一二三四五]五|任期|本届|上届|年均|期间|(?<![比较])[去上]年"
)


def span_around(indicator: Indicator) -> tuple[int, int]:
    """The sentence of a figure as far as it is near."""
    return max(indicator.start, indicator.number_start - NEAR), min(indicator.end, indicator.number_end + NEAR)


def is_of_one_year(indicator: Indicator, folded: str) -> bool:
    """Whether nothing before the figure in its sentence says that it sums up several years, or is of last year."""
    return OVER_YEARS.search(folded, span_around(indicator)[0], indicator.number_start) is None


def is_of_the_place(indicator: Indicator, folded: str) -> bool:
    """Whether nothing before the figure in its sentence speaks of a project, a firm or a village."""
    begin, _ = span_around(indicator)
    return indicator.place is None and _project().search(folded, begin, indicator.number_start) is None


@cache
def _project() -> re.Pattern[str]:
    return re.compile(one_of(read_words("checks.toml", "project")))
