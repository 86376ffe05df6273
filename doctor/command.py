"""The examination as a command: what is asked, told, and the exit code."""

import argparse
import asyncio
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from doctor.directories import informed
from doctor.examine import examine
from doctor.first_call import Told, first_call
from doctor.limits import FIRST_CALL_S, TOTAL_S
from doctor.minds import mind_checks
from doctor.outside import outside_checks
from doctor.patient import Asked, Patient, admitted
from doctor.reckoning import directory_checks, quota_check
from doctor.sign_in import identity_checks, settings_checks
from doctor.stores import clock_check, storage_checks
from doctor.telephony import telephony_checks
from doctor.unseen import unseen_checks
from doctor.verdicts import Check, Finding, as_json, summary
from doctor.voices import voice_checks

Say = Callable[[str], None]
GOOD, FAILED, UNUSABLE = 0, 1, 2


def run(options: argparse.Namespace, environ: Mapping[str, str], say: Say) -> int:
    """Examines, or waits for a first call; the exit code. `options`: those of
    `switchboard.__main__`."""
    asked = Asked(
        file=options.file,
        numbers=tuple(options.number),
        max_replicas=options.max_replicas,
        calls_per_replica=options.calls_per_replica,
        connections=options.voice_live_connections,
        tokens=options.voice_live_tokens,
    )
    if options.first_call:
        if options.worker_log is not None and not Path(options.worker_log).is_file():
            say(f"{options.worker_log}: there is no such file.")
            return UNUSABLE
        told = asyncio.run(_wait(asked, environ, options, say))
        findings = list(told.findings)
        if options.json:
            say(as_json(findings, call=told.to_json()))
    else:
        quiet = (lambda _: None) if options.json else (lambda finding: _show(finding, say))
        findings = asyncio.run(examined(asked, environ, quiet))
        say(as_json(findings) if options.json else summary(findings))
    return FAILED if any(finding.result == "fail" for finding in findings) else GOOD


async def examined(
    asked: Asked, environ: Mapping[str, str], tell: Callable[[Finding], None]
) -> list[Finding]:
    """Every check, in the order in which it is told."""
    deadline = asyncio.get_running_loop().time() + TOTAL_S
    async with admitted(asked, environ) as patient:
        signed_in = await examine(patient, list(identity_checks(patient)), deadline, tell)
        patient = await informed(patient)
        rest = await examine(patient, list(_others(patient)), deadline, tell)
    return signed_in + rest


def _others(patient: Patient) -> Iterable[Check]:
    yield from settings_checks(patient)
    yield from storage_checks(patient)
    yield from telephony_checks(patient)
    yield from mind_checks(patient)
    yield from voice_checks(patient)
    yield from outside_checks(patient)
    yield from directory_checks(patient)
    yield clock_check(patient)
    yield quota_check(patient)
    yield from unseen_checks(patient)


async def _wait(
    asked: Asked, environ: Mapping[str, str], options: argparse.Namespace, say: Say
) -> Told:
    limit_s = FIRST_CALL_S if options.limit_s is None else options.limit_s
    log = _lines(options.worker_log) if options.worker_log is not None else None
    quiet: Say = (lambda _: None) if options.json else say
    async with admitted(asked, environ) as patient:
        told = await first_call(patient, limit_s, log, quiet)
    for finding in told.findings:
        _show(finding, quiet)
    return told


def _lines(path: str) -> Iterable[str]:
    """Read when the call is over: it may be written while the call lasts."""
    with Path(path).open(encoding="utf-8", errors="replace") as log:
        yield from log


def _show(finding: Finding, say: Say) -> None:
    for line in finding.lines():
        say(line)
