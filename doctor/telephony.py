"""Azure Communication Services: may we, and can its tokens be checked?"""

import asyncio
import json
import uuid
from collections.abc import Iterator

from doctor.limits import ACS_S, FETCH_S
from doctor.mends import ACS_ROLE, grant
from doctor.patient import Patient
from doctor.verdicts import Check, Fail, NotChecked, Ok, Verdict
from functions.key_fetch import KeyFetch
from switchboard import azure_clients
from switchboard.acs_jwt import usable_keys
from switchboard.acs_requests import AcsRefused, AcsUnavailable, patiently
from switchboard.limits import KEYS_FETCH_S

_KEYS_PATH = "/keys"
_DOCUMENT_PATH = "/.well-known/acsopenidconfiguration"
"""Beside the keys (ACS docs, "Secure webhook endpoint")."""

_UNREACHED = "Check ACS_ENDPOINT, and that this network lets https out to it."
_KEYS_UNREACHED = (
    "Check ACS_JWKS_URL, and that this network lets https out to it: without the keys no media "
    "socket and no callback is let in."
)


def telephony_checks(patient: Patient) -> Iterator[Check]:
    """A call that does not exist is asked for; the keys and the issuer are read."""
    yield Check(
        "acs.permission",
        "Communication Services: Call Automation",
        lambda: _permission(patient),
        ACS_S,
        _UNREACHED,
        needs=("ACS_ENDPOINT",),
        scope="acs" if patient.worker.acs_access_key is None else None,
    )
    yield Check(
        "acs.keys",
        "Communication Services: keys of its tokens",
        lambda: _keys(patient),
        FETCH_S,
        _KEYS_UNREACHED,
        needs=("ACS_JWKS_URL",),
    )
    yield Check(
        "acs.issuer",
        "Communication Services: issuer of its tokens",
        lambda: _issuer(patient),
        FETCH_S,
        _KEYS_UNREACHED,
        needs=("ACS_JWKS_URL", "ACS_ISSUER"),
    )


async def _permission(patient: Patient) -> Verdict:
    client = await asyncio.to_thread(azure_clients.acs_client, patient.worker, patient.credential)
    async with client:
        nobody = client.get_call_connection(str(uuid.uuid4()))
        try:
            await patiently(nobody.get_call_properties, repeatable=True)
        except AcsRefused as error:
            return _refused(patient, error)
        except AcsUnavailable as error:
            return Fail(f"no answer: {error}", _UNREACHED)
    return NotChecked("it knows a call that does not exist")


def _refused(patient: Patient, error: AcsRefused) -> Verdict:
    detail = f"{error.status}/{error.sub_code}".rstrip("/")
    match error.status:
        case 404 if error.sub_code:
            return Ok(f"a call that does not exist is not found ({detail}): calls may be asked for")
        case 404:
            return Fail(f"{detail}, and not in the words of Call Automation", _UNREACHED)
        case 401 if patient.worker.acs_access_key is not None:
            return Fail(detail, "Check ACS_ACCESS_KEY: it is not a key of this resource.")
        case 401 | 403:
            where = "the Communication Services resource"
            return Fail(detail, grant(ACS_ROLE, where, patient.signed_in.client_id))
        case _:
            return NotChecked(f"{detail}, which says neither yes nor no")


async def _fetched(patient: Patient, url: str) -> bytes | Fail:
    try:
        async with asyncio.timeout(KEYS_FETCH_S):
            return await KeyFetch(patient.worker.tls_ca_file)(url)
    except TimeoutError:
        return Fail(f"no answer within the {KEYS_FETCH_S:g} s that a call has", _KEYS_UNREACHED)
    except (OSError, ValueError) as error:
        return Fail(f"not to be had: {type(error.__cause__ or error).__name__}", _KEYS_UNREACHED)


async def _keys(patient: Patient) -> Verdict:
    document = await _fetched(patient, patient.worker.acs_jwks_url)
    if isinstance(document, Fail):
        return document
    try:
        keys = usable_keys(document)
    except (ValueError, RecursionError):
        keys = {}
    if not keys:
        return Fail("there is no RSA key in what is published there", "Check ACS_JWKS_URL.")
    return Ok(f"{len(keys)} published")


async def _issuer(patient: Patient) -> Verdict:
    worker = patient.worker
    if not worker.acs_jwks_url.endswith(_KEYS_PATH):
        return NotChecked("ACS_JWKS_URL does not end in /keys: where the document is is not known")
    url = worker.acs_jwks_url.removesuffix(_KEYS_PATH) + _DOCUMENT_PATH
    document = await _fetched(patient, url)
    if isinstance(document, Fail):
        return document
    try:
        told = json.loads(document)
        issuer, keys = str(told["issuer"]), str(told["jwks_uri"])
    except (ValueError, RecursionError, KeyError, TypeError):
        return Fail("what is published there is no OpenID configuration", "Check ACS_JWKS_URL.")
    if issuer != worker.acs_issuer:
        return Fail(f"it is {issuer[:200]!r}", "Set ACS_ISSUER to exactly this, or leave it unset.")
    if keys != worker.acs_jwks_url:
        return Fail(f"its keys are at {keys[:200]!r}", "Set ACS_JWKS_URL to this, or leave it out.")
    return Ok("as ACS_ISSUER says, and its keys are those of ACS_JWKS_URL")
