"""The deployment template of both stages, as packaged and as AWS translates it: linted, and read for what must hold."""

from __future__ import annotations

import json
import re
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs
from jsonschema import Draft202012Validator

from chalicelib.ingestion import events
from chalicelib.web import problems, routes
from deploy import package, template
from tests.packaged import Template, find, read_template, references, translate

# Europe, Asia and China proper; AWS has no budgets in some of the regions that were added late.
REGIONS = ["eu-central-1", "ap-southeast-1", "cn-north-1"]
FUNCTIONS = {"APIHandler": "ApiHandler", "IngestUpload": "IngestUpload", "ExportBulk": "ExportBulk"}


@pytest.fixture(scope="module", params=package.STAGES)
def stage(request: pytest.FixtureRequest) -> str:
    given: str = request.param
    return given


@pytest.fixture(scope="module")
def packaged(stage: str, request: pytest.FixtureRequest) -> Template:
    return read_template(request.getfixturevalue(f"package_{stage}"))


@pytest.fixture(scope="module")
def deployed(packaged: Template) -> Template:
    """What AWS makes of it."""
    return translate(packaged)


# Every rule of cfn-lint, the informational ones too, and none ignored.


def lint_findings(written: Template) -> list[str]:
    found = lint(json.dumps(written), regions=REGIONS, config=ManualArgs(regions=REGIONS, include_checks=["I"]))
    return [f"{match.rule.id} {match.message}" for match in found]


def test_the_template_has_no_findings(packaged: Template) -> None:
    assert lint_findings(packaged) == []


def test_the_translated_template_has_no_findings(deployed: Template) -> None:
    assert lint_findings(deployed) == []


def test_the_linter_sees_what_is_wrong(package_dev: Path) -> None:
    broken = translate(read_template(package_dev))
    broken["Resources"]["ReportsTable"]["Properties"]["BillingMode"] = "FREE"
    # The function waits for the bucket, which waits for the queue's policy, which now waits for the function.
    broken["Resources"]["IncomingQueuePolicy"]["DependsOn"] = "IngestUpload"
    assert {"E3030", "E3004"} <= {finding.split()[0] for finding in lint_findings(broken)}


def test_what_is_named_exists_and_nothing_waits_for_itself(deployed: Template) -> None:
    resources = deployed["Resources"]
    known = resources.keys() | deployed["Parameters"].keys()
    assert not [name for name in set(references(deployed)) - known if not name.startswith("AWS::")]
    graph = {
        name: {*references(found), *depends(found)} & resources.keys() - {name} for name, found in resources.items()
    }
    assert len(list(TopologicalSorter(graph).static_order())) == len(resources)


def depends(resource: Template) -> list[str]:
    """What it names in DependsOn, one or several."""
    named = resource.get("DependsOn", [])
    return [named] if isinstance(named, str) else named


def test_no_placeholder_is_left_and_no_partition_is_assumed(deployed: Template) -> None:
    assert not re.findall(r"placeholder|000000000000", json.dumps(deployed))
    written = json.dumps({name: deployed[name] for name in ("Resources", "Outputs")})
    # In China and the other partitions ARNs begin otherwise.
    assert not re.findall(r'"arn:aws:[^"]*', written)


