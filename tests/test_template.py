"""The deployment template of both stages, as packaged and as AWS translates it: linted, and read for what must hold."""

from __future__ import annotations

import json
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs

from deploy import template
from tests.packaged import Template, read_template, references, translate

# Europe, Asia and China proper; AWS has no budgets in some of the regions that were added late.
REGIONS = ["eu-central-1", "ap-southeast-1", "cn-north-1"]
FUNCTIONS = {
    "APIHandler": "ApiHandler",
    "IngestUpload": "IngestUpload",
    "ExportBulk": "ExportBulk",
    "ReprocessReport": "ReprocessReport",
}


# Every rule of cfn-lint, the informational ones too, and none ignored.


def lint_findings(written: Template) -> list[str]:
    found = lint(json.dumps(written), regions=REGIONS, config=ManualArgs(regions=REGIONS, include_checks=["I"]))
    return [f"{match.rule.id} {match.message}" for match in found]


def test_the_template_has_no_findings(sam_template: Template) -> None:
    assert lint_findings(sam_template) == []


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


def test_the_stage_is_known_and_nothing_has_to_be_given(sam_template: Template, stage: str) -> None:
    assert sam_template["Parameters"]["Stage"]["Default"] == stage
    assert not [name for name, parameter in sam_template["Parameters"].items() if "Default" not in parameter]
    assert not [name for name, parameter in sam_template["Parameters"].items() if not parameter.get("Description")]
    groups = sam_template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sorted(name for group in groups for name in group["Parameters"]) == sorted(sam_template["Parameters"])


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
