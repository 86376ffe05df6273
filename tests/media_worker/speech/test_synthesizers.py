import asyncio
import threading

import psutil
import pytest

from media_worker.limits import SPEECH_IDLE_KEPT
from media_worker.speech.native import Broken, Finished, Kind
from media_worker.speech.ssml import ssml
from media_worker.speech.synthesizers import SpeechAccess, SpeechUnavailable, Synthesizers
from simulator.speech_service_switches import SpeechSwitches
from switchboard.speech_voice import SpeechVoice
from tests.media_worker.speech_stage import SSML, STREAM, VOICE, Ear, pooled, real


def test_a_text_stream_sounds_before_its_text_is_complete() -> None:
    async def scenario() -> None:
        async with pooled() as (pool, _), pool.leased(STREAM) as synthesizer:
            ear = Ear()
            utterance = await synthesizer.speak_stream(ear)
            await synthesizer.write("Hello there, ")
            async with asyncio.timeout(2):
                while not ear.pcm:
                    await asyncio.sleep(0.01)
            assert not utterance.ended.is_set()
            await synthesizer.write("good day.")
            await synthesizer.end_text()
            await utterance.ended.wait()
            assert utterance.outcome == Finished()
            await asyncio.sleep(0.05)
            assert ear.words == ["Hello", "there", "good", "day"]

    real(scenario)


def test_nothing_of_a_stopped_utterance_is_heard_or_spoken_in_the_next() -> None:
    async def scenario() -> None:
        async with pooled() as (pool, speech), pool.leased(STREAM) as synthesizer:
            first, second = Ear(), Ear()
            utterance = await synthesizer.speak_stream(first)
            await synthesizer.write("An old answer that goes on and on ")
            await asyncio.sleep(0.1)
            await synthesizer.stop(utterance)
            heard = len(first.events)
            await synthesizer.write("with stale words ")
            utterance = await synthesizer.speak_stream(second)
            await synthesizer.write("New.")
            await synthesizer.end_text()
            await utterance.ended.wait()
            await asyncio.sleep(0.05)
            assert second.words == ["New"]
            assert len(first.events) == heard
            assert speech.utterances[-1].text.strip() == "New."
            assert synthesizer.healthy

    real(scenario)


def test_a_healthy_synthesizer_is_used_again_with_its_connection() -> None:
    async def scenario() -> None:
        async with pooled() as (pool, speech):
            async with pool.leased(SSML) as first:
                async with asyncio.timeout(2):
                    while not speech.connections:  # who speaks earlier opens another one
                        await asyncio.sleep(0.01)
                await asyncio.sleep(0.3)  # until the SDK has seen it, too
                utterance = await first.speak_ssml(ssml(SpeechVoice(VOICE), "One."), Ear())
                await utterance.ended.wait()
            async with pool.leased(SSML) as second:
                assert second is first
                utterance = await second.speak_ssml(ssml(SpeechVoice(VOICE), "Two."), Ear())
                await utterance.ended.wait()
            assert len(speech.connections) == 1

    real(scenario)


def test_one_that_is_given_back_while_it_speaks_is_stopped_first() -> None:
    async def scenario() -> None:
        async with pooled(SpeechSwitches(speed=2.0)) as (pool, _):
            ear = Ear()
            async with pool.leased(STREAM) as synthesizer:
                await synthesizer.speak_stream(ear)
                await synthesizer.write("Hello there, how are you today? ")
                await asyncio.sleep(0.2)
            heard = len(ear.events)
            await asyncio.sleep(0.3)
            assert len(ear.events) == heard

    real(scenario)


def test_a_warm_one_is_connected_before_it_is_asked_for() -> None:
    async def scenario() -> None:
        async with pooled() as (pool, speech):
            await pool.warm(STREAM)
            await pool.warm(STREAM)
            async with asyncio.timeout(2):
                while not speech.connections:
                    await asyncio.sleep(0.01)
            assert len(speech.connections) == 1

    real(scenario)


def test_no_more_are_kept_than_the_limit_and_none_after_the_end() -> None:
    async def scenario() -> None:
        before = threading.active_count()
        async with pooled() as (pool, _):
            leased = [await pool.lease(SSML) for _ in range(SPEECH_IDLE_KEPT + 2)]
            for synthesizer in leased:
                await pool.give_back(synthesizer)
            again = {await pool.lease(SSML) for _ in range(SPEECH_IDLE_KEPT)}
            assert len(again & set(leased)) == SPEECH_IDLE_KEPT
            for synthesizer in again:
                await pool.give_back(synthesizer)
        await asyncio.sleep(0.1)
        assert threading.active_count() <= before + 1

    real(scenario)


@pytest.mark.parametrize("fault", ["none", "no audio", "1000", "refused"])
@pytest.mark.parametrize("kind", [SSML, STREAM], ids=["ssml", "stream"])
def test_one_that_is_thrown_away_leaves_no_native_thread(kind: Kind, fault: str) -> None:
    switches = {
        "none": SpeechSwitches(),
        "no audio": SpeechSwitches(no_audio=True),
        "1000": SpeechSwitches(close_before_audio=1000),
        "refused": SpeechSwitches(refuse_status=503),
    }[fault]
    process = psutil.Process()

    async def scenario() -> None:
        async with pooled(switches) as (pool, _):
            await pool.run(int)  # a thread of the pool, and those of the SDK itself
            counts = []
            for _ in range(4):
                synthesizer = await pool.lease(kind)
                if kind.mode == "ssml":
                    await synthesizer.speak_ssml(ssml(SpeechVoice(VOICE), "One."), Ear())
                else:
                    await synthesizer.speak_stream(Ear())
                    await synthesizer.write("One two three. ")
                await asyncio.sleep(0.1)
                synthesizer.healthy = False
                await pool.give_back(synthesizer)
                await asyncio.sleep(0.05)
                counts.append(process.num_threads())
            assert counts[-1] <= counts[0] + 3, (
                counts
            )  # of the pool, which makes threads as it needs them

    real(scenario)


def test_a_refusal_is_told_by_its_code() -> None:
    async def scenario() -> None:
        async with pooled(key="wrong") as (pool, _), pool.leased(SSML) as synthesizer:
            utterance = await synthesizer.speak_ssml(ssml(SpeechVoice(VOICE), "One."), Ear())
            await utterance.ended.wait()
            assert utterance.outcome == Broken("AuthenticationFailure")

    real(scenario)


def test_without_a_token_there_is_no_synthesizer() -> None:
    async def scenario() -> None:
        async def bearer() -> str:
            raise TimeoutError

        access = SpeechAccess("ws://127.0.0.1:9", "ws://127.0.0.1:9", bearer=bearer)
        pool = Synthesizers(access)
        with pytest.raises(SpeechUnavailable, match="no_token"):
            await pool.lease(SSML)
        await pool.close()

    real(scenario)