def test_the_stage_is_known_and_nothing_has_to_be_given(packaged: Template, stage: str) -> None:
    assert packaged["Parameters"]["Stage"]["Default"] == stage
    assert not [name for name, parameter in packaged["Parameters"].items() if "Default" not in parameter]
    assert not [name for name, parameter in packaged["Parameters"].items() if not parameter.get("Description")]
    groups = packaged["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sorted(name for group in groups for name in group["Parameters"]) == sorted(packaged["Parameters"])


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("AlarmEmail", ["", "a@b.cn"], ["a", "a@b", "a b@c.cn"]),
        (
            "DomainName",
            ["", "reports.example.org"],
            ["https://reports.example.org", "Reports.example.org", "localhost"],
        ),
        (
            "CertificateArn",
            ["", "arn:aws-cn:acm:cn-north-1:123456789012:certificate/0a-1"],
            ["arn:aws:iam::123456789012:server-certificate/x"],
        ),
        ("HostedZoneId", ["", "Z0123456789ABCDEFGHIJ"], ["/hostedzone/Z0123456789ABCDEFGHIJ"]),
        ("RestoredTable", ["", "reports-2026.11"], ["arn:aws:dynamodb:eu-west-1:123456789012:table/a", "*"]),
        ("ExportSchedule", ["rate(1 day)", "cron(0 18 * * ? *)"], ["", "daily"]),
        (
            "UploadPrincipals",
            ["", "arn:aws:iam::123456789012:root", "arn:aws-cn:iam::123456789012:role/a/b"],
            ["*", "arn:aws:iam::*:root", "123456789012", "arn:aws:iam::123456789012:role/*"],
        ),
    ],
)
def test_what_a_parameter_takes(package_dev: Path, name: str, good: list[str], bad: list[str]) -> None:
    pattern = read_template(package_dev)["Parameters"][name]["AllowedPattern"]
    assert [value for value in good if not re.search(pattern, value)] == []
    assert [value for value in bad if re.search(pattern, value)] == []


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
    }


def test_only_who_is_named_may_put_uploads_straight_into_the_bucket(deployed: Template) -> None:
    _, choice = find(deployed, "ReportsBucketPolicy/PolicyDocument/Statement")
    condition, statement, otherwise = choice["Fn::If"]
    assert (condition, otherwise) == ("HasUploadPrincipals", {"Ref": "AWS::NoValue"})
    assert statement["Action"] == "s3:PutObject"
    assert statement["Resource"] == {"Fn::Sub": f"${{ReportsBucket.Arn}}/{events.PREFIX}*"}


def test_the_browser_may_send_the_header_that_an_upload_address_is_signed_with(deployed: Template) -> None:
    assert "if-none-match" in find(deployed, "ReportsBucket/CorsConfiguration/CorsRules/0/AllowedHeaders")


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
    (source,) = of_type(deployed, "AWS::Lambda::EventSourceMapping").values()
    assert source["FunctionName"] == {"Ref": "IngestUpload"}
    assert source["EventSourceArn"] == queue
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "IngestConcurrency"}}


def of_type(written: Template, kind: str) -> dict[str, Any]:
    """The Properties of all resources of a type, by name."""
    return {name: found["Properties"] for name, found in written["Resources"].items() if found["Type"] == kind}


def test_a_message_is_hidden_six_timeouts_long_and_given_up_after_five_tries(deployed: Template) -> None:
    assert find(deployed, "IncomingQueue/VisibilityTimeout") == 6 * find(deployed, "IngestUpload/Timeout")
    dead = {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}
    assert find(deployed, "IncomingQueue/RedrivePolicy") == {"deadLetterTargetArn": dead, "maxReceiveCount": 5}
    # A dead letter keeps the age that it had while it waited.
    waiting, dead_letters = (
        find(deployed, f"{q}/MessageRetentionPeriod") for q in ("IncomingQueue", "DeadLetterQueue")
    )
    assert dead_letters >= 2 * waiting


def test_only_the_incoming_queue_gives_dead_letters(deployed: Template) -> None:
    name = find(deployed, "IncomingQueue/QueueName")["Fn::Sub"]
    allowed = find(deployed, "DeadLetterQueue/RedriveAllowPolicy")
    arn = f"arn:${{AWS::Partition}}:sqs:${{AWS::Region}}:${{AWS::AccountId}}:{name}"
    assert allowed == {"redrivePermission": "byQueue", "sourceQueueArns": [{"Fn::Sub": arn}]}


