"""The process's edge: a defect ends the one thing it is in, with its traceback, and no more."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from media_worker import log
from media_worker.limits import RESTART_S

T = TypeVar("T")


async def contained(name: str, work: Awaitable[T], *, call_id: str = "") -> T | None:
    """The result of `work`; None after a defect, which is logged as `NAME_fault`."""
    try:
        return await work
    except Exception as defect:
        log.fault(f"{name}_fault", defect, call_id=call_id)
        return None


async def for_ever(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Runs `work` again whenever a defect ends it: calls go on beside it."""
    while True:
        await contained(name, work())
        await asyncio.sleep(RESTART_S)
