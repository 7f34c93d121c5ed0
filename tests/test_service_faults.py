"""Every kind of call of an ingestion, failing once or for long: hidden by a repetition, or the message comes again.

The engines do the work; the faults are made under boto3, where its own repetitions are at work as on AWS.
"""

from __future__ import annotations

import itertools
import random
import time
from collections import Counter
from typing import Any

import pytest

from chalicelib.errors import StorageError
from chalicelib.ingestion import deliveries, ingest
from chalicelib.ingestion.events import upload_event
from chalicelib.storage import Storage
from tests.editions import LATER, SOON, edition, towns
from tests.made_reports import drop, read_report
from tests.service_faults import FAULTS, Injector, injected
from tests.soundness import assert_sound, assert_whole

pytestmark = [pytest.mark.repair, pytest.mark.engines]
LONG = 10_000  # attempts: for as long as the function runs
USUAL = {"GetObject": 4, "PutObject": 5, "GetItem": 6, "Query": 2, "UpdateItem": 2, "BatchWriteItem": 2}  # calls
TOWN = towns(1)[0]
REPORT = f"{TOWN}-2022"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.reading.parse.parse", read_report)
    monkeypatch.setattr(time, "sleep", lambda _: None)


def correct(storage: Storage, injector: Injector, number: int, *plan: Any) -> str:
    """Receive edition `number` of the report with the fault that is planned: `hidden`, or the failure's code."""
    storage.objects.put(f"incoming/{number}", edition(TOWN, number))
    injector.plan(*plan)
    try:
        ingest.receive(storage, f"incoming/{number}", SOON)
    except StorageError as error:
        return error.code
    finally:
        injector.heal()
    return "hidden"


def comes_again(storage: Storage, number: int) -> None:
    """The report is whole, and is `number` editions further once the message was delivered again."""
    assert assert_whole(storage, REPORT) in (number, number + 1)
    assert deliveries.take(storage, upload_event([f"incoming/{number}"], LATER)["Records"][0], LATER)
    assert assert_whole(storage, REPORT) == number + 1


@pytest.mark.parametrize("operation", FAULTS)
def test_a_call_that_fails_once_is_hidden_and_one_that_fails_for_long_comes_again(
    engines_storage: Storage, operation: str
) -> None:
    choice, sent = random.Random(operation), {"0": edition(TOWN, 0)}
    drop(engines_storage, "0", sent["0"])
    with injected(engines_storage) as injector:
        for name, times in itertools.product(FAULTS[operation], (1, LONG)):
            number = len(sent)
            at = choice.randrange(USUAL.get(operation, 1))
            outcome = correct(engines_storage, injector, number, operation, FAULTS[operation][name], at, times)
            assert (outcome == "hidden") == (times == 1), f"{name}, {times} times: {outcome}"
            comes_again(engines_storage, number)
            sent[str(number)] = edition(TOWN, number)
    assert_sound(engines_storage, sent, [REPORT], LATER)


def test_faults_at_random_calls_for_a_random_while(engines_storage: Storage) -> None:
    choice, sent, outcomes = random.Random(1), {"0": edition(TOWN, 0)}, Counter[str]()
    drop(engines_storage, "0", sent["0"])
    with injected(engines_storage) as injector:
        for number in range(1, 13):
            operation = choice.choice(list(FAULTS))
            fault = choice.choice(list(FAULTS[operation].values()))
            plan = (operation, fault, choice.randrange(6), choice.randrange(1, 8))
            outcomes[correct(engines_storage, injector, number, *plan)] += 1
            comes_again(engines_storage, number)
            sent[str(number)] = edition(TOWN, number)
    assert 0 < outcomes["hidden"] < 12
    assert_sound(engines_storage, sent, [REPORT], LATER)
