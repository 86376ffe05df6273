"""Where an HTTP function answers: ASP.NET route templates, as function.json holds them.

Source: "Azure Functions HTTP trigger", customise the HTTP endpoint; route constraints of ASP.NET.
"""

import re
from dataclasses import dataclass

from simulator.functions_app import AppLoadError, Function

_CONSTRAINTS = {
    "alpha": r"[A-Za-z]+",
    "guid": r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}",
    "int": r"-?\d+",
    "long": r"-?\d+",
}


@dataclass(frozen=True)
class Route:
    """An HTTP function's address: ASP.NET route template, matched without regard to case."""

    pattern: re.Pattern[str]
    methods: frozenset[str]
    """Empty: all of them."""
    function: Function

    @classmethod
    def of(cls, function: Function, prefix: str) -> "Route":
        """Raises `AppLoadError` for a template that is not simulated."""
        template = str(function.trigger.get("route") or function.name)
        segments = [s for s in f"{prefix}/{template}".split("/") if s]
        pattern = re.compile("".join(_segment(s) for s in segments) + "/?", re.IGNORECASE)
        methods = frozenset(str(m).upper() for m in function.trigger.get("methods") or ())
        return cls(pattern, methods, function)


def _segment(segment: str) -> str:
    found = re.fullmatch(r"\{(\*?)(\w+)(?::(\w+))?(\??)\}", segment)
    if found is None:
        if "{" in segment:
            raise AppLoadError(f"the route segment {segment} is not simulated")
        return "/" + re.escape(segment)
    star, name, constraint, optional = found.groups()
    if star:
        return f"(?:/(?P<{name}>.*))?"
    if constraint is not None and constraint not in _CONSTRAINTS:
        raise AppLoadError(f"the route constraint {constraint} is not simulated")
    text = rf"/(?P<{name}>{_CONSTRAINTS[constraint] if constraint else '[^/]+'})"
    return f"(?:{text})?" if optional else text
