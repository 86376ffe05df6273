import asyncio

from azure.core.credentials import AccessToken

from media_worker.bridges.connect import http_session
from media_worker.bridges.voice_live.access import voice_live
from media_worker.entra import Loops
from media_worker.settings import Settings
from tests.media_worker.test_settings import IN_AZURE


class Credential:
    async def get_token(self, *scopes: str) -> AccessToken:
        return AccessToken("token for " + scopes[0], 2**40)


def test_a_token_signs_in_where_no_key_is_set() -> None:
    async def scenario() -> None:
        async with http_session() as http:
            loops: Loops = {}
            access = voice_live(Settings.from_env(IN_AZURE), http, Credential(), loops)
            assert access.bearer is not None
            assert await access.bearer() == "token for https://ai.azure.com/.default"
            assert list(loops) == ["tokens"]

    asyncio.run(scenario())


def test_a_key_signs_in_where_one_is_set() -> None:
    async def scenario() -> None:
        async with http_session() as http:
            loops: Loops = {}
            settings = Settings.from_env({**IN_AZURE, "VOICE_LIVE_KEY": "k"})
            access = voice_live(settings, http, Credential(), loops)
            assert (access.bearer, access.key) == (None, "k")
            assert not loops

    asyncio.run(scenario())
