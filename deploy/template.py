"""What the deployment template holds besides Chalice's part, put together from the files of deploy/template.

The YAML files are CloudFormation as written by hand, with its short forms (`!Ref`); the answers of the gateway to what it
refuses, and the alarms, are made from tables.
"""

from __future__ import annotations

import csv
import json
import tomllib
from pathlib import Path
from typing import Any

import yaml

from chalicelib.web import core, problems
from chalicelib.web.publishers import GATEWAY_CHALLENGE

PARTS = Path(__file__).resolve().parent / "template"
# In CloudFormation these two keep their names; every other function is `Fn::…`.
_BARE = frozenset({"Ref", "Condition"})

# A quota is one of a day: it is new at some hour of that.
RETRY_SECONDS = {"too-many-requests": "1", "quota-exceeded": "3600"}

Template = dict[str, Any]


def build_template(stage: str) -> Template:
    """Description, Metadata, Parameters, Conditions, Rules, Resources and Outputs, for Chalice to merge into its own."""
    built: Template = {}
    for path in sorted(PARTS.glob("*.yaml")):
        _add(built, read_part(path), path.name)
    built["Parameters"]["Stage"]["Default"] = stage
    built["Resources"]["RestAPI"]["Properties"]["GatewayResponses"] = gateway_responses()
    _add(built, {"Resources": alarms()}, "alarms.toml")
    return built


def read_part(path: Path) -> Template:
    """A YAML file with CloudFormation's short forms written out."""
    part: Template = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    return part


def gateway_responses() -> Template:
    """The problem document for each kind of request that the gateway answers by itself."""
    with (PARTS / "gateway_errors.csv").open(encoding="utf-8", newline="") as lines:
        return {row["response"]: _gateway_response(row) for row in csv.DictReader(lines)}


def alarms() -> Template:
    """The alarms as resources. Each tells the topic when it starts and when it is over; no data is no trouble."""
    tables = tomllib.loads((PARTS / "alarms.toml").read_text(encoding="utf-8"))
    return {name: _alarm(name, table) for name, table in tables.items()}


def _gateway_response(row: dict[str, str]) -> Template:
    kind = problems.find_kind(row["problem"])
    document = {
        **{name: kind[name] for name in ("type", "title", "status")},
        "detail": row["detail"],
        "instance": "$context.path",
        "code": row["problem"].replace("-", "_"),
        "way_out": row["way_out"],
        "request": "$context.requestId",
    }
    headers = {
        "Content-Type": "application/problem+json; charset=utf-8",
        "Cache-Control": "no-store",
        "Content-Language": "en",
        **core.CORS,
        **({"WWW-Authenticate": GATEWAY_CHALLENGE} if kind["status"] == 401 else {}),
        **({"Retry-After": RETRY_SECONDS[row["problem"]]} if row["problem"] in RETRY_SECONDS else {}),
    }
    return {
        "StatusCode": kind["status"],
        "ResponseParameters": {"Headers": {name: f"'{value}'" for name, value in headers.items()}},
        "ResponseTemplates": {"application/json": json.dumps(document)},
    }


def _alarm(name: str, table: dict[str, Any]) -> Template:
    namespace, metric = table["metric"].split()
    percentile = table["statistic"].startswith("p")
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmName": {"Fn::Sub": f"${{AWS::StackName}}-{name}"},
            "AlarmDescription": f"{table['about']} See {name} in deploy/README.md.",
            "Namespace": namespace,
            "MetricName": metric,
            "Dimensions": [{"Name": key, "Value": {"Fn::Sub": value}} for key, value in table["of"].items()],
            "ExtendedStatistic" if percentile else "Statistic": table["statistic"],
            "Period": table.get("seconds", 300),
            "EvaluationPeriods": table.get("times", 1),
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": table["limit"],
            "TreatMissingData": "notBreaching",
            "AlarmActions": [{"Ref": "AlarmTopic"}],
            "OKActions": [{"Ref": "AlarmTopic"}],
        },
    }


def _add(built: Template, part: Template, source: str) -> None:
    """Add a part's sections, none of whose entries may be there already."""
    for section, entries in part.items():
        if not isinstance(entries, dict):
            built[section] = entries
            continue
        known = built.setdefault(section, {})
        if twice := known.keys() & entries.keys():
            raise ValueError(f"{source}: {section} has {', '.join(sorted(twice))} already.")
        known.update(entries)


class _Loader(yaml.SafeLoader):
    """YAML with `!Function argument` for `Fn::Function: argument`."""


def _function(loader: _Loader, name: str, node: yaml.Node) -> Template:
    argument: Any
    if isinstance(node, yaml.ScalarNode):
        argument = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        argument = loader.construct_sequence(node, deep=True)
    else:
        raise yaml.constructor.ConstructorError(None, None, f"!{name} of a mapping", node.start_mark)
    if name == "GetAtt":
        argument = argument.split(".", 1)
    return {name if name in _BARE else f"Fn::{name}": argument}


_Loader.add_multi_constructor("!", _function)
