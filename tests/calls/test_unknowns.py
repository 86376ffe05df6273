"""What nobody outside Microsoft knows about ACS and Voice Live: a call goes well either way."""

from pathlib import Path
from typing import Any

import pytest

from simulator.acs_switches import ANSWER_ORDER, CALL_NOT_FOUND, WRONG_STATE, AcsSwitches, Fault
from simulator.event_grid import EventGridSwitches
from simulator.script import AfterAgent, CallerScript, Expect, HangUp, Say, Step, Utterance
from simulator.voice_live_switches import VoiceLiveSwitches
from switchboard.end_reason import EndReason
from switchboard.record import Ended
from tests.calls.whole import Access, whole
from tests.virtual_time import run

CONVERSATION = CallerScript(
    (Step(Say(Utterance("When are you open?"))), Step(HangUp(), AfterAgent())),
    Expect(ended_by="caller"),
)

SWITCHES: dict[str, dict[str, Any]] = {
    "the socket comes before the reply to answer": {
        "acs": AcsSwitches(
            answer_order=("socket", "response", "connected", "participants", "streaming"),
            moment_delay_s={"response": 1.0},
        )
    },
    "callbacks come in reverse, before the reply": {
        "acs": AcsSwitches(answer_order=tuple(reversed(ANSWER_ORDER)))
    },
    "callbacks come twice": {
        "acs": AcsSwitches(callback_copies={"CallConnected": 2, "CallDisconnected": 2})
    },
    "CallDisconnected never comes": {"acs": AcsSwitches(callback_copies={"CallDisconnected": 0})},
    "callbacks come after the end": {
        "acs": AcsSwitches(
            callback_after_end=True, callback_delay_s={"CallConnected": 40.0}, callback_attempts=3
        )
    },
    "the subscription state is absent": {"acs": AcsSwitches(subscription="absent")},
    "the subscription state is stale": {"acs": AcsSwitches(subscription="stale")},
    "Repeatability is not honoured": {"acs": AcsSwitches(repeatability=False)},
    "a second answer gets the first one's reply": {"acs": AcsSwitches(second_answer=None)},
    "a second answer is refused otherwise": {"acs": AcsSwitches(second_answer=WRONG_STATE)},
    "the metadata frame is missing": {"acs": AcsSwitches(metadata="missing")},
    "ACS answers connected at once": {"acs": AcsSwitches(answered_state="connected")},
    "every event comes three times": {"grid": EventGridSwitches(copies=3, spread_s=12.0)},
    "events come late": {"grid": EventGridSwitches(delay_s=9.0)},
    "the service ignores fields it does not know": {
        "voice_live": VoiceLiveSwitches(unknown_fields="ignored", unknown_events=True)
    },
    "the service warns": {"voice_live": VoiceLiveSwitches(warnings=True)},
    "transcripts come after the response": {
        "voice_live": VoiceLiveSwitches(transcription="after_response")
    },
    "the service opens two seconds late": {"voice_live": VoiceLiveSwitches(open_delay_s=2.0)},
    "the service refuses a second response": {
        "voice_live": VoiceLiveSwitches(active_response="refused")
    },
}


@pytest.mark.parametrize("case", SWITCHES, ids=str)
def test_a_conversation_goes_well_when(case: str, tmp_path: Path, access: Access) -> None:
    async def scenario() -> None:
        async with whole(tmp_path, access=access, **SWITCHES[case]) as system:
            call = await system.call(CONVERSATION)
            outcome = await call.ended()
            await system.settled()
            assert outcome.as_scripted, outcome.faults
            (record,) = system.records()
            assert isinstance(record.state, Ended)
            assert record.state.reason is EndReason.CALLER_HUNG_UP
            assert not system.host.failures

    run(scenario())


@pytest.mark.parametrize("reply", [CALL_NOT_FOUND, None, WRONG_STATE], ids=str)
@pytest.mark.parametrize("repeatability", [True, False])
def test_a_lost_reply_to_the_answer_loses_no_call(
    reply: Any, repeatability: bool, tmp_path: Path, access: Access
) -> None:
    async def scenario() -> None:
        acs = AcsSwitches(
            second_answer=reply,
            repeatability=repeatability,
            faults=[Fault("answer", lose_reply=True)],
        )
        async with whole(tmp_path, access=access, acs=acs) as system:
            call = await system.call(CONVERSATION)
            outcome = await call.ended()
            await system.settled()
            assert outcome.as_scripted, outcome.faults
            (record,) = system.records()
            assert isinstance(record.state, Ended)
            assert record.state.reason is EndReason.CALLER_HUNG_UP

    run(scenario())
