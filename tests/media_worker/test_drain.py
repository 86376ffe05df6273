import asyncio

import pytest

from media_worker.app import serving
from media_worker.settings import Settings
from simulator.acs_switches import AcsSwitches
from switchboard.end_reason import EndReason
from switchboard.record import Ended, Live
from tests.media_worker.stage import HANGS_UP, STAYS, Answered, announced, environment, stage
from tests.virtual_time import run


def now() -> float:
    return asyncio.get_running_loop().time()


def move(call: Answered, from_url: str, to_url: str) -> None:
    """As a load balancer that has seen the readiness: the address is another worker's now."""
    connection = call.simulated.connection
    assert connection is not None
    assert connection.streaming is not None
    options = connection.streaming.options
    moved = options.url.replace(from_url.replace("http", "ws"), to_url.replace("http", "ws"))
    object.__setattr__(options, "url", moved)


def test_a_draining_worker_is_not_ready_but_alive_and_its_call_ends_by_itself() -> None:
    async def scenario() -> None:
        async with stage() as here:
            call = await here.ring(HANGS_UP)
            await here.until(lambda: here.worker.live_calls == 1)
            async with asyncio.TaskGroup() as group:
                group.create_task(here.worker.drain(300))
                await asyncio.sleep(0)
                async with here.http.get(f"{here.worker.url}/readyz") as reply:
                    assert reply.status == 503
                async with here.http.get(f"{here.worker.url}/healthz") as reply:
                    assert reply.status == 200
            assert call.simulated.outcome is not None
            assert call.simulated.outcome.as_scripted
            assert (await here.record(call.call_id)).state == Ended(EndReason.CALLER_HUNG_UP)
            assert now() < 60

    run(scenario())


def test_a_worker_is_ready_until_it_drains() -> None:
    async def scenario() -> None:
        async with stage() as here, here.http.get(f"{here.worker.url}/readyz") as reply:
            assert reply.status == 200

    run(scenario())


def test_a_draining_worker_takes_a_socket_all_the_same() -> None:
    async def scenario() -> None:
        async with stage() as here:
            await here.ring(STAYS)
            await here.until(lambda: here.worker.live_calls == 1)
            async with asyncio.TaskGroup() as group:
                draining = group.create_task(here.worker.drain(300))
                await asyncio.sleep(1)
                await here.ring(HANGS_UP)
                await here.until(lambda: here.worker.live_calls == 2)
                await here.until(lambda: here.worker.live_calls == 1)
                draining.cancel()

    run(scenario())


def test_near_the_deadline_a_call_moves_to_another_worker_and_goes_on_there() -> None:
    async def scenario() -> None:
        async with stage() as here:
            settings = Settings.from_env(environment(here.storage, here.acs, here.voice))
            async with serving(settings) as leaving:
                call = await here.ring(STAYS, media_url=leaving.url.replace("http", "ws"))
                await here.until(lambda: leaving.live_calls == 1)
                move(call, leaving.url, here.worker.url)
                began = now()
                await leaving.drain(120)
                assert 50 < now() - began < 75
            await here.until(lambda: here.worker.live_calls == 1)
            await asyncio.sleep(3)
            state = (await here.record(call.call_id)).state
            assert isinstance(state, Live)
            assert state.epoch == 2
            assert call.simulated.outcome is None
            assert announced(here, call) == []
            await asyncio.sleep(60)
            assert here.messages == 1

    run(scenario())


def test_a_call_that_came_back_to_the_draining_worker_is_moved_again() -> None:
    async def scenario() -> None:
        async with stage() as here:
            settings = Settings.from_env(environment(here.storage, here.acs, here.voice))
            async with serving(settings) as leaving:
                call = await here.ring(STAYS, media_url=leaving.url.replace("http", "ws"))
                await here.until(lambda: leaving.live_calls == 1)
                async with asyncio.TaskGroup() as group:
                    group.create_task(leaving.drain(120))
                    await asyncio.sleep(70)
                    assert leaving.live_calls == 1
                    assert (await here.record(call.call_id)).epoch == 2
                    move(call, leaving.url, here.worker.url)
            await here.until(lambda: here.worker.live_calls == 1)
            await asyncio.sleep(3)
            assert (await here.record(call.call_id)).epoch == 3
            assert call.simulated.outcome is None

    run(scenario())


@pytest.mark.parametrize("restart_works", [True, False])
def test_at_the_deadline_a_call_that_nobody_else_takes_ends_with_an_apology(
    restart_works: bool,
) -> None:
    async def scenario() -> None:
        async with stage(AcsSwitches(restart_works=restart_works)) as here:
            call = await here.ring(STAYS)
            await here.until(lambda: here.worker.live_calls == 1)
            await asyncio.sleep(5)
            spoken: list[str] = []

            async def listen() -> None:
                while call.simulated.outcome is None:
                    spoken[:] = announced(here, call) or spoken
                    await asyncio.sleep(0.1)

            async with asyncio.TaskGroup() as group:
                group.create_task(listen())
                began = now()
                await here.worker.drain(120)
                assert now() - began < 121
            assert here.worker.live_calls == 0
            assert spoken == ["I'm sorry, we have a technical problem."]
            state = (await here.record(call.call_id)).state
            assert state == Ended(EndReason.DRAINED if restart_works else EndReason.MEDIA_FAILED)
            assert here.messages == 0

    run(scenario())
