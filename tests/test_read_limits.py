"""Readers' limits on one machine: who is limited, how it is told, and that no window lets more through."""

from __future__ import annotations

import math
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import app
from chalicelib.errors import ReportsError
from chalicelib.storage import Storage
from chalicelib.web.gateway import Gateway
from chalicelib.web.read_limits import Policy, ReadLimit, make_buckets, read_policy
from tests import wsgi
from tests.published import TINGPANG, publish, record
from tests.test_server import running

REPORT = f"/v1/reports/{TINGPANG}-2022"


class Clock:
    """A clock that is moved by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def buckets(tmp_path: Path) -> Path:
    make_buckets(tmp_path / "limits")
    return tmp_path / "limits"


@pytest.mark.parametrize(
    ("asked", "policy"),
    [
        ("", Policy(3000, 60, False)),
        ("off", None),
        ("10/5", Policy(10, 5, True)),
        ("999999/1", Policy(999999, 1, True)),
    ],
)
def test_the_environment_sets_the_limit(asked: str, policy: Policy | None) -> None:
    assert read_policy({"REPORTS_READ_LIMIT": asked}) == policy


@pytest.mark.parametrize("asked", ["10", "0/5", "5/0", "a/b", "1/2/3", "-1/5", "1000000/1", "on", "１/１"])
def test_any_other_setting_is_refused(asked: str) -> None:
    with pytest.raises(ReportsError, match="bad_setting"):
        read_policy({"REPORTS_READ_LIMIT": asked})


def test_a_client_that_asks_too_much_is_told_when_to_go_on(local_storage: Storage, buckets: Path, clock: Clock) -> None:
    publish(local_storage, record())
    app.__dict__["storage"] = local_storage
    gateway = Gateway(app, ReadLimit(Policy(3, 6, False), buckets, clock))
    lefts = []
    for _ in range(3):
        answer = wsgi.ask(gateway, REPORT)
        assert (answer.status, answer.headers["ratelimit-policy"]) == (200, '"reads";q=3;w=6')
        lefts.append(answer.headers["ratelimit"])
    assert lefts == ['"reads";r=2;t=2', '"reads";r=1;t=4', '"reads";r=0;t=6']
    for url, method in ((REPORT, "GET"), ("/v1/reports", "GET"), ("/v1/nothing", "GET"), (REPORT, "HEAD")):
        refused = wsgi.ask(gateway, url, method)
        assert (refused.status, refused.headers["retry-after"]) == (429, "2")
        assert refused.headers["ratelimit"] == '"reads";r=0;t=6'
        assert refused.headers["content-type"].startswith("application/problem+json")
        assert refused.headers["access-control-allow-origin"] == "*"
        assert "RateLimit" in refused.headers["access-control-expose-headers"].split(",")
        assert method == "HEAD" or orjson.loads(refused.body)["code"] == "too_many_requests"
    assert wsgi.ask(gateway, REPORT, address="203.0.113.8").status == 200, "another client has a bucket of its own"
    assert wsgi.ask(gateway, REPORT, "OPTIONS").status == 204
    clock.now += 2
    assert [wsgi.ask(gateway, REPORT).status for _ in range(2)] == [200, 429]


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", ""])
def test_the_machine_itself_has_a_limit_only_where_one_is_set(buckets: Path, clock: Clock, address: str) -> None:
    assert ReadLimit(Policy(1, 1, False), buckets, clock).take(address) is None
    assert ReadLimit(Policy(1, 1, True), buckets, clock).take(address) is not None


def test_one_network_of_ipv6_is_one_client(buckets: Path, clock: Clock) -> None:
    limit = ReadLimit(Policy(1, 9, False), buckets, clock)
    waits = [bool(v.wait) for a in ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1") if (v := limit.take(a))]
    assert waits == [False, True, False]


def test_all_processes_take_of_the_same_buckets(buckets: Path, clock: Clock) -> None:
    limits = [ReadLimit(Policy(4, 9, False), buckets, clock) for _ in range(2)]
    verdicts = [limits[n % 2].take("203.0.113.7") for n in range(6)]
    assert [bool(v and v.wait) for v in verdicts] == [False] * 4 + [True] * 2


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.lists(st.floats(0, 3), max_size=60), st.integers(1, 9), st.integers(1, 9))
def test_no_window_lets_more_through_than_twice_the_quota_and_waiting_helps(
    tmp_path: Path, pauses: list[float], quota: int, seconds: int
) -> None:
    make_buckets(tmp_path / "limits")
    clock, passed = Clock(), list[float]()
    limit = ReadLimit(Policy(quota, seconds, False), tmp_path / "limits", clock)
    for pause in pauses:
        clock.now += pause
        verdict = limit.take("203.0.113.7")
        assert verdict
        assert 0 <= verdict.left < quota
        if not verdict.wait:
            passed.append(clock.now)
            continue
        clock.now += math.ceil(verdict.wait)  # as Retry-After says
        again = limit.take("203.0.113.7")
        assert again
        assert not again.wait
        passed.append(clock.now)
    for start in passed:
        # What a full bucket holds, and what flows into it meanwhile.
        assert sum(start <= moment < start + seconds for moment in passed) <= 2 * quota


def test_a_server_of_several_processes_lets_as_many_through_as_it_is_told(tmp_path: Path) -> None:
    with running(tmp_path, REPORTS_READ_LIMIT="3/3600") as server:
        # Each over a connection of its own, which any of the processes may take.
        statuses = [server.ask("GET", "/v1/health")[0].status for _ in range(6)]
    assert statuses == [200] * 3 + [429] * 3
