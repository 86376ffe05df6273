"""Which directory counts for calls: the published one, else the file. As `LiveDirectory` has it,
but each fault is told."""

import asyncio
from dataclasses import replace
from pathlib import Path

from azure.core.exceptions import AzureError

from doctor.limits import STORAGE_S
from doctor.patient import Known, Patient, Unread
from doctor.stores import UNREACHED, directory_refused
from doctor.verdicts import Fail, NotChecked, Ok, Verdict
from switchboard import azure_clients
from switchboard.directory import Directory, DirectoryError, parse_directory
from switchboard.generations import Generations, Pointer, Unusable
from switchboard.ledger import StorageUnavailable
from switchboard.live_directory import ROOT

_AGAIN = (
    "Publish a good file (python -m switchboard publish), or go back to an earlier one (publish "
    "--list, publish --back-to GENERATION)."
)


async def informed(patient: Patient) -> Patient:
    """The patient with what is known of its directory. Looks at storage, unless a file is named or
    storage cannot be asked; raises nothing for what it finds there."""
    return replace(patient, known=await _known(patient))


async def _known(patient: Patient) -> Known:
    if patient.asked.file is not None:
        return Known(_read_file(Path(patient.asked.file)), "file", NotChecked("--file was named"))
    file = _read_file(ROOT / (patient.worker.agents_file or "agents.toml"))
    by_key = patient.worker.storage_connection_string is not None
    needs = ("DIRECTORY_CONTAINER", *(() if by_key else ("STORAGE_BLOB_ENDPOINT",)))
    if (lacking := patient.lacks(needs, None if by_key else "storage")) is not None:
        return Known(file, "file", lacking)
    try:
        async with asyncio.timeout(STORAGE_S):
            found = await _published(patient)
    except TimeoutError:
        found = Fail(f"no answer within {STORAGE_S:.0f} s", UNREACHED)
    if isinstance(found, Directory):
        told = Ok(f"generation {found.generation} is live")
        return Known(found, "published", told)
    return Known(file, "file", found)


def _read_file(path: Path) -> Directory | DirectoryError | Unread:
    """The file as it is now."""
    try:
        return parse_directory(path.read_bytes(), source=path.name)
    except OSError as error:
        return Unread(path.name, error.strerror or type(error).__name__)
    except DirectoryError as error:
        return error


async def _published(patient: Patient) -> Directory | Verdict:
    container = await asyncio.to_thread(
        azure_clients.directory_container, patient.worker, patient.credential
    )
    async with container:
        generations = Generations(container)
        try:
            pointer = await generations.pointer()
            if not isinstance(pointer, Pointer):
                return Ok("none: the file counts")
            if pointer.generation is None:
                return Fail("the pointer names no generation", _AGAIN)
            content = await generations.content(pointer.generation)
            directory = parse_directory(content, source=pointer.generation)
        except StorageUnavailable as error:
            cause = error.__cause__
            unknown = Fail(str(error), UNREACHED)
            return directory_refused(patient, cause) if isinstance(cause, AzureError) else unknown
        except Unusable as error:
            return Fail(str(error), _AGAIN)
        except DirectoryError as error:
            return Fail(f"generation {error.source} has {len(error.faults)} faults", _AGAIN)
    if directory.generation != pointer.generation:
        return Fail(f"generation {pointer.generation} was changed", _AGAIN)
    return directory
