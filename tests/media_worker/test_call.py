import asyncio
import base64
import random

import pytest

from media_worker.bridges import (
    AgentTurnEnded,
    AgentTurnStarted,
    Failed,
    Notice,
    Ready,
    SpeechStarted,
    SpeechStopped,
    ToolCall,
)
from media_worker.leg import CallOutcome, Ended, Gone, LetGo, Resumed, Superseded
from media_worker.limits import BAD_FRAMES, FIRST_FRAME_S, RESUME_S
from media_worker.tools import TO_PERSON
from switchboard.agents import Silence, VoiceLiveAgent
from switchboard.end_reason import EndReason
from switchboard.record import TurnRecord
from tests.media_worker.scripted import (
    FRAME,
    FRAME_AUDIO,
    METADATA,
    QUIET,
    RATE,
    ScriptedLeg,
    Stage,
    audio,
    tone,
    turn,
)
from tests.virtual_time import run


def now() -> float:
    return asyncio.get_running_loop().time()


def test_audio_goes_straight_through_both_ways() -> None:
    async def scenario() -> tuple[Stage, CallOutcome]:
        stage = Stage(*turn("greeting", 1.0))
        async with stage.running() as call:
            await stage.leg.talk(2.0)
            stage.leg.put(None)
        return stage, call.result()

    stage, outcome = run(scenario())
    assert stage.bridge.heard == [FRAME_AUDIO] * 100
    assert [m["AudioData"]["Data"] for _, m in stage.leg.sent] == [
        audio("greeting", 1.0).audio.decode()
    ]
    assert outcome.ending == Ended(EndReason.CALLER_HUNG_UP)
    assert stage.owner.did == []
    assert outcome.frames_in == 100
    assert outcome.usage == {"total_tokens": 7}
    assert not stage.bridge.open


def test_nothing_is_said_before_the_call_is_ours() -> None:
    async def scenario() -> tuple[Stage, CallOutcome]:
        stage = Stage(*turn("greeting", 1.0))
        async with stage.running() as call:
            await asyncio.sleep(0.02)
            assert stage.leg.sent == []
            await asyncio.sleep(0.02)
            assert stage.leg.kinds() == ["AudioData"]
            stage.leg.put(None)
        return stage, call.result()

    _, outcome = run(scenario())
    assert outcome.greeting_ms == 30.0


def test_a_call_that_another_worker_began_keeps_its_clock_in_the_record_and_in_its_length() -> None:
    before = TurnRecord(speaker="agent", text="Hello.", ended_ms=1500.0)
    agent = VoiceLiveAgent(name="a", model="m", silence=Silence(prompts=()), max_call_minutes=1)

    async def scenario() -> CallOutcome:
        stage = Stage(*turn("r", 1.0), agent=agent, earlier=[before], earlier_s=50.0)
        async with stage.running() as call, asyncio.TaskGroup() as tasks:
            talking = tasks.create_task(stage.leg.talk(60.0))
            await asyncio.sleep(10.5)
            assert [what for what, *_ in stage.bridge.asked] == ["say"]
            stage.bridge.emit(*turn("goodbye", 1.0))
            outcome = await call
            talking.cancel()
        return outcome

    outcome = run(scenario())
    assert outcome.ending == Ended(EndReason.TOO_LONG)
    assert outcome.turns[0] == before
    assert [50 <= turn.started_ms / 1000 <= 62 for turn in outcome.turns[1:]] == [True, True]
    assert outcome.greeting_ms is not None
    assert outcome.greeting_ms < 1000


def test_a_call_that_is_somebody_elses_is_left_alone() -> None:
    async def scenario() -> tuple[Stage, CallOutcome]:
        stage = Stage(*turn("greeting", 1.0))
        stage.owner.takes = False
        async with stage.running() as call:
            pass
        return stage, call.result()

    stage, outcome = run(scenario())
    assert outcome.ending == LetGo("not_taken")
    assert stage.leg.sent == []
    assert stage.owner.did == []


def test_a_leg_that_never_speaks_is_not_waited_for() -> None:
    async def scenario() -> tuple[CallOutcome, float]:
        stage = Stage()
        stage.leg._in.get_nowait()
        async with stage.running() as call:
            pass
        return call.result(), now()

    outcome, ended_at = run(scenario())
    assert outcome.ending == LetGo("never_spoke")
    assert ended_at == FIRST_FRAME_S


