"""What happens to a deployment: publishers send files of every kind, files are exported again and again, writings break off.

`tell_all` lets it happen once, in this order. Together the stories make each function do all that it ever does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import requests

from chalicelib.bulk import export, parts
from chalicelib.catalog import layout
from chalicelib.catalog.layout import Mark, Rows
from chalicelib.ingestion import intake
from chalicelib.moments import iso
from chalicelib.search import build
from chalicelib.storage import Put
from deploy import package
from tests.deployment import PATIENCE, Deployment, Sent
from tests.gateway import Answer

SEEDS = package.ROOT / "seeds"
SEED = (SEEDS / "亭旁镇-2022.txt").read_bytes()
REPORT, TAIPING = "331022103-2022", "331081001"
OTHER_REPORT, OTHER_SEED = "331024106-2023", (SEEDS / "下各镇-2023.txt").read_bytes()
CORRECTED = SEED.replace("45478万元".encode(), "45479万元".encode())
# Nothing in the text makes it certain which of the places with that name it is of.
AMBIGUOUS = re.sub(r".*索引号.*\n", "", SEED.decode().replace("亭旁", "太平")).encode()
WITHOUT_YEAR = re.sub(r"20\d\d", "", AMBIGUOUS.decode()).encode()
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(1000)
TOO_LARGE = b"x" * (intake.MAX_BYTES + 1)
POISON = '{"Records": [{"eventName": "ObjectCreated:Put"}]}'
# A file dropped without an upload has any name; S3 tells it percent-encoded.
DROPPED = "incoming/下各镇 2023+修订%.txt"


@dataclass(frozen=True)
class Dropped:
    """A file that came without a PUT to its address: the messages that failed, and the upload's state."""

    failed: list[int]
    state: dict[str, Any]


@dataclass(frozen=True)
class Settled:
    """A file whose township was asked for, and the answer to who named one."""

    sent: Sent
    named: Answer


def ask_for_bulk_files_too_early(there: Deployment) -> Answer:
    return there.get("/v1/bulk")


def send_a_report(there: Deployment) -> Sent:
    return there.send("亭旁镇-2022.txt", SEED)


def deliver_the_notice_again(there: Deployment) -> tuple[list[int], dict[str, Any]]:
    """The notice of a file that was taken meanwhile: what fails, and the upload's state."""
    created = there.ask_address("again.txt", len(SEED))
    there.put(created, SEED)
    notice = there.notice(f"incoming/{created.json['id']}")
    failed = there.deliver([notice]) + there.deliver([notice])
    return failed, there.get(created.json["url"]).json


def send_a_second_file_to_the_same_address(there: Deployment) -> tuple[int, int]:
    """The statuses of both PUTs."""
    created = there.ask_address("twice.txt", len(SEED))
    statuses = there.put(created, SEED).status_code, there.put(created, CORRECTED).status_code
    there.deliver([there.notice(f"incoming/{created.json['id']}")])
    return statuses


def check_a_report_and_publish_nothing(there: Deployment) -> tuple[list[int], dict[str, Any], Answer]:
    """What failed, the state of a dry run of the next year's report, and what its address answers."""
    later = SEED.decode().replace("2022", "2023").encode()
    created = there.ask_address("亭旁镇-2023.txt", len(later), "?dry_run=true")
    there.put(created, later)
    failed = there.deliver([there.notice(f"incoming/dry-run-{created.json['id']}")])
    return failed, there.get(created.json["url"]).json, there.get("/v1/reports/331022103-2023")


def send_a_corrected_report(there: Deployment) -> Sent:
    return there.send("亭旁镇-2022.txt", CORRECTED)


def export_for_the_first_time(there: Deployment) -> Any:
    return there.export()


def send_a_report_that_has_to_be_asked_about(there: Deployment) -> Settled:
    sent = there.send("太平镇.txt", AMBIGUOUS)
    return Settled(
        sent, there.request("POST", f"{sent.state['url']}/township", {"township": TAIPING}, x_api_key="a key")
    )


def name_the_township_of_what_is_refused_then(there: Deployment) -> Settled:
    sent = there.send("太平镇.txt", WITHOUT_YEAR)
    return Settled(
        sent, there.request("POST", f"{sent.state['url']}/township", {"township": TAIPING}, x_api_key="a key")
    )


def correct_a_report_that_has_to_be_asked_about(there: Deployment) -> Settled:
    sent = there.send("太平镇.txt", AMBIGUOUS.replace("45478万元".encode(), "45479万元".encode()))
    return Settled(
        sent, there.request("POST", f"{sent.state['url']}/township", {"township": TAIPING}, x_api_key="a key")
    )


def send_a_picture(there: Deployment) -> Sent:
    return there.send("图片.png", PICTURE)


def announce_too_large_a_file(there: Deployment) -> Answer:
    return there.ask_address("大.txt", len(TOO_LARGE))


def drop_too_large_a_file(there: Deployment) -> Dropped:
    """Put straight into the bucket, as who is allowed to may."""
    created = there.ask_address("大.txt", 1).json
    there.storage.objects.put(f"incoming/{created['id']}", TOO_LARGE)
    return Dropped(there.deliver([there.notice(f"incoming/{created['id']}")]), there.get(created["url"]).json)