@pytest.mark.parametrize(("function", "name"), FUNCTIONS.items())
def test_a_function_knows_its_storage_and_its_log(deployed: Template, stage: str, function: str, name: str) -> None:
    variables = find(deployed, f"{function}/Environment/Variables")
    assert variables.pop("REPORTS_URL")["Fn::If"][0] == "HasDomain"
    table = {"Fn::If": ["UsesRestoredTable", {"Ref": "RestoredTable"}, {"Ref": "ReportsTable"}]}
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
    assert (invoked["FunctionName"], invoked["MaximumRetryAttempts"]) == ({"Ref": "ExportBulk"}, 0)
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


# The API.


def test_the_gateway_has_one_stage_and_every_route_with_its_preflight(deployed: Template) -> None:
    (stage,) = of_type(deployed, "AWS::ApiGateway::Stage").values()
    assert stage["StageName"] == "api"
    paths = find(deployed, "RestAPI/Body/paths")
    for route in routes.BY_NAME.values():
        methods = {"get", "head"} if route.method == "GET" else {route.method.lower()}
        assert {*methods, "options"} <= paths[route.path].keys(), route.path


def test_reading_and_every_post_have_limits(deployed: Template) -> None:
    settings = find(deployed, "RestAPIapiStage/MethodSettings")
    limits = {
        (found["HttpMethod"], found["ResourcePath"]): (found["ThrottlingRateLimit"], found["ThrottlingBurstLimit"])
        for found in settings
    }
    posts = ["/" + route.path.replace("/", "~1") for route in routes.ROUTES if route.method == "POST"]
    uploads = ({"Ref": "UploadsPerSecond"}, {"Ref": "UploadBurst"})
    reading = ({"Ref": "RequestsPerSecond"}, {"Ref": "RequestBurst"})
    assert limits == {("*", "/*"): reading, **{("POST", path): uploads for path in posts}}


def test_the_publishers_key_is_of_a_plan_of_the_stage(deployed: Template) -> None:
    assert find(deployed, "PublisherPlan/ApiStages") == [
        {"ApiId": {"Ref": "RestAPI"}, "Stage": {"Ref": "RestAPIapiStage"}}
    ]
    assert find(deployed, "PublisherPlanKey/KeyId") == {"Ref": "PublisherKey"}
    assert find(deployed, "PublisherPlan/Quota/Period") == "DAY"


def test_errors_of_the_gateway_are_problem_documents_of_known_types(deployed: Template) -> None:
    schema = Draft202012Validator(json.loads((package.ROOT / "schemas" / "problem.schema.json").read_text()))
    answers = find(deployed, "RestAPI/Body/x-amazon-apigateway-gateway-responses")
    assert {"DEFAULT_4XX", "DEFAULT_5XX", "THROTTLED", "QUOTA_EXCEEDED", "INVALID_API_KEY"} <= answers.keys()
    for answer in answers.values():
        headers = answer["responseParameters"]
        assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json; charset=utf-8'"
        body = answer["responseTemplates"]["application/json"]
        document = json.loads(body.replace("$context.path", "/api/x").replace("$context.requestId", "1"))
        schema.validate(document)
        kind = problems.find_kind(document["code"].replace("_", "-"))
        assert {name: document[name] for name in ("type", "title", "status")} == {
            name: kind[name] for name in ("type", "title", "status")
        }
        assert answer["statusCode"] == str(document["status"])


# What API Gateway calls the answers that it gives by itself, with the status that each has of its own.
OWN_STATUS = {
    "ACCESS_DENIED": 403,
    "EXPIRED_TOKEN": 403,
    "INTEGRATION_FAILURE": 504,
    "INTEGRATION_TIMEOUT": 504,
    "INVALID_API_KEY": 403,
    "INVALID_SIGNATURE": 403,
    "QUOTA_EXCEEDED": 429,
    "REQUEST_TOO_LARGE": 413,
    "RESOURCE_NOT_FOUND": 404,
    "THROTTLED": 429,
    "UNAUTHORIZED": 401,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "WAF_FILTERED": 403,
}