def test_the_bridge_is_opened_at_the_rate_of_the_stream() -> None:
    async def scenario(message: bytes) -> Stage:
        stage = Stage()
        stage.leg = ScriptedLeg(message)
        stage.call._line.leg = stage.leg
        async with stage.running():
            stage.leg.put(None)
        return stage

    assert run(scenario(METADATA.replace(b"24000", b"16000"))).bridge.rate == 16000
    assert run(scenario(FRAME)).bridge.rate == RATE


@pytest.mark.parametrize(
    "wrong", [(b'"PCM"', b'"G711"'), (b"24000", b"44100"), (b'"channels": 1', b'"channels": 2')]
)
def test_audio_of_another_form_is_never_played_at_the_wrong_speed(
    wrong: tuple[bytes, bytes],
) -> None:
    async def scenario() -> tuple[Stage, CallOutcome]:
        stage = Stage()
        stage.leg = ScriptedLeg(METADATA.replace(*wrong))
        stage.call._line.leg = stage.leg
        async with stage.running() as call:
            pass
        return stage, call.result()

    stage, outcome = run(scenario())
    assert outcome.ending == Ended(EndReason.MEDIA_FAILED)
    assert stage.owner.did == ["apologise"]


def test_a_closed_socket_is_not_an_end() -> None:
    async def scenario() -> tuple[Stage, ScriptedLeg, CallOutcome]:
        stage = Stage(*turn("a", 10.0))
        second = ScriptedLeg(METADATA, FRAME)
        stage.owner.lost, stage.owner.lost_after_s = Resumed(second), 3.0
        async with stage.running() as call:
            await stage.leg.talk(2.0)
            stage.leg.put(None)
            await asyncio.sleep(1.0)
            stage.bridge.emit(*turn("b", 1.0))  # nobody hears it
            await asyncio.sleep(2.5)
            assert stage.bridge.open
            stage.bridge.emit(*turn("c", 1.0))
            await asyncio.sleep(0.5)
            stage.owner.lost = Gone()
            second.put(None)
        return stage, second, call.result()

    stage, second, outcome = run(scenario())
    assert stage.bridge.asked[0] == ("interrupt", "a", 1970)
    assert stage.bridge.asked[1] == ("interrupt", "b", 0)
    assert stage.bridge.asked[2][:2] == ("prompt", "system")
    assert stage.bridge.asked[3][:2] == ("interrupt", "c")
    assert second.kinds() == ["AudioData"]
    assert stage.bridge.heard == [FRAME_AUDIO] * 101
    assert outcome.ending == Ended(EndReason.CALLER_HUNG_UP)


def test_when_nobody_can_tell_what_became_of_the_call_it_is_let_go() -> None:
    async def scenario() -> tuple[CallOutcome, float]:
        stage = Stage()
        stage.owner.lost_after_s = 1000.0
        async with stage.running() as call:
            stage.leg.put(None)
        return call.result(), now()

    outcome, ended_at = run(scenario())
    assert outcome.ending == LetGo("superseded")
    assert ended_at == pytest.approx(RESUME_S + 0.03)


@pytest.mark.parametrize(
    ("lost", "ending"),
    [
        (Gone(), Ended(EndReason.CALLER_HUNG_UP)),
        (Gone(EndReason.MEDIA_FAILED), Ended(EndReason.MEDIA_FAILED)),
        (Superseded(), LetGo("superseded")),
    ],
)
def test_what_the_owner_finds_out_is_the_end(
    lost: Gone | Superseded, ending: Ended | LetGo
) -> None:
    async def scenario() -> tuple[Stage, CallOutcome]:
        stage = Stage()
        stage.owner.lost = lost
        async with stage.running() as call:
            stage.leg.put(None)
        return stage, call.result()

    stage, outcome = run(scenario())
    assert outcome.ending == ending
    assert stage.owner.did == []  # the caller is not there any more


def test_a_bridge_that_fails_ends_the_call_with_an_apology() -> None:
    async def scenario() -> tuple[Stage, CallOutcome]:
        stage = Stage(Notice("error", "odd"), Failed("http_429", "raise the quota"))
        async with stage.running() as call:
            pass
        return stage, call.result()

    stage, outcome = run(scenario())
    assert outcome.ending == Ended(EndReason.BRIDGE_FAILED)
    assert outcome.failure == "http_429: raise the quota"
    assert stage.owner.did == ["apologise"]


