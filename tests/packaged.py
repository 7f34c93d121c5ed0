"""The real deployment package of a stage, made once for all test processes, and its template as AWS would see it."""

from __future__ import annotations

import fcntl
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from deploy import package

Template = dict[str, Any]


def package_once(stage: str, factory: pytest.TempPathFactory) -> Path:
    """The folder with the zip and the template. Skips where Python is not the functions' own."""
    if sys.version_info[:2] != package.RUNTIME:
        pytest.skip("the functions run on Python {}.{}".format(*package.RUNTIME))
    base = factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "packaged"
    shared.mkdir(exist_ok=True)
    with (shared / f"{stage}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / stage / package.ARTIFACT).exists():
            package.package_stage(stage, shared / stage)
    return shared / stage


def read_template(made: Path) -> Template:
    template: Template = json.loads((made / package.TEMPLATE).read_text(encoding="utf-8"))
    return template


def translate(template: Template) -> Template:
    """What AWS makes of the template: the serverless resources replaced by what they stand for."""
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator

    sent: Template = json.loads(json.dumps(template))
    for resource in sent["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            # What `aws cloudformation package` writes there.
            resource["Properties"]["CodeUri"] = "s3://artifacts/deployment.zip"
    # No function has a managed policy, so the translator need not know any.
    with mock.patch.dict(os.environ, {"AWS_DEFAULT_REGION": "us-east-1"}):
        translated = Translator({}, Parser()).translate(sent, {})
    plain: Template = json.loads(json.dumps(translated))
    return plain


def find(template: Template, path: str) -> Any:
    """The value at `Resource/Property/…` below a resource's Properties."""
    name, *steps = path.split("/")
    found = template["Resources"][name]["Properties"]
    for step in steps:
        found = found[int(step)] if isinstance(found, list) else found[step]
    return found


def of_type(written: Template, kind: str) -> dict[str, Any]:
    """The Properties of all resources of a type, by name."""
    return {name: found["Properties"] for name, found in written["Resources"].items() if found["Type"] == kind}


def references(node: Any) -> Iterator[str]:
    """The names that intrinsic functions anywhere in `node` refer to."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "Ref":
                yield value
            elif key == "Fn::GetAtt":
                yield value[0]
            elif key == "Fn::Sub":
                text, given = value if isinstance(value, list) else (value, {})
                yield from (n.partition(".")[0] for n in re.findall(r"\$\{([^}]+)\}", text) if n not in given)
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)
