import asyncio

from media_worker.bridges import BridgeEvent, Failed
from media_worker.bridges.absent import open_absent


def test_an_agent_whose_services_are_missing_fails_with_what_to_set() -> None:
    async def scenario() -> list[BridgeEvent]:
        async with open_absent("set THIS") as bridge:
            await bridge.send_audio(b"AAA=")
            assert await bridge.interrupt("t", 1) is None
            await bridge.say("Hello")
            return [event async for event in bridge.events()]

    assert asyncio.run(scenario()) == [Failed("not_configured", "set THIS")]