def test_an_apology_at_hand_is_said_in_the_agents_own_voice_before_a_person_takes_over() -> None:
    async def scenario() -> tuple[Stage, CallOutcome, float]:
        stage = Stage(AgentTurnStarted("r1"), audio("r1", 2.0))
        stage.bridge.own_apology = audio("x", 3.0).audio
        async with stage.running() as call:
            await stage.leg.talk(1.0)
            stage.bridge.emit(Failed("closed:1011", "check its health"))
            await call
            return stage, call.result(), asyncio.get_running_loop().time()

    stage, outcome, ended_at = run(scenario())
    assert stage.owner.did == ["to_person"]
    assert set(stage.leg.kinds()) == {"AudioData"}  # what was being said is heard out
    assert ended_at == pytest.approx(5.0, abs=0.1)  # two seconds, then three
    assert outcome.turns[-1].text == QUIET.apology


def test_an_apology_does_not_wait_for_the_end_of_a_long_answer() -> None:
    async def scenario() -> tuple[Stage, float]:
        stage = Stage(AgentTurnStarted("r1"), *(audio("r1", 1.0) for _ in range(30)))
        stage.bridge.own_apology = audio("x", 3.0).audio
        async with stage.running() as call:
            await stage.leg.talk(1.0)
            stage.bridge.emit(Failed("closed:1011", "check its health"))
            await call
            return stage, asyncio.get_running_loop().time()

    stage, ended_at = run(scenario())
    stopped = stage.leg.kinds().index("StopAudio")
    assert set(stage.leg.kinds()[stopped + 1 :]) == {"AudioData"}
    assert ended_at == pytest.approx(4.0, abs=0.1)


def wants_a_person() -> Stage:
    return Stage(
        AgentTurnStarted("r1"),
        audio("r1", 2.0),
        ToolCall("r1", "c1", TO_PERSON.name, "{}"),
        AgentTurnEnded("r1", "completed", {}),
        fallback_number="+15550100099",
    )


def test_a_caller_is_put_through_when_the_agents_words_have_been_heard() -> None:
    async def scenario() -> tuple[Stage, CallOutcome, float]:
        stage = wants_a_person()
        async with stage.running() as call:
            await stage.leg.talk(20.0)
        return stage, call.result(), stage.owner.transferred_at

    stage, outcome, asked_at = run(scenario())
    assert stage.owner.did == ["transfer to +15550100099"]  # and nothing else: the caller is gone
    assert asked_at == pytest.approx(2.0, abs=0.1)
    assert outcome.ending == Ended(EndReason.TRANSFERRED)


def test_a_caller_whose_person_does_not_answer_stays_with_the_agent() -> None:
    async def scenario() -> tuple[Stage, CallOutcome]:
        stage = wants_a_person()
        stage.owner.reaches = False
        async with stage.running() as call:
            await stage.leg.talk(8.0)
            stage.bridge.emit(*turn("r2", 1.0))
            await stage.leg.talk(4.0)
            stage.leg.put(None)
        return stage, call.result()

    stage, outcome = run(scenario())
    assert ("answer", "c1", True) in stage.bridge.asked
    assert outcome.ending == Ended(EndReason.CALLER_HUNG_UP)


def test_a_caller_who_speaks_before_the_transfer_begins_stays_with_the_agent() -> None:
    async def scenario() -> Stage:
        stage = wants_a_person()
        async with stage.running():
            await stage.leg.talk(1.0)
            stage.bridge.emit(SpeechStarted("u", 0.0), SpeechStopped("u", 0.0))
            await stage.leg.talk(10.0)
            stage.leg.put(None)
        return stage

    stage = run(scenario())
    assert ("answer", "c1", False) in stage.bridge.asked
    assert stage.owner.did == []


def test_a_leg_lost_while_the_person_is_being_called_is_no_end_until_that_is_decided() -> None:
    async def scenario() -> tuple[Stage, CallOutcome]:
        stage = wants_a_person()
        stage.owner.rings_s = 15.0
        async with stage.running() as call:
            await stage.leg.talk(3.0)
            stage.leg.put(None)
        return stage, call.result()

    assert run(scenario())[1].ending == Ended(EndReason.TRANSFERRED)


def test_the_turns_are_checkpointed_as_they_end() -> None:
    async def scenario() -> Stage:
        stage = Stage(*turn("a", 1.0))
        async with stage.running():
            await stage.leg.talk(3.0)
            stage.bridge.emit(*turn("b", 1.0))
            await stage.leg.talk(3.0)
            stage.leg.put(None)
        return stage

    assert [len(turns) for turns in run(scenario()).owner.saved] == [1, 2]


def test_a_call_that_a_newer_owner_holds_is_let_go_at_the_next_checkpoint() -> None:
    async def scenario() -> tuple[Stage, CallOutcome]:
        stage = Stage(*turn("a", 1.0))
        stage.owner.keeps = False
        async with stage.running() as call:
            await stage.leg.talk(2.0)
        return stage, call.result()

    stage, outcome = run(scenario())
    assert outcome.ending == LetGo("superseded")
    assert stage.owner.did == []


