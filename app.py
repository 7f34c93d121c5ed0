"""Routes and event handlers. Reading imports no parser and no validator: what writes is imported where it is used."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from chalice.app import SQSEvent

from chalicelib.catalog import changes, counts, coverage, downloads, indicators, lists, one_report, places, search
from chalicelib.web import checks, core, feed, labels, pages, problems, replies
from chalicelib.web.api import Api
from chalicelib.web.replies import Ask, Reply, counts_reply, json_reply, list_reply, redirect_reply

app = Api(app_name="township-reports")


@app.serves("show_front_page")
def show_front_page(ask: Ask) -> Reply:
    headers = {**replies.VARY, "Content-Security-Policy": pages.policy(ask.base)}
    return Reply(pages.front_page(ask.base), replies.HTML, replies.FRESH, headers=headers, language="zh, en")


@app.serves("show_developer_page")
def show_developer_page(ask: Ask) -> Reply:
    return Reply(pages.developer_page(ask.base), replies.HTML, replies.HOURLY, headers=replies.VARY, language="zh, en")


@app.serves("show_documentation")
def show_documentation(ask: Ask) -> Reply:
    headers = {**replies.VARY, "Content-Security-Policy": pages.policy(ask.base)}
    return Reply(pages.documentation_page(ask.base), replies.HTML, replies.FRESH, headers=headers, language="en")


@app.serves("read_documentation_part")
def read_documentation_part(ask: Ask) -> Reply:
    found = pages.documentation_part(ask["part"])
    if found is None or ask["version"] != pages.documentation_version():
        raise replies.refusal(404, "GET")
    body, media = found
    return Reply(body, media, replies.FOR_EVER, language="en")


@app.serves("read_asset")
def read_asset(ask: Ask) -> Reply:
    found = pages.asset(ask["asset"])
    if found is None or ask["version"] not in (pages.version(), pages.LATEST):
        raise replies.refusal(404, "GET")
    body, media = found
    return Reply(body, media, replies.HOURLY if ask["version"] == pages.LATEST else replies.FOR_EVER)


@app.serves("show_problem")
def show_problem(ask: Ask) -> Reply:
    return json_reply(problems.find_kind(ask["problem"]), cache=replies.HOURLY, language="en")


@app.serves("check_health")
def check_health(ask: Ask) -> Reply:
    return json_reply(lists.health(ask.storage), cache=replies.NEVER)


@app.serves("read_openapi")
def read_openapi(_: Ask) -> Reply:
    return Reply(pages.openapi(), cache=replies.HOURLY, language="en")


@app.serves("list_townships")
def list_townships(ask: Ask) -> Reply:
    return list_reply(ask, lists.townships(**ask.given), cache=replies.HOURLY)


@app.serves("read_township")
def read_township(ask: Ask) -> Reply:
    return json_reply(lists.township(ask.storage, ask["township"]))


@app.serves("list_township_reports")
def list_township_reports(ask: Ask) -> Reply:
    places.require_reported(ask.storage.index, ask["township"])
    return list_reply(ask, lists.reports_of_township(ask.storage, **ask.given))


@app.serves("list_township_year")
def list_township_year(ask: Ask) -> Reply:
    return list_reply(ask, lists.reports_of_year(ask.storage, **ask.given))


@app.serves("list_township_indicators")
def list_township_indicators(ask: Ask) -> Reply:
    places.require_reported(ask.storage.index, ask["township"])
    return list_reply(ask, indicators.of_township(ask.storage, **ask.given))


@app.serves("list_township_targets")
def list_township_targets(ask: Ask) -> Reply:
    places.require_reported(ask.storage.index, ask["township"])
    return list_reply(ask, indicators.targets_of_township(ask.storage, **ask.given))


@app.serves("list_reports")
def list_reports(ask: Ask) -> Reply:
    if ask.group_by:
        return counts_reply(ask, counts.of_reports)
    return list_reply(ask, lists.reports(ask.storage, **ask.given))


@app.serves("search_reports")
def search_reports(ask: Ask) -> Reply:
    since = {"X-Indexed": search.indexed(ask.storage.objects)}
    reply = list_reply(ask, search.reports(ask.storage, now=ask.now, **ask.given))
    return replace(reply, headers={**reply.headers, **since})


@app.serves("read_report")
def read_report(ask: Ask) -> Reply:
    record, line = one_report.shown_record(ask.storage, ask["report"], ask["revision"])
    if ask["include"]:
        record = one_report.add_members(ask.storage, ask["report"], record, line, ask["include"])
    if "revisions" in (ask["include"] or ()):  # which become more, whichever revision is named
        return Reply(record)
    return Reply(record, cache=replies.pinned(ask), headers=replies.modified(ask, line))


@app.serves("withdraw_report")
def withdraw_report(ask: Ask) -> Reply:
    from chalicelib.ingestion import withdrawal

    permits = core.permits(ask.headers)
    return json_reply(withdrawal.withdraw(ask.storage, **ask.given, now=ask.now, permits=permits), cache=replies.NEVER)


@app.serves("list_sections")
def list_sections(ask: Ask) -> Reply:
    return list_reply(ask, one_report.sections(ask.storage, **ask.given), cache=replies.pinned(ask))


@app.serves("read_section")
def read_section(ask: Ask) -> Reply:
    return json_reply(one_report.section(ask.storage, **ask.given), cache=replies.pinned(ask))


@app.serves("list_report_indicators")
def list_report_indicators(ask: Ask) -> Reply:
    return list_reply(ask, one_report.indicators(ask.storage, **ask.given), cache=replies.pinned(ask))


@app.serves("read_text")
def read_text(ask: Ask) -> Reply:
    text, line = one_report.shown_text(ask.storage, **ask.given)
    return Reply(text, replies.TEXT, replies.pinned(ask), headers=replies.modified(ask, line))


@app.serves("read_source")
def read_source(ask: Ask) -> Reply:
    return redirect_reply(ask.url(downloads.source_address(ask.storage, **ask.given, head=ask.method == "HEAD")))


@app.serves("list_revisions")
def list_revisions(ask: Ask) -> Reply:
    return list_reply(ask, one_report.revisions(ask.storage, **ask.given))


@app.serves("list_indicators")
def list_indicators(ask: Ask) -> Reply:
    if ask.group_by:
        return counts_reply(ask, counts.of_figures)
    return list_reply(ask, indicators.of_concepts(ask.storage, **ask.given))


@app.serves("list_coverage")
def list_coverage(ask: Ask) -> Reply:
    return counts_reply(ask, coverage.coverage)


@app.serves("list_concepts")
def list_concepts(ask: Ask) -> Reply:
    return list_reply(ask, lists.concepts(**ask.given), cache=replies.HOURLY)


@app.serves("read_concept")
def read_concept(ask: Ask) -> Reply:
    found = labels.label_concept(indicators.concept(ask.storage, ask["concept"]), ask.lang)
    return json_reply(found, language=labels.languages(ask.row, ask.lang))


@app.serves("list_changes")
def list_changes(ask: Ask) -> Reply:
    page = changes.changes(ask.storage, **ask.given, now=ask.now)
    return list_reply(ask, replace(page, data=[{**each, "url": feed.record_url(ask, each)} for each in page.data]))


@app.serves("read_changes_feed")
def read_changes_feed(ask: Ask) -> Reply:
    return feed.feed_reply(ask)


@app.serves("read_manifest")
def read_manifest(ask: Ask) -> Reply:
    return json_reply(downloads.manifest(ask.storage, ask.url), headers=replies.VARY)


@app.serves("read_bulk_file")
def read_bulk_file(ask: Ask) -> Reply:
    return redirect_reply(ask.url(downloads.bulk_address(ask.storage, ask["file"], head=ask.method == "HEAD")))


@app.serves("create_upload")
def create_upload(ask: Ask) -> Reply:
    from chalicelib.ingestion import uploads

    asked = checks.read_members(ask.body, {"filename": str, "bytes": int}, {"media": str, "township": str})
    file = uploads.Announced(*asked.values())
    state, address = uploads.create(ask.storage, file, ask.now, ask["dry_run"] == "true")
    return replies.upload_reply(ask, state, address, uploads.ADDRESS_SECONDS)


@app.serves("read_upload")
def read_upload(ask: Ask) -> Reply:
    return replies.upload_reply(ask, lists.upload(ask.storage, ask["upload"]))


@app.serves("name_township")
def name_township(ask: Ask) -> Reply:
    from chalicelib.ingestion import uploads

    asked = checks.read_members(ask.body, {"township": str})
    return replies.upload_reply(ask, uploads.name_township(ask.storage, ask["upload"], asked["township"], ask.now))


@app.on_sqs_message(queue_arn="arn:aws:sqs:us-east-1:000000000000:placeholder", name="ingest_upload")
def ingest_upload(event: SQSEvent) -> dict[str, Any]:
    """Publish what S3 says has arrived; of a batch, only the messages that failed come again."""
    from chalicelib.ingestion import deliveries

    request_id = getattr(event.context, "aws_request_id", None)
    messages = event.to_dict()["Records"]
    failed = [each for each in messages if not deliveries.take(app.storage, each, datetime.now(UTC), request_id)]
    deliveries.sweep(app.storage, datetime.now(UTC))
    return {"batchItemFailures": [{"itemIdentifier": each["messageId"]} for each in failed]}


@app.lambda_function(name="export_bulk")
def export_bulk(event: object, context: Any) -> dict[str, Any]:  # noqa: ARG001
    """Bring the search and the bulk files up to what is published, and return the files' manifest.

    Where the time is over before all files are made, it fails: Lambda calls it again, and what was made is not made again.

    The template schedules it. Chalice's own schedule would want an event in full; so it can be invoked by hand too.
    """
    from chalicelib.bulk import export
    from chalicelib.search import build

    build.refresh(app.storage)
    return export.publish_files(app.storage, seconds_left=lambda: context.get_remaining_time_in_millis() / 1000)


@app.on_sqs_message(queue_arn="arn:aws:sqs:us-east-1:000000000000:placeholder", name="reprocess_report")
def reprocess_report(event: SQSEvent) -> dict[str, Any]:
    """Read again what the messages of a run of reprocessing name; of a batch, only those that failed come again."""
    from chalicelib.maintenance import queued

    request_id = getattr(event.context, "aws_request_id", None)
    messages = event.to_dict()["Records"]
    failed = [each for each in messages if not queued.take(app.storage, each, datetime.now(UTC), request_id)]
    return {"batchItemFailures": [{"itemIdentifier": each["messageId"]} for each in failed]}
