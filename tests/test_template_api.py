"""The API of the template, its limits, errors and domain, and the alarms, as AWS would make them."""

from __future__ import annotations

import json

from jsonschema import Draft202012Validator

from chalicelib.web import problems, routes
from deploy import package, template
from tests.packaged import Template, find, of_type

FUNCTIONS = ("APIHandler", "IngestUpload", "ExportBulk", "ReprocessReport")

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


# What API Gateway calls the answers that it gives by itself, with the status that each has of its own, but that of a wrong key.
OWN_STATUS = {
    "ACCESS_DENIED": 403,
    "EXPIRED_TOKEN": 403,
    "INTEGRATION_FAILURE": 504,
    "INTEGRATION_TIMEOUT": 504,
    "INVALID_API_KEY": 401,
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
        ("ApproximateNumberOfMessagesVisible", "${ReprocessDeadLetterQueue.QueueName}"),
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
