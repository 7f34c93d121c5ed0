"""One route of the contract: its path and method, what it takes, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field

from chalicelib.web.parameters import AS_OF, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, INCLUDE, Parameter


@dataclass(frozen=True, slots=True)
class Route:
    """One operation. `answer` and `body` name a schema of `schemas/`, without ending; None for plain bytes of `media`.

    `listed` wraps the schema into a page; `status` is that of success; `problems` are the statuses of its errors.
    `settled`: as long as nothing is committed to the index, the same call has the same answer.
    `formats` are those that a list may be had in, the usual one first.
    `protected`: for publishers alone, who have a key; `counted`: so often an hour. `also`: what else than `media` plain bytes may be.
    `headers`: those of a success that its kind does not say.
    """

    path: str
    name: str
    summary: str
    answer: str | None
    parameters: tuple[Parameter, ...] = ()
    method: str = "GET"
    media: str = "application/json"
    listed: bool = False
    status: int = 200
    problems: tuple[int, ...] = field(default=(400,))
    body: str | None = None
    settled: bool = False
    formats: tuple[str, ...] = ()
    protected: bool = False
    counted: bool = False
    also: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()

    @property
    def conditions(self) -> tuple[Parameter, ...]:
        """The headers by which a caller says what it has already, or what it wants to change."""
        if self.method != "GET":
            return (IF_MATCH,) if 412 in self.problems else ()
        dated = (IF_MODIFIED_SINCE,) if "Last-Modified" in self.headers else ()
        return (IF_NONE_MATCH, *dated) if self.status == 200 else ()

    @property
    def dated(self) -> bool:
        """Whether it tells of a revision, which may be named by a time."""
        return AS_OF in self.parameters

    @property
    def including(self) -> bool:
        """Whether it may be asked for more members."""
        return INCLUDE in self.parameters

    @property
    def grouped(self) -> bool:
        """Whether it may be asked for counts instead of rows."""
        return any(parameter.name == "group_by" for parameter in self.parameters)

    @property
    def methods(self) -> tuple[str, ...]:
        """What the path answers to by this route: every GET answers HEAD too."""
        return ("GET", "HEAD") if self.method == "GET" else (self.method,)
