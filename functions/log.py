"""Log lines: one JSON object each, with the call id, without anything personal.

Callers pass ids, names of our own and numbers of things; never phone numbers, tokens, contexts or
spoken words.
"""

import json
import logging

_log = logging.getLogger("switchboard.functions")

Field = str | int | float | bool | None


def log(event: str, level: int = logging.INFO, **fields: Field) -> None:
    """Writes one line: `{"event": …, …}`; fields that are None are left out. `event` is a constant
    in snake case, as in the worker's log."""
    known = {name: value for name, value in fields.items() if value is not None}
    _log.log(level, "%s", json.dumps({"event": event} | known))
