"""What can be asked of a call connection: one function for each operation of the REST API."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from simulator import acs_wire as wire
from simulator.acs_calls import SimulatedCall
from simulator.acs_connection import Connection, participant
from simulator.acs_exchange import Refused, invalid, reply_to
from simulator.acs_play import Announcer
from simulator.acs_streaming import Streaming
from simulator.acs_switches import CALL_NOT_FOUND, NOT_ESTABLISHED, WRONG_STATE, Destiny

Json: TypeAlias = dict[str, Any]
Reply: TypeAlias = tuple[int, Json | None]


@dataclass
class Leg:
    """A connection with the call that it belongs to."""

    call: SimulatedCall
    connection: Connection
    announcer: Announcer


async def hang_up(leg: Leg, _: Json) -> Reply:
    """DELETE and `:terminate`: the answerer leaves, or ends the call for all."""
    leg.announcer.cancel()
    leg.call.timeline.add("hang_up_asked")
    await leg.call.hung_up_on(leg.connection)
    return 204, None


async def terminate(leg: Leg, body: Json) -> Reply:
    leg.connection.participants[2:] = []
    return await hang_up(leg, body)


async def get(leg: Leg, _: Json) -> Reply:
    return 200, leg.connection.properties()


async def transfer(leg: Leg, body: Json) -> Reply:
    target = wire.raw_id_in(body.get("targetParticipant"))
    if target is None:
        raise invalid("targetParticipant is invalid.")
    leg.connection.state = "transferring"
    leg.call.timeline.add("transfer_asked", to=target)
    leg.connection.exchange.start(_transfer(leg, target, body))
    return 202, {"operationContext": body.get("operationContext")}


async def _transfer(leg: Leg, target: str, body: Json) -> None:
    connection, destiny = leg.connection, await _dialled(leg, target)
    if destiny is None:
        return
    context, uri = reply_to(body)
    leg.call.timeline.add("transfer", to=target, destiny=destiny)
    if destiny in ("accepted", "voicemail"):
        people = {
            "transferTarget": wire.identifier(target),
            "transferee": wire.identifier(connection.caller),
        }
        data = {**people, "resultInformation": wire.DONE}
        connection.report("CallTransferAccepted", data, context, uri)
        await asyncio.sleep(connection.exchange.switches.dialling_s)
        await leg.call.transferred(connection, target)
        return
    connection.state = "connected"
    connection.report("CallTransferFailed", {"resultInformation": _FAILED[destiny]}, context, uri)


async def _dialled(leg: Leg, raw_id: str) -> Destiny | None:
    """What comes of calling somebody; None if the call has ended meanwhile."""
    switches = leg.connection.exchange.switches
    await asyncio.sleep(switches.dialling_s)
    if leg.connection.state == "disconnected":
        return None
    return switches.destinies.get(raw_id, "accepted")


async def play(leg: Leg, body: Json) -> Reply:
    leg.announcer.play(body)
    return 202, None


async def recognise(leg: Leg, body: Json) -> Reply:
    leg.announcer.recognise(body)
    return 202, None


async def cancel_media(leg: Leg, _: Json) -> Reply:
    leg.announcer.cancel()
    return 202, None


async def start_streaming(leg: Leg, body: Json) -> Reply:
    streaming = _streaming(leg)
    refusal = leg.connection.exchange.switches.start_while_active
    if streaming.active and refusal is not None:
        raise Refused(refusal)
    leg.call.timeline.add("streaming_start_asked")
    leg.connection.exchange.start(streaming.start(*reply_to(body)))
    return 202, None


async def stop_streaming(leg: Leg, body: Json) -> Reply:
    streaming = _streaming(leg)
    leg.call.timeline.add("streaming_stop_asked")
    leg.connection.exchange.start(streaming.stop(*reply_to(body)))
    return 202, None


def _streaming(leg: Leg) -> Streaming:
    if leg.connection.streaming is None:
        raise Refused(WRONG_STATE)
    return leg.connection.streaming


async def start_dtmf(leg: Leg, body: Json) -> Reply:
    leg.connection.continuous_dtmf = body.get("operationContext") or ""
    return 200, None


async def stop_dtmf(leg: Leg, body: Json) -> Reply:
    leg.connection.continuous_dtmf = None
    stopped = {"resultInformation": wire.DONE}
    context, uri = reply_to(body)
    leg.connection.report("ContinuousDtmfRecognitionStopped", stopped, context, uri)
    return 200, None


async def send_dtmf(leg: Leg, body: Json) -> Reply:
    tones = body.get("tones") or []
    if not tones or any(tone not in wire.TONES.values() for tone in tones):
        raise invalid("tones is invalid.")
    leg.call.timeline.add("tones", tones=tones)
    context, uri = reply_to(body)
    leg.connection.report("SendDtmfTonesCompleted", {"resultInformation": wire.DONE}, context, uri)
    return 202, {"operationContext": context}


async def hold(leg: Leg, body: Json) -> Reply:
    leg.call.timeline.add("held", to=_target(body))
    return 200, None


async def unhold(leg: Leg, body: Json) -> Reply:
    leg.call.timeline.add("unheld", to=_target(body))
    return 200, None


async def list_participants(leg: Leg, _: Json) -> Reply:
    return 200, {"value": [participant(raw_id) for raw_id in leg.connection.participants]}


async def get_participant(leg: Leg, body: Json) -> Reply:
    """`rawId` in `body` comes from the URL."""
    if body["rawId"] not in leg.connection.participants:
        raise Refused(CALL_NOT_FOUND)
    return 200, participant(body["rawId"])


async def add_participant(leg: Leg, body: Json) -> Reply:
    raw_id = wire.raw_id_in(body.get("participantToAdd"))
    if raw_id is None:
        raise invalid("participantToAdd is invalid.")
    invitation = f"invitation-{len(leg.connection.participants)}"
    leg.connection.exchange.start(_invite(leg, raw_id, body))
    context = body.get("operationContext")
    return 202, {
        "participant": participant(raw_id),
        "operationContext": context,
        "invitationId": invitation,
    }


async def _invite(leg: Leg, raw_id: str, body: Json) -> None:
    connection, destiny = leg.connection, await _dialled(leg, raw_id)
    if destiny is None:
        return
    context, uri = reply_to(body)
    data = {"participant": wire.identifier(raw_id)}
    if destiny not in ("accepted", "voicemail"):
        failed = {**data, "resultInformation": _FAILED[destiny]}
        connection.report("AddParticipantFailed", failed, context, uri)
        return
    connection.participants.append(raw_id)
    done = {**data, "resultInformation": wire.DONE}
    connection.report("AddParticipantSucceeded", done, context, uri)
    connection.participants_updated()


async def remove_participant(leg: Leg, body: Json) -> Reply:
    raw_id = wire.raw_id_in(body.get("participantToRemove"))
    if raw_id not in leg.connection.participants:
        raise invalid("participantToRemove is not in the call.")
    leg.connection.participants.remove(raw_id)
    context, uri = reply_to(body)
    done = {"participant": wire.identifier(raw_id), "resultInformation": wire.DONE}
    leg.connection.report("RemoveParticipantSucceeded", done, context, uri)
    leg.connection.participants_updated()
    return 202, {"operationContext": context}


async def mute(leg: Leg, body: Json) -> Reply:
    return 200, {"operationContext": body.get("operationContext")}


def _target(body: Json) -> str | None:
    return wire.raw_id_in(body.get("targetParticipant"))


_FAILED = {
    "declined": wire.result(603, 8538, "The callee declined the call."),
    "busy": wire.result(486, 8539, "The callee is busy."),
    "no_answer": wire.result(480, 8540, "The callee did not answer."),
}
"""Codes 8538 to 8542 are those of callees; which is whose is not documented."""

Operation: TypeAlias = Callable[[Leg, Json], Awaitable[Reply]]

BEFORE_CONNECTED: dict[str, Operation] = {"get": get, "hangup": hang_up, "terminate": terminate}
"""What may be asked as soon as there is a connection."""

WHEN_CONNECTED: dict[str, Operation] = {
    "transferToParticipant": transfer,
    "play": play,
    "recognize": recognise,
    "cancelAllMediaOperations": cancel_media,
    "startMediaStreaming": start_streaming,
    "stopMediaStreaming": stop_streaming,
    "startContinuousDtmfRecognition": start_dtmf,
    "stopContinuousDtmfRecognition": stop_dtmf,
    "sendDtmfTones": send_dtmf,
    "hold": hold,
    "unhold": unhold,
    "participants": list_participants,
    "participant": get_participant,
    "participants:add": add_participant,
    "participants:remove": remove_participant,
    "participants:mute": mute,
}


async def operate(name: str, leg: Leg, body: Json) -> Reply:
    """Carries out one operation. Raises Refused."""
    state = leg.connection.state
    if state == "disconnected":
        raise Refused(CALL_NOT_FOUND)
    if name in BEFORE_CONNECTED:
        return await BEFORE_CONNECTED[name](leg, body)
    if name not in WHEN_CONNECTED:
        raise invalid(f"{name} is not simulated.")
    if state == "connecting":
        raise Refused(NOT_ESTABLISHED)
    if name == "transferToParticipant" and state != "connected":
        raise Refused(WRONG_STATE)
    return await WHEN_CONNECTED[name](leg, body)
