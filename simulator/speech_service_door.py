"""Who may open a connection to simulated Speech. No I/O.

The forms that azure-cognitiveservices-speech 1.53.0 sends: `Ocp-Apim-Subscription-Key`, or
`Authorization: Bearer …` with an Entra token (of a `token_credential`), or the same with
`aad#RESOURCE_ID#TOKEN` (`authorization_token`; "How to use Microsoft Entra authentication").
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from simulator.identity import TokenRefused, check_token

AUDIENCE = "https://cognitiveservices.azure.com"
"""The scope is https://cognitiveservices.azure.com/.default."""
SPEECH_RESOURCE_ID = (
    "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/simulated"
    "/providers/Microsoft.CognitiveServices/accounts/speech"
)
Auth = Literal["key", "aad", "credential"]


@dataclass(frozen=True)
class Refused:
    """An HTTP answer in place of the upgrade."""

    status: int
    message: str


def admit(
    headers: Mapping[str, str], *, key: str, token_key: Any = None, now: float
) -> Auth | Refused:
    """How the client has authenticated, or why it is refused. `now` is wall time.

    `headers` finds names in any case. `token_key` verifies tokens; None leaves signatures alone.
    """
    if "USP" not in headers.get("Sec-WebSocket-Protocol", ""):
        return Refused(400, "the subprotocol is USP")
    given = headers.get("Ocp-Apim-Subscription-Key")
    if given:
        return "key" if given == key else Refused(401, "wrong subscription key")
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return Refused(401, "neither a key nor a token")
    auth: Auth = "credential"
    if token.startswith("aad#"):
        auth = "aad"
        _, resource, token = [*token.split("#", 2), ""][:3]
        if resource.lower() != SPEECH_RESOURCE_ID.lower():
            return Refused(401, f"aad#RESOURCE_ID#TOKEN: the resource is {SPEECH_RESOURCE_ID}")
    try:
        check_token(token, audience=AUDIENCE, now=now, key=token_key)
    except TokenRefused as refused:
        return Refused(401, str(refused))
    return auth
