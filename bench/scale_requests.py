"""The GETs whose time and read units are measured, for keys drawn from a collection of any size.

All ask for equal work at every size. A township has ten reports. Lists take 50 rows, and what they ask of (a year, a
concept, a province with a hundred townships in the collection) holds more, so that every page is full. Concepts are
those that every made report has.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from bench.made_collection import YEARS

CONCEPTS = (
    "fiscal_revenue",
    "fixed_asset_investment",
    "income_per_capita_rural",
    "grain_area",
    "grain_output",
    "medical_insurance_coverage",
)
ROWS = 50
FULL = 100  # townships that a province has to have in the collection


@dataclass(frozen=True)
class Keys:
    """What requests are made of: the collection's townships, and a source of chance."""

    townships: Sequence[str]
    chance: random.Random

    @cached_property
    def provinces(self) -> list[str]:
        counted = Counter(code[:2] for code in self.townships)
        return [code for code, number in counted.items() if number >= FULL]

    @property
    def town(self) -> str:
        return self.chance.choice(self.townships)

    @property
    def year(self) -> int:
        return self.chance.choice(YEARS)

    @property
    def report(self) -> str:
        return f"/v1/reports/{self.town}-{self.year}"

    @property
    def concept(self) -> str:
        return self.chance.choice(CONCEPTS)

    @property
    def province(self) -> str:
        return self.chance.choice(self.provinces)


# Each kind of GET and its address. Sections: every made report has more than ten.
KINDS: dict[str, Callable[[Keys], str]] = {
    "report": lambda keys: keys.report,
    "sections": lambda keys: f"{keys.report}/sections",
    "section": lambda keys: f"{keys.report}/sections/s{keys.chance.randint(1, 10)}",
    "report's indicators": lambda keys: f"{keys.report}/indicators?limit={ROWS}",
    "text": lambda keys: f"{keys.report}/text",
    "source": lambda keys: f"{keys.report}/source",
    "revisions": lambda keys: f"{keys.report}/revisions",
    "township": lambda keys: f"/v1/townships/{keys.town}",
    "township's reports": lambda keys: f"/v1/townships/{keys.town}/reports",
    "township's year": lambda keys: f"/v1/townships/{keys.town}/reports/{keys.year}",
    "township's indicators": lambda keys: f"/v1/townships/{keys.town}/indicators?limit={ROWS}",
    "township's concept": lambda keys: f"/v1/townships/{keys.town}/indicators?concept={keys.concept}",
    "reports": lambda _: f"/v1/reports?limit={ROWS}",
    "reports of a year": lambda keys: f"/v1/reports?year={keys.year}&limit={ROWS}",
    "reports of a province's year": lambda keys: f"/v1/reports?year={keys.year}&province={keys.province}&limit={ROWS}",
    "concept": lambda keys: f"/v1/concepts/{keys.concept}",
    "concept's rows": lambda keys: f"/v1/indicators?concept={keys.concept}&limit={ROWS}",
    "concept's rows of a year": lambda keys: f"/v1/indicators?concept={keys.concept}&year={keys.year}&limit={ROWS}",
    "concept's rows of a province": lambda keys: (
        f"/v1/indicators?concept={keys.concept}&province={keys.province}&limit={ROWS}"
    ),
    "concept's rows of a province's year": lambda keys: (
        f"/v1/indicators?concept={keys.concept}&province={keys.province}&year={keys.year}&limit={ROWS}"
    ),
}
