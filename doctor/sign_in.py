"""Whether the identity gets tokens, and whether the settings can be used."""

from collections.abc import Iterator

import jwt
from azure.core.exceptions import AzureError

from doctor.limits import CHECK_S, IDENTITY_S
from doctor.patient import Patient, own_settings
from doctor.verdicts import Check, Fail, NotChecked, Ok, Verdict
from functions.settings import Settings as FunctionsSettings
from media_worker.bridges.realtime_speech.access import SPEECH_SCOPE
from media_worker.entra import Tokens
from media_worker.settings import Settings as WorkerSettings
from switchboard.clock import wall_now
from switchboard.settings import GUID, SettingFault

_ACS_SCOPE = "https://communication.azure.com//.default"
"""As azure-communication-callautomation 1.6.0 asks for it, both slashes included."""

_STORAGE_SCOPE = "https://storage.azure.com/.default"
"""As the storage clients ask for it."""

_MENDS = {
    "managed_identity": "Assign a managed identity to this app, and set AZURE_CLIENT_ID to its "
    "client id if it is a user-assigned one; on a laptop set CREDENTIAL=azure_cli.",
    "default": "Sign in in one of the ways of DefaultAzureCredential, for example with az login.",
    "azure_cli": "Run az login, with the tenant of the resources.",
}


def scopes(patient: Patient) -> Iterator[tuple[str, str, str]]:
    """Each peer to which a token goes, rather than a key: its label, its name, the scope."""
    worker = patient.worker
    if worker.storage_connection_string is None:
        yield "storage", "Storage", _STORAGE_SCOPE
    if worker.acs_access_key is None:
        yield "acs", "Communication Services", _ACS_SCOPE
    if worker.voice_live_key is None and worker.voice_live_scope:
        yield "voice_live", "Voice Live", worker.voice_live_scope
    if worker.realtime_endpoint is not None:
        if worker.realtime_key is None and worker.realtime_scope:
            yield "realtime", "Realtime", worker.realtime_scope
        if worker.speech_auth != "key":
            yield "speech", "Speech", SPEECH_SCOPE


def identity_checks(patient: Patient) -> Iterator[Check]:
    """A token for each scope. `az` is asked one after the other: it is a process each time."""
    lane = "identity" if patient.worker.credential == "azure_cli" else ""
    for label, name, scope in scopes(patient):

        async def ask(label: str = label, scope: str = scope) -> Verdict:
            patient.signed_in.without.add(label)
            verdict = await _token(patient, scope)
            if isinstance(verdict, Ok):
                patient.signed_in.without.discard(label)
            return verdict

        yield Check(
            f"identity.{label}",
            f"identity: a token for {name}",
            ask,
            IDENTITY_S,
            silent=_MENDS.get(patient.worker.credential, ""),
            lane=lane,
        )


async def _token(patient: Patient, scope: str) -> Verdict:
    kind = patient.worker.credential
    if patient.credential is None:
        fault = patient.faults.get("CREDENTIAL")
        return NotChecked(f"CREDENTIAL {fault.message if fault else 'is none'}")
    try:
        token = await Tokens(patient.credential, scope).bearer()
    except (AzureError, TimeoutError) as error:
        return Fail(f"none by {kind}: {type(error).__name__}", _MENDS[kind])
    claims = _claims(token)
    client_id = str(claims.get("appid") or claims.get("azp") or "")
    if _is_guid(client_id):
        patient.signed_in.client_id = client_id
    who = f"of client id {client_id}" if _is_guid(client_id) else f"by {kind}"
    expires = claims.get("exp")
    if isinstance(expires, int | float):
        left_s = expires - wall_now()
        if left_s <= 0:
            mend = "Set this machine's clock right, or ask why the identity service is so late."
            return Fail(f"{who}, but it has expired {-left_s:.0f} s ago", mend)
        return Ok(f"{who}, valid for {left_s / 60:.0f} minutes")
    return Ok(who)


def _claims(token: str) -> dict[str, object]:
    """What the token says of itself; it is its audience that has to believe it."""
    try:
        claims: dict[str, object] = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        return {}
    return claims


def _is_guid(value: str) -> bool:
    try:
        return bool(GUID(value))
    except ValueError:
        return False


def settings_checks(patient: Patient) -> Iterator[Check]:
    """Shared settings, and those of each deployable."""
    functions, worker = own_settings(FunctionsSettings), own_settings(WorkerSettings)

    async def shared() -> Verdict:
        return _judged([f for n, f in patient.faults.items() if n not in functions | worker])

    async def of_functions() -> Verdict:
        return _judged_own(patient, functions)

    async def of_worker() -> Verdict:
        return _judged_own(patient, worker)

    yield Check("settings.shared", "settings: both deployables", shared, CHECK_S)
    yield Check("settings.functions", "settings: Functions app", of_functions, CHECK_S)
    yield Check("settings.worker", "settings: media worker", of_worker, CHECK_S)


def _judged_own(patient: Patient, names: frozenset[str]) -> Verdict:
    if not names & patient.given:
        return NotChecked(
            "none of them is here: what needs them is not checked",
            "docs/doctor.md, on how to bring them here",
        )
    return _judged([fault for name, fault in patient.faults.items() if name in names])


def _judged(faults: list[SettingFault]) -> Verdict:
    if not faults:
        return Ok("complete and well-formed")
    what = ", ".join(f"{fault.name} {fault.message}" for fault in faults)
    mends = "; ".join(f"{fault.name}: {fault.mend}" for fault in faults)
    return Fail(what, f"{mends} (docs/configuration.md).")
