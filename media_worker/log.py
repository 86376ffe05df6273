"""One JSON line per event, with nothing in it that belongs to a person.

What may be logged is a closed list (`Fields`): ids, names, counts and durations. Words that were
spoken, tokens and phone numbers have no field, so they cannot reach a line by mistake. Lines of
other libraries keep their logger's name and place only, because their texts may quote a request,
and a request holds the media token.
"""

import json
import logging
import sys
import traceback
from types import TracebackType
from typing import Any, Literal, TextIO, TypedDict, Unpack

from switchboard.clock import wall_now

_LOGGER = logging.getLogger("media_worker")
_SHARED_LOGGER = logging.getLogger("switchboard")
"""Its lines are texts, but of our own making and held to the same rule."""

_LONGEST_TEXT = 200
"""Characters kept of any text field: a peer's header may be as long as it likes."""


class Fields(TypedDict, total=False):
    """All that a line may hold beside its time, level and event name. Durations in ms or s."""

    call_id: str
    connection_id: str
    correlation_id: str
    traceparent: str
    agent: str
    bridge: str
    reason: str
    state: str
    epoch: int
    claim: str
    expected: str
    received: str
    status: int
    port: int
    calls: int
    deadline_s: float
    duration_s: float
    greeting_ms: float
    turns: int
    interruptions: int
    reply_latency_ms: list[float]
    frames_in: int
    frames_out: int
    frames_skipped: int
    usage: dict[str, int]
    lag_ms: float
    dequeue_count: int
    outcome: str
    error: str
    source: str
    generation: str
    agents: int
    line: int
    clips: int


_ALLOWED = Fields.__optional_keys__
Level = Literal["debug", "info", "warning", "error", "critical"]
_LEVELS = {name.lower(): number for name, number in logging.getLevelNamesMapping().items()}


def event(name: str, level: Level = "info", **fields: Unpack[Fields]) -> None:
    """Logs one event. `name` is a constant in snake case, never a text made at run time."""
    _LOGGER.log(_LEVELS[level], name, extra={"fields": fields})


def fault(name: str, defect: BaseException, **fields: Unpack[Fields]) -> None:
    """Logs a defect with the places of its traceback, not the error's own text (see module)."""
    _LOGGER.error(
        name, extra={"fields": fields}, exc_info=(type(defect), defect, defect.__traceback__)
    )


def set_up(level: str, stream: TextIO | None = None) -> None:
    """Sends all logging of this process to `stream` (default: standard output) as JSON lines."""
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for room in (_LOGGER, _SHARED_LOGGER):
        room.setLevel(level)


class JsonLines(logging.Formatter):
    """`{"time": unix s, "level", "event", ...Fields, "error", "trace": ["file:line function"]}`."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON, without a newline."""
        line: dict[str, Any] = {"time": round(wall_now(), 3), "level": record.levelname.lower()}
        if record.name == _LOGGER.name:
            line["event"] = record.msg
            fields: dict[str, Any] = getattr(record, "fields", {})
            line |= {k: _clipped(v) for k, v in fields.items() if k in _ALLOWED}
        elif record.name.partition(".")[0] == _SHARED_LOGGER.name:
            line |= {"event": "switchboard", "logger": record.name}
            line["text"] = _clipped(record.getMessage())
        else:
            line |= {"event": "library", "logger": record.name}
            line["place"] = f"{record.filename}:{record.lineno}"
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = _kinds(record.exc_info[1])
            line["trace"] = _places(record.exc_info[2])
        return json.dumps(line, separators=(",", ":"), default=str)


def _clipped(value: object) -> object:
    return value[:_LONGEST_TEXT] if isinstance(value, str) else value


def _kinds(error: BaseException) -> str:
    kind = type(error).__name__
    if isinstance(error, BaseExceptionGroup):
        return f"{kind}({', '.join(_kinds(inner) for inner in error.exceptions)})"
    cause = error.__cause__
    return f"{kind} from {_kinds(cause)}" if cause is not None else kind


def _places(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
