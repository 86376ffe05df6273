import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from doctor.first_call import Told, first_call
from doctor.patient import Asked, admitted
from simulator.script import AfterAgent, CallerScript, Expect, HangUp, Say, Step, Utterance
from simulator.storage import Fault
from tests.calls.whole import AGENTS, environ
from tests.doctor.stage import Found, Ward, ward
from tests.virtual_time import run

ASK = Step(Say(Utterance("When are you open?")))
CALLER = CallerScript((ASK, Step(HangUp(), AfterAgent())), Expect(ended_by="caller"))
ANOTHER = "11111111-2222-4333-8444-555555555555"


async def watched(
    here: Ward, *, call: bool = True, log: Iterable[str] | None = None, limit_s: float = 30
) -> tuple[Told, list[str]]:
    """What is found of a call that comes while it is waited for, and what is said meanwhile."""
    said: list[str] = []
    async with (
        environ(here.env),
        admitted(Asked(), here.env) as patient,
        asyncio.TaskGroup() as group,
    ):
        waiting = group.create_task(first_call(patient, limit_s, log, said.append))
        await asyncio.sleep(2)
        if call:
            await here.system.call(CALLER)
        await waiting
    return waiting.result(), said


def test_a_good_call_is_told_phase_by_phase_with_its_times(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path) as here:
            await (await here.system.call(CALLER)).ended()  # an earlier call is not the first
            await here.system.settled()
            known = [record.call_id for record in here.system.records()]
            told, said = await watched(here)
            found = Found(list(told.findings))
            assert found.red == []
            assert list(found.all) == [
                f"first_call.{phase}"
                for phase in (
                    *("rang", "claimed", "answered", "token"),
                    *("media", "agent", "replies", "ended"),
                )
            ]
            assert found.detail("first_call.media").startswith("the first frame at +0.")
            assert " ms after the first frame" in found.detail("first_call.agent")
            assert found.detail("first_call.replies").endswith("; interruptions: 0")
            assert found.detail("first_call.ended").startswith("caller_hung_up after ")
            assert "az containerapp logs show" in str(found.told("first_call.token")["see"])
            times = told.to_json()
            assert times is not None
            order = [0, times["first_frame_s"], times["agent_s"], times["ended_s"]]
            assert order == sorted(order)
            assert len(times["reply_latency_ms"]) == 1
            assert times["seen_s"]["ended"] >= times["ended_s"] - 0.1
            assert times["reason"] == "caller_hung_up"
            assert said[0] == "Waiting for a call, for 30 s at most …"
            assert not any(earlier in said[1] for earlier in known)

    run(scenario())


def test_no_number_and_no_word_of_the_call_is_told(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path) as here:
            found = Found(list((await watched(here))[0].findings))
            shown = json.dumps([found.told(id_) for id_ in found.all])
            assert "555" not in shown
            assert "open" not in shown

    run(scenario())


def test_no_call_is_red_with_where_to_look(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path) as here:
            found = Found(list((await watched(here, call=False, limit_s=5))[0].findings))
            assert found.red == ["first_call.rang"]
            assert "call_rejected" in found.mend("first_call.rang")
            assert "Event Grid delivers nothing" in found.mend("first_call.rang")

    run(scenario())


def test_a_wrong_immutable_id_is_found_by_the_claim_that_the_door_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        wrong = {"ACS_IMMUTABLE_RESOURCE_ID": ANOTHER}
        alone = AGENTS.replace('fallback_number = "+1 555 010 0099"', "")
        async with ward(tmp_path, agents_toml=alone, worker_env=wrong, functions_env=wrong) as here:
            found = Found(list((await watched(here))[0].findings))
            assert found.red == ["first_call.token", "first_call.ended"]
            assert found.detail("first_call.token") == "the door refused its aud"
            assert "Set ACS_IMMUTABLE_RESOURCE_ID to the resource's" in found.mend(
                "first_call.token"
            )
            assert "Usual causes: wrong `ACS_IMMUTABLE_RESOURCE_ID`" in found.mend(
                "first_call.ended"
            )

    run(scenario())


def test_the_same_id_put_right_lets_the_next_call_through(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path) as here:
            line: dict[str, Any] = {"event": "call_taken"}

            def log() -> Iterable[str]:
                line["call_id"] = here.system.records()[0].call_id
                yield json.dumps(line)

            found = Found(list((await watched(here, log=log()))[0].findings))
            assert found.red == []
            assert "first_call.token" in found.green

    run(scenario())


def test_an_agent_that_cannot_speak_is_told_by_the_runbook(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path) as here:
            here.world.voice_live.switches.refuse_status = 403
            found = Found(list((await watched(here))[0].findings))
            assert found.red == ["first_call.agent", "first_call.ended"]
            assert "a missing role" in found.mend("first_call.agent")

    run(scenario())


def test_records_that_may_not_be_read_are_red_rather_than_waited_for(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path) as here:
            fault = Fault(times=100, operation="ListBlobs", status=403)
            here.world.storage.faults.append(fault)
            found = Found(list((await watched(here, call=False))[0].findings))
            assert found.red == ["first_call.rang"]
            assert "Storage Blob Data Contributor" in found.mend("first_call.rang")

    run(scenario())