def test_an_error_of_the_gateway_keeps_its_status() -> None:
    given = {name: answer["StatusCode"] for name, answer in template.gateway_responses().items()}
    # An address without a route is one without a token to the gateway, which calls that 403.
    assert given.pop("MISSING_AUTHENTICATION_TOKEN") == 404
    assert (given.pop("DEFAULT_4XX"), given.pop("DEFAULT_5XX")) == (400, 500)
    assert given == OWN_STATUS


def test_a_domain_is_made_only_where_one_is_given(deployed: Template) -> None:
    conditions = {
        name: deployed["Resources"][name]["Condition"] for name in ("Domain", "DomainMapping", "DomainRecord")
    }
    assert conditions == {"Domain": "HasDomain", "DomainMapping": "HasDomain", "DomainRecord": "HasZone"}
    assert find(deployed, "DomainMapping/Stage") == {"Ref": "RestAPIapiStage"}
    (assertion,) = deployed["Rules"]["DomainNeedsCertificate"]["Assertions"]
    assert "CertificateArn" in assertion["AssertDescription"]


# Alarms and the budget.


def test_every_function_and_queue_the_table_and_the_api_have_alarms(deployed: Template) -> None:
    alarms = of_type(deployed, "AWS::CloudWatch::Alarm")
    watched = {
        (alarm["MetricName"], dimension["Value"]["Fn::Sub"])
        for alarm in alarms.values()
        for dimension in alarm["Dimensions"]
        if dimension["Name"] != "Stage"
    }
    assert {
        *((metric, f"${{{function}}}") for metric in ("Errors", "Throttles") for function in FUNCTIONS),
        ("ApproximateNumberOfMessagesVisible", "${DeadLetterQueue.QueueName}"),
        ("ApproximateAgeOfOldestMessage", "${IncomingQueue.QueueName}"),
        *((f"{kind}ThrottleEvents", "${ReportsTable}") for kind in ("Read", "Write")),
        *((metric, "${AWS::StackName}") for metric in ("5XXError", "Latency")),
    } <= watched
    for alarm in alarms.values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "AlarmTopic"}]
        # CloudWatch looks back a day at most.
        assert alarm["Period"] * alarm["EvaluationPeriods"] <= 86400


def test_alarms_of_the_api_name_it_as_its_metrics_do(deployed: Template) -> None:
    dimensions = {d["Name"]: d["Value"] for d in find(deployed, "ApiFailures/Dimensions")}
    assert dimensions == {"ApiName": find(deployed, "RestAPI/Name"), "Stage": {"Fn::Sub": "${RestAPIapiStage}"}}


def test_who_pays_and_who_is_told_are_made_only_where_given(deployed: Template) -> None:
    assert deployed["Resources"]["Budget"]["Condition"] == "HasBudget"
    assert deployed["Resources"]["AlarmSubscription"]["Condition"] == "HasAlarmEmail"
    (statement,) = find(deployed, "AlarmTopicPolicy/PolicyDocument/Statement")
    assert statement["Principal"] == {"Service": ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"]}


# How the parts are put together.


def test_short_forms_are_written_out(tmp_path: Path) -> None:
    part = tmp_path / "part.yaml"
    part.write_text("a: !Ref B\nc: !GetAtt D.E.F\ng: !If [H, !Sub '${I}', !Condition J]\n")
    assert template.read_part(part) == {
        "a": {"Ref": "B"},
        "c": {"Fn::GetAtt": ["D", "E.F"]},
        "g": {"Fn::If": ["H", {"Fn::Sub": "${I}"}, {"Condition": "J"}]},
    }


def test_a_resource_in_two_parts_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text("Resources: { Queue: { Type: AWS::SQS::Queue } }\n")
    monkeypatch.setattr(template, "PARTS", tmp_path)
    with pytest.raises(ValueError, match=r"b\.yaml: Resources has Queue already"):
        template.build_template("dev")
