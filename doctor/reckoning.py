"""What needs no network: the directory, and the calls that may come beside the AI's quotas."""

from collections.abc import Iterator

from doctor.limits import (
    CALL_MINUTES,
    CALL_TOKENS_PER_MINUTE,
    CHECK_S,
    VOICE_LIVE_CONNECTIONS,
    VOICE_LIVE_TOKENS,
)
from doctor.patient import Patient, Unread, own_settings
from doctor.verdicts import Check, Fail, NotChecked, Ok, Verdict
from media_worker.settings import Settings as WorkerSettings
from switchboard.agents import RealtimeSpeechAgent
from switchboard.directory import DirectoryError
from switchboard.numbers import masked

_QUOTA_SEE = (
    "the quotas of the resource in the portal of Microsoft Foundry, or az cognitiveservices "
    "account list-usage --name NAME --resource-group GROUP"
)


def directory_checks(patient: Patient) -> Iterator[Check]:
    """The file, the bridges of its agents, and the numbers that must be answered."""

    async def valid() -> Verdict:
        return _valid(patient)

    async def published() -> Verdict:
        return patient.known.published

    async def bridges() -> Verdict:
        return _bridges(patient)

    yield Check("directory.published", "directory: the published one", published, CHECK_S)
    yield Check("directory.valid", "directory", valid, CHECK_S)
    yield Check("directory.bridges", "directory: a bridge for each agent", bridges, CHECK_S)
    for position, number in enumerate(patient.asked.numbers, start=1):

        async def answered(number: str = number) -> Verdict:
            return _answered(patient, number)

        what = f"directory: who answers {masked(number)}"
        yield Check(f"directory.number.{position}", what, answered, CHECK_S)


def _valid(patient: Patient) -> Verdict:
    match patient.known.directory:
        case Unread(source, _) if patient.asked.file is None and "AGENTS_FILE" not in patient.given:
            return NotChecked(f"{source} is not here, nor its agents", "name the file with --file")
        case Unread(source, why):
            mend = "Set AGENTS_FILE to the directory, or name it with --file."
            return Fail(f"{source} cannot be read: {why}", mend)
        case DirectoryError() as error:
            lines = ", ".join(dict.fromkeys(str(fault.line) for fault in error.faults[:10]))
            mend = f"python -m switchboard check {error.source} says what is wrong, and its mend."
            return Fail(f"{len(error.faults)} faults, in line {lines} of {error.source}", mend)
        case directory:
            agents, listed = len(directory.agents), len(directory.numbers)
            default = directory.default_agent
            others = f"{default} answers all others" if default else "no other is answered"
            if patient.functions.unmapped == "reject":
                others = "no other is answered (UNMAPPED=reject)"
            what = f"{agents} agents, {listed} numbers, {others}"
            return Ok(f"{what} ({patient.known.source}, generation {directory.generation})")


def _bridges(patient: Patient) -> Verdict:
    if patient.directory is None:
        return NotChecked("there is no good directory")
    if not own_settings(WorkerSettings) & patient.given:
        return NotChecked("the media worker's settings are not here")
    agents = patient.directory.agents.values()
    spoken = [agent.name for agent in agents if isinstance(agent, RealtimeSpeechAgent)]
    if spoken and patient.worker.realtime_endpoint is None:
        return Fail(
            f"{', '.join(spoken)}: bridge realtime_speech, and REALTIME_ENDPOINT is not set",
            "Set REALTIME_ENDPOINT and SPEECH_REGION (docs/configuration.md), or remove the agent "
            "from the directory.",
        )
    return Ok("the worker has the settings of each")


def _answered(patient: Patient, number: str) -> Verdict:
    directory = patient.directory
    if directory is None:
        return NotChecked("there is no good directory")
    route = directory.route(number)
    rejected = patient.functions.unmapped == "reject"
    if route is None or (rejected and route.matched == "default"):
        return Fail(
            "nobody",
            "Put it under [numbers] of the directory, or name a default_agent (python -m "
            "switchboard explain NUMBER).",
        )
    matched = "listed" if route.matched == "number" else "not listed: the default agent"
    return Ok(f"{route.agent.name} ({matched})")


def quota_check(patient: Patient) -> Check:
    """The most calls at once, beside what Voice Live takes in a minute."""

    async def reckon() -> Verdict:
        return _reckon(patient)

    return Check(
        "quota.voice_live", "Voice Live's quota beside the worker's limits", reckon, CHECK_S
    )


def _reckon(patient: Patient) -> Verdict:
    asked = patient.asked
    each = asked.calls_per_replica or patient.worker.max_calls
    if asked.max_replicas is None or each is None:
        return NotChecked("say --max-replicas (and --calls-per-replica) for the sum", _QUOTA_SEE)
    calls = asked.max_replicas * each
    known = asked.connections is not None and asked.tokens is not None
    resources = len(patient.worker.voice_live_endpoint or ("",))
    connections = (asked.connections or VOICE_LIVE_CONNECTIONS) * resources
    tokens = (asked.tokens or VOICE_LIVE_TOKENS) * resources
    begun, said = calls / CALL_MINUTES, calls * CALL_TOKENS_PER_MINUTE
    carried = min(int(connections * CALL_MINUTES), tokens // CALL_TOKENS_PER_MINUTE)
    detail = (
        f"{calls} calls at once ({asked.max_replicas} x {each}); with calls of {CALL_MINUTES:g} "
        f"minutes {begun:.0f} new ones a minute of {connections}, and at least {said:,} tokens a "
        f"minute of {tokens:,}"
    )
    if resources > 1:
        detail += f", with {resources} resources"
    if calls > carried:
        return Fail(
            detail,
            f"Lower the replicas or MAX_CALLS to {carried} calls in all, or have the quota raised "
            "(a support request); if it is higher than assumed here, say so by "
            "--voice-live-connections and --voice-live-tokens.",
        )
    if not known:
        return NotChecked(
            f"{detail}: within the usual quota, this resource's own is not known", _QUOTA_SEE
        )
    return Ok(detail)
