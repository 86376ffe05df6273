import asyncio
from typing import Any

from azure.core.credentials import AccessToken

from media_worker.bridges.connect import http_session
from media_worker.bridges.realtime_speech.access import realtime_speech, speech_access
from media_worker.entra import Loops
from media_worker.settings import Settings
from tests.media_worker.test_settings import IN_AZURE

REGIONAL = {
    "REALTIME_ENDPOINT": "https://ours.openai.azure.com",
    "SPEECH_REGION": "westeurope",
    "SPEECH_RESOURCE_ID": "/subscriptions/s/speech",
}


class Credential:
    async def get_token(self, *scopes: str) -> AccessToken:
        return AccessToken("token for " + scopes[0], 2**40)


def settings(**more: str) -> Settings:
    return Settings.from_env({**IN_AZURE, **REGIONAL, **more})


def test_a_region_names_both_endpoints_and_the_token_names_the_resource() -> None:
    async def scenario() -> None:
        loops: Loops = {}
        access = speech_access(settings(), Credential(), loops)
        host = "wss://westeurope.tts.speech.microsoft.com"
        assert access.ssml_endpoint == f"{host}/tts/cognitiveservices/websocket/v1"
        assert access.stream_endpoint == f"{host}/cognitiveservices/websocket/v2"
        assert access.resource_id == "/subscriptions/s/speech"
        assert access.bearer is not None
        token = await access.bearer()
        assert token == "token for https://cognitiveservices.azure.com/.default"
        assert list(loops) == ["speech tokens"]

    asyncio.run(scenario())


def test_a_custom_domain_gets_a_credential_that_may_be_asked_from_any_thread() -> None:
    async def scenario() -> None:
        domain = "https://ours.cognitiveservices.azure.com"
        access = speech_access(
            settings(SPEECH_AUTH="credential", SPEECH_ENDPOINT=domain), Credential(), {}
        )
        assert access.ssml_endpoint == domain
        assert access.bearer is None
        token: Any = await asyncio.to_thread(access.credential.get_token, "scope")
        assert token.token == "token for scope"

    asyncio.run(scenario())


def test_a_deployment_without_the_second_bridge_has_nothing_of_it() -> None:
    async def scenario() -> None:
        async with http_session() as http:
            loops: Loops = {}
            plain = Settings.from_env(IN_AZURE)
            assert realtime_speech(plain, http, Credential(), loops) is None
            assert loops == {}

    asyncio.run(scenario())
