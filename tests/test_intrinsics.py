"""Intrinsic functions of a template, as CloudFormation works them out."""

from __future__ import annotations

from typing import Any

import pytest

from tests.intrinsics import Stack

TEMPLATE = {
    "Parameters": {"Domain": {"Default": ""}, "Size": {"Default": 3}, "Names": {"Default": "a,b"}},
    "Conditions": {
        "HasDomain": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Domain"}, ""]}]},
        "HasNames": {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": "Names"}]}, ""]}]},
        "IsThree": {"Fn::Equals": [{"Ref": "Size"}, "3"]},
        "Both": {"Fn::And": [{"Condition": "HasNames"}, {"Condition": "HasDomain"}]},
    },
}
STACK = Stack(TEMPLATE, {"Bucket": "b", "AWS::Region": "eu-west-1"}, {"Bucket.Arn": "arn:b"})

RESOLVED: dict[str, tuple[Any, Any]] = {
    "a name": ({"Ref": "Bucket"}, "b"),
    "a parameter's default": ({"Ref": "Size"}, "3"),
    "an attribute": ({"Fn::GetAtt": ["Bucket", "Arn"]}, "arn:b"),
    "an attribute that is not given": ({"Fn::GetAtt": ["Queue", "Arn"]}, "{Queue.Arn}"),
    "a text": ({"Fn::Sub": "${Bucket.Arn}/x/${Bucket}.${AWS::Region}"}, "arn:b/x/b.eu-west-1"),
    "a list joined": ({"Fn::Join": ["-", ["x", {"Ref": "Bucket"}]]}, "x-b"),
    "a parameter's list joined": ({"Fn::Join": ["-", {"Ref": "Names"}]}, "a-b"),
    "a choice": ({"Fn::If": ["HasDomain", 1, {"Ref": "Bucket"}]}, "b"),
    "nothing in an object": ({"a": 1, "b": {"Fn::If": ["HasDomain", 2, {"Ref": "AWS::NoValue"}]}}, {"a": 1}),
    "nothing in a list": ([1, {"Ref": "AWS::NoValue"}], [1]),
    "a plain object with one member": ({"Size": {"Ref": "Size"}}, {"Size": "3"}),
}


@pytest.mark.parametrize(("node", "value"), RESOLVED.values(), ids=RESOLVED)
def test_a_value(node: Any, value: Any) -> None:
    assert STACK.resolve(node) == value


@pytest.mark.parametrize(
    ("condition", "holds"), [("HasDomain", False), ("HasNames", True), ("IsThree", True), ("Both", False)]
)
def test_a_condition(condition: str, holds: bool) -> None:
    assert STACK.holds(condition) is holds


@pytest.mark.parametrize("node", [{"Ref": "Unknown"}, {"Fn::ImportValue": "x"}])
def test_what_is_not_known_is_no_guess(node: Any) -> None:
    with pytest.raises(KeyError):
        STACK.resolve(node)
