"""From the settings to what the calls of the second bridge share."""

import asyncio

import aiohttp

from media_worker.bridges.connect import RealtimeAccess
from media_worker.bridges.endpoints import Endpoints
from media_worker.bridges.realtime_speech.bridge import RealtimeSpeech
from media_worker.entra import BlockingCredential, Credential, Loops, Tokens
from media_worker.settings import Settings
from media_worker.speech.clips import Clips
from media_worker.speech.synthesizers import SpeechAccess, Synthesizers

SPEECH_SCOPE = "https://cognitiveservices.azure.com/.default"
"""Of the tokens for Azure Speech."""

_HOST = "tts.speech.microsoft.com"
_SSML_PATH = "/tts/cognitiveservices/websocket/v1"
_STREAM_PATH = "/cognitiveservices/websocket/v2"


def realtime_speech(
    settings: Settings, http: aiohttp.ClientSession, credential: Credential | None, loops: Loops
) -> RealtimeSpeech | None:
    """None: not configured. `loops` gets what keeps tokens fresh."""
    if settings.realtime_endpoint is None:
        return None
    bearer = None
    if settings.realtime_key is None and credential is not None:
        tokens = Tokens(credential, settings.realtime_scope)
        loops["realtime tokens"], bearer = tokens.keep_fresh, tokens.bearer
    endpoints = Endpoints(settings.realtime_endpoint)
    realtime = RealtimeAccess(http, endpoints, bearer, settings.realtime_key)
    speech = speech_access(settings, credential, loops)
    return RealtimeSpeech(realtime, Synthesizers(speech), Clips())


def speech_access(settings: Settings, credential: Credential | None, loops: Loops) -> SpeechAccess:
    """Endpoints and sign-in of Azure Speech."""
    regional = f"wss://{settings.speech_region}.{_HOST}"
    ssml = settings.speech_endpoint or regional + _SSML_PATH
    stream = settings.speech_stream_endpoint or regional + _STREAM_PATH
    if settings.speech_auth == "key" or credential is None:
        return SpeechAccess(ssml, stream, key=settings.speech_key)
    if settings.speech_auth == "credential":
        blocking = BlockingCredential(credential, asyncio.get_running_loop())
        return SpeechAccess(ssml, stream, credential=blocking)
    tokens = Tokens(credential, SPEECH_SCOPE)
    loops["speech tokens"] = tokens.keep_fresh
    return SpeechAccess(ssml, stream, resource_id=settings.speech_resource_id, bearer=tokens.bearer)
