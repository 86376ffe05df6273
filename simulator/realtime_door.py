"""Who may open an Azure OpenAI Realtime session (GA), and with which parameters. No I/O.

"GPT Realtime API for speech and audio" and its migration guide from preview to GA (Azure OpenAI):
`/openai/v1/realtime?model=DEPLOYMENT`; with `api-version` the answer is 401; the beta header is
gone. A key comes as `api-key` in header or query, or as a bearer token, as OpenAI's own clients
send it; a token is Entra's.
"""

from collections.abc import Container, Mapping
from typing import Any

from simulator.voice_live_door import Refused, token_fault


def admit(
    query: Mapping[str, str],
    headers: Mapping[str, str],
    *,
    key: str,
    now: float,
    token_key: Any = None,
    deployments: Container[str] | None = None,
) -> str | Refused:
    """The deployment that the request opens, or why none. `now` is wall time; `headers` finds in
    any case; `deployments` are those that exist (None: every name).

    `token_key` is the public key of the tokens' issuer; None leaves their signature unchecked.
    """
    if "api-version" in query:
        return Refused(401, "Access denied: /openai/v1 takes no api-version; leave it out")
    if fault := _fault_of_credentials(query, headers, key, token_key, now):
        return Refused(401, f"Access denied: {fault}")
    if "OpenAI-Beta" in headers:
        message = "The Realtime Beta API is no longer supported: send no OpenAI-Beta header"
        return Refused(400, message, "beta_api_shape_disabled")
    model = query.get("model")
    if not model:
        found = "; 'deployment' is of the preview API" if "deployment" in query else ""
        return Refused(400, f"Missing required parameter: 'model'{found}")
    if deployments is not None and model not in deployments:
        return Refused(404, f"The deployment {model!r} does not exist", "DeploymentNotFound")
    return model


def _fault_of_credentials(
    query: Mapping[str, str], headers: Mapping[str, str], key: str, token_key: Any, now: float
) -> str | None:
    given = headers.get("api-key") or query.get("api-key")
    if given is not None:
        return None if given == key else "wrong key"
    authorization = headers.get("Authorization")
    if authorization is None:
        return "neither a key nor a token"
    if authorization.partition(" ")[2] == key:
        return None
    return token_fault(authorization, token_key, now)