def test_malformed_frames_are_skipped_and_counted() -> None:
    async def scenario() -> tuple[Stage, CallOutcome]:
        stage = Stage()
        async with stage.running() as call:
            stage.leg.put(b"", b"{", b"[" * 9000, FRAME)
            await asyncio.sleep(1.0)
            stage.leg.put(None)
        return stage, call.result()

    stage, outcome = run(scenario())
    assert stage.bridge.heard == [FRAME_AUDIO]
    assert outcome.frames_skipped == 3
    assert outcome.ending == Ended(EndReason.CALLER_HUNG_UP)


def test_a_leg_that_sends_nothing_but_rubbish_is_closed() -> None:
    async def scenario() -> Stage:
        stage = Stage()
        async with stage.running():
            stage.leg.put(*[b"{"] * BAD_FRAMES)
        return stage

    assert run(scenario()).leg.closed == 1008


def test_keyed_digits_silence_the_agent_and_reach_it_as_text() -> None:
    async def scenario() -> tuple[Stage, CallOutcome]:
        stage = Stage(*turn("a", 10.0))
        async with stage.running() as call:
            await stage.leg.talk(1.0)
            stage.leg.put(tone("4"), tone("2"))
            await stage.leg.talk(1.0)
            assert len(stage.bridge.asked) == 1
            await stage.leg.talk(1.0)
            stage.leg.put(None)
        return stage, call.result()

    stage, outcome = run(scenario())
    assert stage.leg.kinds()[-1] == "StopAudio"
    assert stage.bridge.asked == [
        ("interrupt", "a", 970),
        ("prompt", "caller", "[The caller pressed these keys: 42]"),
    ]
    assert "42" not in str(outcome.turns)


def test_the_moment_between_a_question_and_its_answer_is_no_pause() -> None:
    async def scenario() -> float:
        stage = Stage(Ready(None, resumed=False))
        async with stage.running(), asyncio.TaskGroup() as tasks:
            talking = tasks.create_task(stage.leg.talk(20.0))
            await asyncio.sleep(1.0)
            stage.bridge.emit(SpeechStarted("u", 0.0))
            await asyncio.sleep(0.5)
            stage.bridge.emit(SpeechStopped("u", 0.0))
            pausing = tasks.create_task(stage.call.pause(20.0))
            await asyncio.sleep(1.0)
            assert not pausing.done()
            stage.bridge.emit(*turn("a", 2.0))
            await pausing
            paused_at = now()
            stage.leg.put(None)
            talking.cancel()
        return paused_at

    assert run(scenario()) > 1.0 + 0.5 + 1.0 + 2.0


def test_a_call_can_be_handed_over_in_a_pause() -> None:
    async def scenario() -> tuple[Stage, CallOutcome, float]:
        stage = Stage(*turn("a", 4.0))
        async with stage.running() as call, asyncio.TaskGroup() as tasks:
            talking = tasks.create_task(stage.leg.talk(10.0))
            await asyncio.sleep(1.0)
            await stage.call.pause(20.0)
            paused_at = now()
            stage.call.let_go()
            await call
            talking.cancel()
        return stage, call.result(), paused_at

    stage, outcome, paused_at = run(scenario())
    assert paused_at == pytest.approx(5.53, abs=0.11)
    assert outcome.ending == LetGo("handed_over")
    assert stage.owner.did == []


def test_a_call_can_be_ended_from_outside() -> None:
    async def scenario() -> tuple[Stage, CallOutcome]:
        stage = Stage()
        async with stage.running() as call:
            await asyncio.sleep(1.0)
            stage.call.end(EndReason.FAULT)
        return stage, call.result()

    stage, outcome = run(scenario())
    assert outcome.ending == Ended(EndReason.FAULT)
    assert stage.owner.did == ["hang_up"]


def test_a_bridge_that_stalls_over_the_greeting_does_not_leave_the_caller_in_silence() -> None:
    async def scenario() -> tuple[CallOutcome, float]:
        stage = Stage(agent=VoiceLiveAgent(name="a", model="m", greeting="Hello"))
        async with stage.running() as call, asyncio.TaskGroup() as tasks:
            talking = tasks.create_task(stage.leg.talk(60.0))
            await call
            talking.cancel()
        return call.result(), now()

    outcome, ended_at = run(scenario())
    assert outcome.ending == Ended(EndReason.BRIDGE_FAILED)
    assert outcome.failure == "stalled"
    assert ended_at < 10.0


