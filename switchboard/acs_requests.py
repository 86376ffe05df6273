"""One request to Azure Communication Services, tried patiently but never longer than a ring allows.

The SDK's own policy retries a 429 only when it names a `Retry-After`, and waits as long as that
says; so its retries are off (see `azure_clients`) and this is the one place that tries again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from azure.core.exceptions import AzureError, HttpResponseError

from switchboard.limits import ACS_REQUEST_S, ACS_RETRY_PAUSES_S

T = TypeVar("T")


class AcsRefused(Exception):
    """The service answered, and the answer is no."""

    def __init__(self, status: int, sub_code: str, *, reply_lost_before: bool) -> None:
        super().__init__(f"{status}/{sub_code}")
        self.status = status
        self.sub_code = sub_code
        """`error.code` of the body, such as 8522; empty if there was none."""
        self.reply_lost_before = reply_lost_before
        """An earlier attempt's reply was lost: this refusal proves nothing about that one."""


class AcsUnavailable(Exception):
    """No verdict in time; the request may or may not have been carried out."""


NOT_ESTABLISHED = (400, "8501")
"""The action is not valid before the call is established (ACS error tables): an answered call takes
a moment to be, and a media socket may be open before it is."""


async def patiently(
    request: Callable[[], Awaitable[T]], *, repeatable: bool, answered: bool = False
) -> T:
    """Carries out `request`, again after 429 and 503, and if it is `repeatable` also after other
    server errors and lost replies.

    `repeatable` means that doing it twice is doing it once: reads, and writes that carry the same
    Repeatability id each time. `answered`: it is about a call that was answered, so that
    `NOT_ESTABLISHED` will pass. Raises `AcsRefused` or `AcsUnavailable`.
    """
    lost = False
    why = "no reply in time"
    try:
        async with asyncio.timeout(ACS_REQUEST_S):
            for pause in (*ACS_RETRY_PAUSES_S, None):
                asked_to_wait: float | None = None
                try:
                    return await request()
                except HttpResponseError as error:
                    status = error.status_code or 0
                    why = f"status {status}"
                    refusal = (status, _sub_code(error))
                    too_early = answered and pause is not None and refusal == NOT_ESTABLISHED
                    if 400 <= status < 500 and status not in (408, 429) and not too_early:
                        raise AcsRefused(*refusal, reply_lost_before=lost) from error
                    asked_to_wait = _retry_after(error)
                    # 0: no token could be had, nothing was sent
                    untouched = too_early or status in (0, 429, 503)
                except AzureError as error:
                    why = type(error).__name__
                    untouched = False
                lost = lost or not untouched
                if pause is None or not (repeatable or untouched):
                    break
                await asyncio.sleep(max(pause, asked_to_wait or 0.0))
    except TimeoutError:
        pass
    raise AcsUnavailable(why)


def _sub_code(error: HttpResponseError) -> str:
    code = str(getattr(error.error, "code", None))  # the SDK itself makes "None" of no code
    return code if code != "None" and code.isalnum() and len(code) <= 40 else ""


def _retry_after(error: HttpResponseError) -> float | None:
    """Seconds that a `Retry-After` header asks for; the form with a date is passed over."""
    value = str(getattr(error.response, "headers", {}).get("Retry-After", ""))
    return float(value) if value.isdecimal() and len(value) < 6 else None
