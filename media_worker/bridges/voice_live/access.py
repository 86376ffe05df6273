"""From the settings to how Voice Live is reached."""

import aiohttp

from media_worker.bridges.connect import VoiceLiveAccess
from media_worker.bridges.endpoints import Endpoints
from media_worker.entra import Credential, Loops, Tokens
from media_worker.settings import Settings


def voice_live(
    settings: Settings, http: aiohttp.ClientSession, credential: Credential | None, loops: Loops
) -> VoiceLiveAccess:
    """By key where one is set, else by token; `loops` gets what keeps the token fresh."""
    bearer = None
    if settings.voice_live_key is None and credential is not None:
        tokens = Tokens(credential, settings.voice_live_scope)
        loops["tokens"], bearer = tokens.keep_fresh, tokens.bearer
    return VoiceLiveAccess(
        http,
        Endpoints(settings.voice_live_endpoint),
        settings.voice_live_api_version,
        bearer,
        settings.voice_live_key,
    )
