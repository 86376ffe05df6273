"""What happened in a call, in order, by the event loop's clock."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Entry:
    """One thing that happened `at` (loop time, seconds)."""

    at: float
    event: str
    detail: dict[str, Any]

    def to_json(self, origin: float) -> dict[str, Any]:
        """`{"t_ms", "event", …}` with the time since `origin` (loop time)."""
        return {"t_ms": round((self.at - origin) * 1000, 1), "event": self.event, **self.detail}


class Timeline:
    """Entries in the order in which they were seen; `on_entry` hears of each at once."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.on_entry: list[Callable[[Entry], None]] = []

    def add(self, event: str, *, at: float | None = None, **detail: Any) -> Entry:
        """Notes that `event` happened (now, unless `at` says when)."""
        when = asyncio.get_running_loop().time() if at is None else at
        entry = Entry(when, event, detail)
        self.entries.append(entry)
        for listener in self.on_entry:
            listener(entry)
        return entry

    def all(self, event: str) -> list[Entry]:
        """Every entry of that name."""
        return [entry for entry in self.entries if entry.event == event]

    def first(self, event: str) -> Entry | None:
        """The first entry of that name, if any."""
        return next((entry for entry in self.entries if entry.event == event), None)

    def to_json(self, origin: float) -> list[dict[str, Any]]:
        """All entries by their time since `origin`, earliest first."""
        ordered = sorted(self.entries, key=lambda entry: entry.at)
        return [entry.to_json(origin) for entry in ordered]