def send_another_file_than_announced(there: Deployment) -> tuple[int, int, int]:
    """The statuses of a PUT of another size, of one of another type, and of the right one."""
    created = there.ask_address("other.txt", len(SEED), media="text/plain")
    how = created.json["put"]
    other = {**how["headers"], "Content-Type": "text/html"}
    statuses = (
        there.put(created, SEED[:-1]).status_code,
        requests.put(how["url"], data=SEED, headers=other, timeout=PATIENCE).status_code,
        there.put(created, SEED).status_code,
    )
    there.deliver([there.notice(f"incoming/{created.json['id']}")])
    return statuses


def deliver_a_poison_message_beside_a_good_one(there: Deployment) -> list[int]:
    there.storage.objects.put(DROPPED, OTHER_SEED)
    return there.deliver([POISON, there.notice(DROPPED)])


def export_what_has_changed(there: Deployment) -> Any:
    return there.export()


def export_when_the_files_before_have_been_out_of_use_for_long(there: Deployment) -> tuple[set[str], set[str]]:
    """The keys of all bulk files before and after."""
    noted = orjson.loads(there.storage.objects.get(export.RETIRED))
    old = iso(datetime.now(UTC) - 2 * export.GRACE)
    there.storage.objects.put(export.RETIRED, orjson.dumps(dict.fromkeys(noted, old)))
    segments = orjson.loads(there.storage.objects.get(build.MANIFEST))
    segments["retired"] = dict.fromkeys(segments["retired"], old)
    there.storage.objects.put(build.MANIFEST, orjson.dumps(segments))
    there.send("稽东镇-2023.txt", (SEEDS / "稽东镇-2023.txt").read_bytes())
    before = set(there.storage.objects.keys(parts.FOLDER))
    there.export()
    return before, set(there.storage.objects.keys(parts.FOLDER))


def deliver_long_after_a_writing_broke_off(there: Deployment) -> list[int]:
    """How many rows the broken-off writing has left, before the next two deliveries and after each."""
    index, record = there.storage.index, orjson.loads(there.storage.objects.get(layout.record_object(OTHER_REPORT, 1)))
    rows = Rows(1, layout.new_token())
    puts = layout.row_puts(record, rows.token)
    since = iso(datetime.now(UTC) - timedelta(hours=3))
    mark = layout.pending(OTHER_REPORT, rows.token)
    index.commit([Put(*mark, layout.write_pending(Mark(rows, None, since)), 0)])
    index.write(puts)
    left = [len(puts)]
    for _ in range(2):
        there.deliver([there.notice("bulk/manifest.json")])  # of nothing that came in
        left.append(sum(index.get(put.pk, put.sk) is not None for put in puts))
        marked = index.get(*mark)
        if marked:  # a sweep removes the mark an hour later
            body = layout.write_pending(layout.read_pending(marked.body)._replace(since=since))
            index.commit([Put(*mark, body, marked.version)])
    return [*left, int(index.get(*mark) is not None)]


def read_everything_again(there: Deployment) -> list[dict[str, Any]]:
    """The outcomes of a report that was read otherwise once, of one that was not, of a refused upload; each twice."""
    key = layout.record_object(OTHER_REPORT, 1)
    older = orjson.loads(there.storage.objects.get(key))
    older["indicators"][0]["name"] = "另名"
    there.storage.objects.put(key, orjson.dumps(older))
    refused = _refuse_for_another_reason(there, "图片.png")
    for _ in range(2):
        assert there.reprocess({"report": OTHER_REPORT}, {"report": REPORT}, {"upload": refused}) == []
    return [orjson.loads(there.storage.objects.get(each)) for each in there.storage.objects.keys("reprocessed/")]


def _refuse_for_another_reason(there: Deployment, filename: str) -> str:
    """Give a refused upload a reason that an older version could have given; its id."""
    for key in there.storage.objects.keys("uploads/"):
        state = orjson.loads(there.storage.objects.get(key))
        if state["state"] == "rejected" and state["filename"] == filename:
            body = orjson.dumps({**state, "reasons": [{**state["reasons"][0], "detail": "Unreadable."}]})
            there.storage.objects.put(key, body)
            there.storage.index.commit([Put(*layout.upload(state["id"]), body)])
            return str(state["id"])
    raise LookupError(filename)


def withdraw_a_report(there: Deployment) -> tuple[Answer, Answer]:
    """The answers without a key and with one."""
    url = f"/v1/reports/{TAIPING}-2022"
    return there.request("DELETE", url), there.request("DELETE", url, x_api_key="a key that the gateway knows")


STORIES: tuple[Callable[[Deployment], Any], ...] = (
    ask_for_bulk_files_too_early,
    send_a_report,
    deliver_the_notice_again,
    send_a_second_file_to_the_same_address,
    check_a_report_and_publish_nothing,
    send_a_corrected_report,
    export_for_the_first_time,
    send_a_report_that_has_to_be_asked_about,
    name_the_township_of_what_is_refused_then,
    correct_a_report_that_has_to_be_asked_about,
    send_a_picture,
    announce_too_large_a_file,
    drop_too_large_a_file,
    send_another_file_than_announced,
    deliver_a_poison_message_beside_a_good_one,
    export_what_has_changed,
    export_when_the_files_before_have_been_out_of_use_for_long,
    deliver_long_after_a_writing_broke_off,
    read_everything_again,
    withdraw_a_report,
)


def tell_all(there: Deployment) -> dict[str, Any]:
    """What each story gave back, by its function's name."""
    return {story.__name__: story(there) for story in STORIES}
