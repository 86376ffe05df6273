from typing import Any

from azure.core.credentials import AccessToken

from doctor.remembered import Remembered
from switchboard.clock import wall_now
from tests.virtual_time import run


class Slow:
    """A credential that counts."""

    def __init__(self, life_s: float) -> None:
        self.life_s = life_s
        self.asked: list[tuple[str, ...]] = []
        self.closed = False

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.asked.append(scopes)
        return AccessToken(f"token {len(self.asked)}", int(wall_now() + self.life_s))

    async def close(self) -> None:
        self.closed = True

    async def __aenter__(self) -> "Slow":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def test_each_scope_is_asked_for_once_however_many_checks_there_are() -> None:
    async def scenario() -> None:
        slow = Slow(3600)
        async with Remembered(slow) as credential:
            tokens = [(await credential.get_token("a")).token for _ in range(3)]
            await credential.get_token("b", enable_cae=True)
            assert tokens == ["token 1"] * 3
            assert slow.asked == [("a",), ("b",)]
            assert (await credential.get_token("a", claims="more")).token == "token 3"
        assert slow.closed

    run(scenario())


def test_a_token_that_is_about_to_expire_is_asked_for_again() -> None:
    async def scenario() -> None:
        slow = Slow(200)
        credential = Remembered(slow)
        await credential.get_token("a")
        await credential.get_token("a")
        assert len(slow.asked) == 2

    run(scenario())
