"""The bucket, the table, the queues and the functions of the template, as AWS would make them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.ingestion import events
from deploy import package
from tests.packaged import Template, find, of_type

FUNCTIONS = {
    "APIHandler": "ApiHandler",
    "IngestUpload": "IngestUpload",
    "ExportBulk": "ExportBulk",
    "ReprocessReport": "ReprocessReport",
}

# The bucket and the table.


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("ReportsBucket/VersioningConfiguration/Status", "Enabled"),
        (
            "ReportsBucket/BucketEncryption/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault",
            {"SSEAlgorithm": "AES256"},
        ),
        (
            "ReportsBucket/PublicAccessBlockConfiguration",
            dict.fromkeys(
                ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"],
                True,
            ),
        ),
        (
            "ReportsBucketPolicy/PolicyDocument/Statement/0/Condition",
            {"Bool": {"aws:SecureTransport": "false"}},
        ),
        ("ReportsBucketPolicy/PolicyDocument/Statement/0/Effect", "Deny"),
        ("ReportsBucket/CorsConfiguration/CorsRules/0/AllowedMethods", ["PUT"]),
        ("ReportsTable/BillingMode", "PAY_PER_REQUEST"),
        (
            "ReportsTable/KeySchema",
            [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        ),
        ("ReportsTable/PointInTimeRecoverySpecification", {"PointInTimeRecoveryEnabled": True}),
        ("ReportsTable/DeletionProtectionEnabled", {"Fn::If": ["IsProd", True, False]}),
    ],
)
def test_bucket_and_table_are_set_up(deployed: Template, path: str, value: Any) -> None:
    assert find(deployed, path) == value


@pytest.mark.parametrize("name", ["ReportsBucket", "ReportsTable"])
def test_data_outlive_the_stack(deployed: Template, name: str) -> None:
    kept = deployed["Resources"][name]
    assert (kept["DeletionPolicy"], kept["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_no_rule_of_the_bucket_removes_what_is_current(deployed: Template) -> None:
    rules = find(deployed, "ReportsBucket/LifecycleConfiguration/Rules")
    assert {rule["Status"] for rule in rules} == {"Enabled"}
    removing = {"Expiration", "ExpirationInDays", "ExpirationDate"}
    assert [rule["Id"] for rule in rules if removing & rule.keys()] == []
    assert {rule["Prefix"] for rule in rules if "NoncurrentVersionExpiration" in rule} == {
        "incoming/",
        "rejected/",
        "bulk/",
        "search/",
    }


def test_only_who_is_named_may_put_uploads_straight_into_the_bucket(deployed: Template) -> None:
    _, choice = find(deployed, "ReportsBucketPolicy/PolicyDocument/Statement")
    condition, statement, otherwise = choice["Fn::If"]
    assert (condition, otherwise) == ("HasUploadPrincipals", {"Ref": "AWS::NoValue"})
    assert statement["Action"] == "s3:PutObject"
    assert statement["Resource"] == {"Fn::Sub": f"${{ReportsBucket.Arn}}/{events.PREFIX}*"}


def test_the_browser_may_send_the_headers_that_an_upload_address_is_signed_with(deployed: Template) -> None:
    allowed = find(deployed, "ReportsBucket/CorsConfiguration/CorsRules/0/AllowedHeaders")
    assert {"if-none-match", "content-type"} <= set(allowed)


# From the bucket to the functions.


def test_an_upload_goes_from_the_bucket_through_the_queue_to_the_function(deployed: Template) -> None:
    queue = {"Fn::GetAtt": ["IncomingQueue", "Arn"]}
    notice = find(deployed, "ReportsBucket/NotificationConfiguration/QueueConfigurations/0")
    assert notice["Queue"] == queue
    assert notice["Filter"]["S3Key"]["Rules"] == [{"Name": "prefix", "Value": events.PREFIX}]
    # S3 tries the queue when the notification is set up, so the permission has to be there before.
    assert deployed["Resources"]["ReportsBucket"]["DependsOn"] == "IncomingQueuePolicy"
    allowed = find(deployed, "IncomingQueuePolicy/PolicyDocument/Statement/0")
    assert (allowed["Principal"], allowed["Action"]) == ({"Service": "s3.amazonaws.com"}, "sqs:SendMessage")


@pytest.mark.parametrize(
    ("function", "queue", "concurrency"),
    [
        ("IngestUpload", "IncomingQueue", "IngestConcurrency"),
        ("ReprocessReport", "ReprocessQueue", "ReprocessConcurrency"),
    ],
)
def test_a_function_takes_the_messages_of_its_queue(
    deployed: Template, function: str, queue: str, concurrency: str
) -> None:
    sources = of_type(deployed, "AWS::Lambda::EventSourceMapping").values()
    (source,) = (each for each in sources if each["FunctionName"] == {"Ref": function})
    assert source["EventSourceArn"] == {"Fn::GetAtt": [queue, "Arn"]}
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["ScalingConfig"] == {"MaximumConcurrency": {"Ref": concurrency}}


QUEUES = [
    ("IngestUpload", "IncomingQueue", "DeadLetterQueue"),
    ("ReprocessReport", "ReprocessQueue", "ReprocessDeadLetterQueue"),
]


@pytest.mark.parametrize(("function", "queue", "dead_letters"), QUEUES)
def test_a_message_is_hidden_six_timeouts_long_and_given_up_after_five_tries(
    deployed: Template, function: str, queue: str, dead_letters: str
) -> None:
    assert find(deployed, f"{queue}/VisibilityTimeout") == 6 * find(deployed, f"{function}/Timeout")
    dead = {"Fn::GetAtt": [dead_letters, "Arn"]}
    assert find(deployed, f"{queue}/RedrivePolicy") == {"deadLetterTargetArn": dead, "maxReceiveCount": 5}
    # A dead letter keeps the age that it had while it waited.
    waiting, dead_for = (find(deployed, f"{q}/MessageRetentionPeriod") for q in (queue, dead_letters))
    assert dead_for >= 2 * waiting


@pytest.mark.parametrize(("function", "queue", "dead_letters"), QUEUES)
def test_only_its_own_queue_gives_dead_letters(
    deployed: Template, function: str, queue: str, dead_letters: str
) -> None:
    name = find(deployed, f"{queue}/QueueName")["Fn::Sub"]
    allowed = find(deployed, f"{dead_letters}/RedriveAllowPolicy")
    arn = f"arn:${{AWS::Partition}}:sqs:${{AWS::Region}}:${{AWS::AccountId}}:{name}"
    assert allowed == {"redrivePermission": "byQueue", "sourceQueueArns": [{"Fn::Sub": arn}]}


@pytest.mark.parametrize(("function", "name"), FUNCTIONS.items())
def test_a_function_knows_its_storage_and_its_log(deployed: Template, stage: str, function: str, name: str) -> None:
    variables = find(deployed, f"{function}/Environment/Variables")
    assert variables.pop("REPORTS_URL")["Fn::If"][0] == "HasDomain"
    table = {"Fn::If": ["UsesRestoredTable", {"Ref": "RestoredTable"}, {"Ref": "ReportsTable"}]}
    limit = variables.pop("REPORTS_UPLOAD_LIMIT", None)
    assert limit == ({"Ref": "UploadsPerHour"} if function == "APIHandler" else None)
    assert variables == {"REPORTS_BUCKET": {"Ref": "ReportsBucket"}, "REPORTS_TABLE": table}
    assert find(deployed, f"{function}/Runtime") == "python3.11"
    assert find(deployed, f"{function}/Role") == {"Fn::GetAtt": [f"{name}Role", "Arn"]}
    assert find(deployed, f"{function}/LoggingConfig") == {"LogGroup": {"Ref": f"{name}LogGroup"}}
    assert find(deployed, f"{name}LogGroup/RetentionInDays") == {"dev": 14, "prod": 365}[stage]


def test_every_function_and_every_log_is_looked_at(deployed: Template) -> None:
    assert of_type(deployed, "AWS::Lambda::Function").keys() == FUNCTIONS.keys()
    logs = of_type(deployed, "AWS::Logs::LogGroup")
    assert logs.keys() == {"AccessLogGroup", *(f"{name}LogGroup" for name in FUNCTIONS.values())}
    assert [name for name, group in logs.items() if "RetentionInDays" not in group] == []
    retention = json.loads((package.ROOT / ".chalice" / "config.json").read_text())["stages"]
    of_stage = [retention[name]["log_retention_in_days"] for name in ("prod", "dev")]
    assert logs["AccessLogGroup"]["RetentionInDays"] == {"Fn::If": ["IsProd", *of_stage]}


def test_one_export_at_a_time_and_none_tried_twice(deployed: Template) -> None:
    assert find(deployed, "ExportBulk/ReservedConcurrentExecutions")["Fn::If"][:2] == ["ReservesExport", 1]
    assert deployed["Parameters"]["ExportReservation"]["Default"] == "yes"
    (invoked,) = of_type(deployed, "AWS::Lambda::EventInvokeConfig").values()
    assert (invoked["FunctionName"], invoked["MaximumRetryAttempts"]) == ({"Ref": "ExportBulk"}, 2)
    (rule,) = of_type(deployed, "AWS::Events::Rule").values()
    assert rule["ScheduleExpression"] == {"Ref": "ExportSchedule"}
    assert [target["Arn"] for target in rule["Targets"]] == [{"Fn::GetAtt": ["ExportBulk", "Arn"]}]
    assert find(deployed, "ExportBulk/Timeout") == 900


def test_nothing_is_traced_unless_it_is_asked_for(deployed: Template) -> None:
    assert deployed["Parameters"]["Tracing"]["Default"] == "PassThrough"
    assert deployed["Resources"]["TracePolicy"]["Condition"] == "Traces"
    for function in FUNCTIONS:
        assert find(deployed, f"{function}/TracingConfig") == {"Mode": {"Ref": "Tracing"}}
    assert find(deployed, "RestAPIapiStage/TracingEnabled") == {"Fn::If": ["Traces", True, False]}
