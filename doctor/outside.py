"""The two doors that Azure comes to, knocked at as by a stranger: each must refuse, as ours do."""

import base64
import json
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

import aiohttp

from doctor.limits import ANSWER_MAX_BYTES, FETCH_S
from doctor.patient import Patient
from doctor.verdicts import Check, Fail, Ok, Verdict
from functions.callbacks import MARK
from switchboard.session import call_id_of

_WORKER_UNREACHED = (
    "Check MEDIA_URL, that the worker's ingress is external, and that a replica runs "
    "(az containerapp replica list)."
)
_FUNCTIONS_UNREACHED = (
    "Check CALLBACK_URL, and that the Functions app runs (az functionapp show --query state)."
)


def outside_checks(patient: Patient) -> Iterator[Check]:
    """The worker's health and door, and the Functions app's callback."""
    for id_, what, examine in (
        ("worker.reachable", "worker: reachable at MEDIA_URL", _worker_alive),
        ("worker.door", "worker: refuses a media socket without a token", _worker_door),
    ):
        yield Check(
            id_,
            what,
            lambda examine=examine: examine(patient),  # type: ignore[misc]  # bound now, not later
            FETCH_S,
            _WORKER_UNREACHED,
            "worker",
            ("MEDIA_URL",),
        )
    yield Check(
        "functions.callback",
        "Functions app: refuses a callback without a token",
        lambda: _callback(patient),
        FETCH_S,
        _FUNCTIONS_UNREACHED,
        needs=("CALLBACK_URL",),
    )


def _strangers_path() -> str:
    """A call that never was, with a token that opens nothing."""
    nothing = secrets.token_hex(16)
    return f"{call_id_of(0.0, nothing, nothing, nothing)}/{secrets.token_urlsafe(32)}"


async def _worker_alive(patient: Patient) -> Verdict:
    answer = await _ask(patient, "GET", f"{_https(patient.functions.media_url)}/healthz")
    if isinstance(answer, str):
        return Fail(answer, _WORKER_UNREACHED)
    if answer.status == 200 and answer.json.get("alive") is True:
        return Ok(f"it carries {answer.json.get('calls')} calls")
    return Fail(
        f"{answer.status} {answer.who}",
        "Set MEDIA_URL to the media worker's own address: somebody else answers there, or no "
        "replica is up behind it.",
    )


async def _worker_door(patient: Patient) -> Verdict:
    """A handshake without any token, plainly sent: a WebSocket client hides a refusal's body."""
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(secrets.token_bytes(16)).decode(),
    }
    url = f"{_https(patient.functions.media_url)}/media/{_strangers_path()}"
    answer = await _ask(patient, "GET", url, headers)
    if isinstance(answer, str):
        return Fail(answer, _WORKER_UNREACHED)
    claim = answer.json.get("claim") if answer.json.get("error") == "refused" else None
    if claim is None:
        return Fail(
            f"{answer.status} {answer.who}",
            "Set MEDIA_URL to the media worker's own address: what answers there is not its door.",
        )
    match answer.status, claim:
        case 401, "authorization":
            return Ok("401 by our door: no token of Communication Services")
        case 404, "call_id":
            return Ok("404 by our door, which wants no token (MEDIA_AUTH=prefer), but a call")
        case 426, _:
            return Fail(
                "426 by our door: it sees no WebSocket handshake",
                "Let the proxy or ingress before the worker pass Upgrade on (ingress transport "
                "auto or http, not http2).",
            )
        case 503, "record":
            return Fail(
                "503 by our door: it cannot read call records",
                "See what the lines on the container say, with the worker's own identity.",
            )
        case status, other:
            return Fail(f"{status} by our door, for {other}", "Look at its media_refused line.")


async def _callback(patient: Patient) -> Verdict:
    url = f"{patient.functions.callback_url}/calls/{_strangers_path()}"
    answer = await _ask(patient, "POST", url)
    if isinstance(answer, str):
        return Fail(answer, _FUNCTIONS_UNREACHED)
    ours = MARK.items() <= answer.headers.items()
    match answer.status:
        case 401 if ours:
            return Ok("401 by our function: no token of Communication Services")
        case 401:
            mend = "Turn off App Service authentication for this app: our function checks tokens."
        case 403:
            mend = "Let Communication Services in: the app's access restrictions refuse strangers."
        case 404 | 405:
            mend = (
                "Set CALLBACK_URL to https://NAME.azurewebsites.net/api of the Functions app, and "
                "see that call_events is deployed (az functionapp function list)."
            )
        case status if status >= 500:
            mend = (
                "Look at the Functions app's log: it does not start, as a rule for a setting that "
                "is missing there."
            )
        case _:
            mend = "Set CALLBACK_URL to the Functions app's own address: somebody else answers."
    return Fail(f"{answer.status} {'by our function' if ours else answer.who}", mend)


class _Answer:
    """An HTTP answer, as far as it shows whose it is."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.json: dict[str, Any] = {}
        try:
            told = json.loads(body)
        except (ValueError, RecursionError):
            told = None
        if isinstance(told, dict):
            self.json = told

    @property
    def who(self) -> str:
        """By whom, as it says itself."""
        server = "".join(c for c in self.headers.get("server", "") if c.isprintable())[:60]
        return f"by {server}" if server else "by somebody who gives no name"


async def _ask(
    patient: Patient, method: str, url: str, headers: Mapping[str, str] | None = None
) -> _Answer | str:
    """The answer, or why there is none."""
    try:
        async with patient.http.request(
            method, url, headers=headers, allow_redirects=False
        ) as reply:
            body = b"" if reply.status == 101 else await reply.content.read(ANSWER_MAX_BYTES)
            return _Answer(reply.status, reply.headers, body)
    except (aiohttp.ClientError, OSError) as error:
        return f"no connection: {type(error).__name__}"


def _https(media_url: str) -> str:
    """wss to https, ws to http."""
    return "http" + media_url.removeprefix("ws")
