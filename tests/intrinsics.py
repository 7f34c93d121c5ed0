"""The intrinsic functions of a template worked out, as CloudFormation does when it makes the stack."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NO_VALUE = "AWS::NoValue"


@dataclass(frozen=True)
class Stack:
    """A template with what the made stack knows: names by logical id or pseudo parameter, attributes as `Id.Name`.

    An attribute that is not given is spelled `{Id.Name}`. Parameters have their defaults.
    """

    template: Mapping[str, Any]
    names: Mapping[str, str]
    attributes: Mapping[str, str] = field(default_factory=dict)

    def resolve(self, node: Any) -> Any:
        """The value that the stack puts there; what is NoValue is left out. Raises KeyError for what is not known."""
        if isinstance(node, list):
            return [found for found in map(self.resolve, node) if found != NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((name, argument),) = node.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self._call(name, argument)
        found = {key: self.resolve(value) for key, value in node.items()}
        return {key: value for key, value in found.items() if value != NO_VALUE}

    def holds(self, condition: Any) -> bool:
        """Whether a condition, by its name or written out, holds for this stack."""
        if isinstance(condition, str):
            return self.holds(self.template["Conditions"][condition])
        ((name, argument),) = condition.items()
        match name:
            case "Condition":
                return self.holds(argument)
            case "Fn::Equals":
                first, second = self.resolve(argument)
                return str(first) == str(second)
            case "Fn::Not":
                return not self.holds(argument[0])
            case "Fn::And":
                return all(map(self.holds, argument))
        raise KeyError(name)

    def _call(self, name: str, argument: Any) -> Any:
        match name:
            case "Ref":
                return self._refer(argument)
            case "Fn::GetAtt":
                return self._attribute(".".join(argument))
            case "Fn::If":
                condition, then, otherwise = argument
                return self.resolve(then if self.holds(condition) else otherwise)
            case "Fn::Join":
                joint, parts = self.resolve(argument)
                return joint.join(parts.split(",") if isinstance(parts, str) else parts)
            case "Fn::Sub":
                return re.sub(r"\$\{([^}]+)\}", lambda found: self._put_in(found[1]), argument)
        raise KeyError(name)

    def _refer(self, name: str) -> str:
        if name == NO_VALUE:
            return NO_VALUE
        return str(self.names[name] if name in self.names else self.template["Parameters"][name]["Default"])

    def _attribute(self, name: str) -> str:
        return self.attributes.get(name, f"{{{name}}}")

    def _put_in(self, name: str) -> str:
        return self._attribute(name) if "." in name else self._refer(name)