def test_a_session_that_expires_is_renewed_in_a_pause() -> None:
    async def scenario() -> Stage:
        stage = Stage()
        stage.bridge.emit(Ready(200.0, resumed=False), AgentTurnStarted("a"))
        async with stage.running(), asyncio.TaskGroup() as tasks:
            talking = tasks.create_task(stage.leg.talk(300.0))
            for _ in range(10):  # an agent that speaks without a pause, for 99 seconds
                stage.bridge.emit(audio("a", 9.9))
                await asyncio.sleep(9.9)
            stage.bridge.emit(AgentTurnEnded("a", "completed", {}))
            await asyncio.sleep(10.0)
            stage.leg.put(None)
            talking.cancel()
        return stage

    ((asked, at),) = run(scenario()).bridge.asked
    assert asked == "renew"
    assert 99.0 <= at <= 101.0


@pytest.mark.parametrize("delay_ms", [0, 60, 200])
def test_nothing_of_a_turn_leaves_after_stop_audio_in_200_interruptions(delay_ms: int) -> None:
    drawn = random.Random(delay_ms)

    async def interrupt(stage: Stage, number: int) -> None:
        name = f"r{number}"
        stage.bridge.emit(AgentTurnStarted(name))
        pieces = [audio(name, drawn.uniform(0.01, 0.8), number + 1) for _ in range(20)]
        spoken = drawn.randrange(1, 20)
        for piece in pieces[:spoken]:
            stage.bridge.emit(piece)
            await asyncio.sleep(drawn.choice([0.0, 0.0, 0.001, 0.3]))
        await asyncio.sleep(drawn.uniform(0.0, 0.3))
        stage.bridge.emit(SpeechStarted(f"u{number}", 0.0))
        for piece in pieces[spoken:]:  # what was on its way
            stage.bridge.emit(piece)
            await asyncio.sleep(drawn.choice([0.0, 0.0, 0.01]))
        stage.bridge.emit(AgentTurnEnded(name, "cancelled", {}), SpeechStopped(f"u{number}", 0.0))
        await asyncio.sleep(drawn.choice([0.0, 0.5]))

    async def scenario() -> Stage:
        stage = Stage(playout_delay_ms=delay_ms)
        async with stage.running(), asyncio.TaskGroup() as tasks:
            talking = tasks.create_task(stage.leg.talk(100_000.0))
            await asyncio.sleep(1.0)
            for number in range(200):
                await interrupt(stage, number)
            stage.leg.put(None)
            talking.cancel()
        return stage

    stage = run(scenario())
    stopped = 0
    played_until = heard_s = 0.0
    pieces: list[tuple[float, float]] = []
    for at, message in stage.leg.sent:
        if message["Kind"] == "StopAudio":
            heard_s = sum(max(0.0, min(end, at) - start) for start, end in pieces)
            assert stage.bridge.asked[stopped][:2] == ("interrupt", f"r{stopped}")
            assert stage.bridge.asked[stopped][2] == pytest.approx(heard_s * 1000, abs=1.0)
            played_until, pieces = min(played_until, at), []
            stopped += 1
            continue
        pcm = base64.b64decode(message["AudioData"]["Data"])
        assert set(pcm[::2]) | {0} == {0, stopped + 1}  # the turn that is not yet stopped
        start = max(played_until, at + delay_ms / 1000)
        played_until = start + len(pcm) / 2 / RATE
        pieces.append((start, played_until))
    assert stopped == len(stage.bridge.asked) == 200


def test_a_leg_that_takes_no_audio_is_closed() -> None:
    async def scenario() -> tuple[Stage, CallOutcome]:
        stage = Stage()
        stage.leg.stuck = True
        stage.bridge.emit(*turn("a", 1.0))
        async with stage.running() as call, asyncio.TaskGroup() as tasks:
            talking = tasks.create_task(stage.leg.talk(60.0))
            await call
            talking.cancel()
        return stage, call.result()

    stage, outcome = run(scenario())
    assert stage.leg.closed == 4408
    assert outcome.ending == Ended(EndReason.CALLER_HUNG_UP)


def test_a_half_open_leg_is_closed_and_the_call_looked_for() -> None:
    async def scenario() -> tuple[Stage, float]:
        stage = Stage()
        async with stage.running():
            await stage.leg.talk(1.0)
        return stage, now()

    stage, ended_at = run(scenario())
    assert stage.leg.closed == 4408
    assert ended_at < 8.0
