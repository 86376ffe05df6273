"""`python -m switchboard`: for whoever looks after `agents.toml`, or after a deployment.

    check [FILE] [--json]                                   finds every fault of the file
    explain NUMBER [--from NUMBER] [--file FILE] [--json]   who would answer, and why
    schema                                                  the JSON Schema for editors
    doctor [--first-call] [--json] ...                      can this environment carry calls?

Exit code: 0 good, or somebody answers; 1 faults, or nobody answers; 2 wrong usage, or no such file.
"""

import argparse
import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from switchboard.directory import Directory, DirectoryError, parse_directory
from switchboard.explain import explain
from switchboard.numbers import NumberError
from switchboard.schema import schema_text

GOOD, FAULTY, UNUSABLE = 0, 1, 2
INTERRUPTED = 130
"""128 and SIGINT, as a shell has it: a call was no longer waited for."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code."""
    options = _options(arguments)
    if options.command == "schema":
        print(schema_text(), end="")
        return GOOD
    if options.command == "doctor":
        return _doctor(options)
    try:
        content = Path(options.file).read_bytes()
    except OSError as error:
        message = f"{options.file}: cannot be read: {error.strerror}."
        if options.json:
            _print_json({"file": options.file, "ok": False, "error": message})
        print(message, "Name the file, or run this where agents.toml is.", file=sys.stderr)
        return UNUSABLE
    try:
        directory = parse_directory(content, source=options.file)
    except DirectoryError as error:
        _print_faults(error, as_json=options.json)
        return FAULTY
    if options.command == "check":
        _print_good(directory, options.file, as_json=options.json)
        return GOOD
    return _explain(directory, options.number, options.caller, as_json=options.json)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m switchboard", description="Looks after agents.toml and a deployment."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="find every fault of the file")
    check.add_argument("file", nargs="?", default="agents.toml", metavar="FILE")
    who = commands.add_parser("explain", help="who would answer a number, and why")
    who.add_argument("number", metavar="NUMBER", help="the number called, in any usual writing")
    who.add_argument("--from", dest="caller", metavar="NUMBER", help="who calls, or anonymous")
    who.add_argument("--file", default="agents.toml", metavar="FILE")
    doctor = commands.add_parser(
        "doctor",
        help="can this environment carry calls?",
        description="Tries everything that a call needs, with the settings of the environment "
        "(docs/doctor.md). Exit code 1: something FAILs.",
    )
    _add_doctor(doctor)
    for command in (check, who, doctor):
        command.add_argument("--json", action="store_true", help="for programs")
    commands.add_parser("schema", help="print the JSON Schema for editors")
    return parser.parse_args(arguments)


def _add_doctor(doctor: argparse.ArgumentParser) -> None:
    count = _positive
    doctor.add_argument("--file", metavar="FILE", help="the directory, in place of AGENTS_FILE")
    doctor.add_argument(
        "--number", action="append", default=[], metavar="NUMBER", help="one that must be answered"
    )
    doctor.add_argument("--max-replicas", type=count, metavar="N", help="of the media worker")
    doctor.add_argument("--calls-per-replica", type=count, metavar="N", help="left out: MAX_CALLS")
    doctor.add_argument(
        "--voice-live-connections", type=count, metavar="N", help="the quota of new ones a minute"
    )
    doctor.add_argument(
        "--voice-live-tokens", type=count, metavar="N", help="the quota of tokens a minute"
    )
    doctor.add_argument(
        "--first-call", action="store_true", help="wait for one call and tell its phases"
    )
    doctor.add_argument("--limit-s", type=count, metavar="S", help="how long to wait for it")
    doctor.add_argument("--worker-log", metavar="FILE", help="the worker's log, for that call")


def _positive(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 10**9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _doctor(options: argparse.Namespace) -> int:
    """Loaded when asked for alone: it needs what the media worker needs."""
    try:
        from doctor.command import run
    except ImportError as error:
        mend = "Run it where the media worker's requirements are (media_worker/requirements.txt)."
        print(f"doctor: {error.name} is not installed. {mend}", file=sys.stderr)
        return UNUSABLE
    logging.getLogger().addHandler(logging.NullHandler())  # the findings say it; SDKs need not
    try:
        return run(options, os.environ, print)
    except KeyboardInterrupt:
        return INTERRUPTED


def _print_good(directory: Directory, file: str, *, as_json: bool) -> None:
    if as_json:
        _print_json(
            {
                "file": file,
                "ok": True,
                "faults": [],
                "agents": list(directory.agents),
                "numbers": list(directory.numbers),
                "default_agent": directory.default_agent,
                "unused_agents": directory.unused(),
                "generation": directory.generation,
            }
        )
        return
    print(f"{file} is good: {_summary(directory)}")
    for name in directory.unused():
        print(f"  note: no number leads to {name}.")


def _summary(directory: Directory) -> str:
    default = directory.default_agent
    others = f"{default} answers all other numbers" if default else "no other number is answered"
    agents, listed = len(directory.agents), len(directory.numbers)
    return f"{_count(agents, 'agent')}, {_count(listed, 'number')}; {others}."


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _print_faults(error: DirectoryError, *, as_json: bool) -> None:
    if as_json:
        faults = [vars(fault) for fault in error.faults]
        _print_json({"file": error.source, "ok": False, "faults": faults})
        return
    for fault in error.faults:
        column = f":{fault.column}" if fault.column else ""
        print(f"{error.source}:{fault.line}{column}: {fault.path or 'not TOML'}")
        print(f"    {fault.message[:1].upper()}{fault.message[1:]}. {fault.mend}")
    print(f"{_count(len(error.faults), 'fault')}. Nothing of the file is used until it is mended.")


def _explain(directory: Directory, number: str, caller: str | None, *, as_json: bool) -> int:
    try:
        explanation = explain(directory, number, caller)
    except NumberError as error:
        if as_json:
            _print_json({"called": number, "answered": False, "error": f"{error}. {error.mend}"})
        else:
            print(f"{number}: {error}. {error.mend}")
        return FAULTY
    if as_json:
        _print_json(explanation.to_json())
    else:
        print("\n".join(explanation.lines()))
    return GOOD if explanation.route else FAULTY


def _print_json(obj: object) -> None:
    print(json.dumps(obj, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # any terminal can show any name
    try:
        code = main()
        sys.stdout.flush()
    except OSError as problem:  # what was to be printed could not be
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        # a reader that has seen enough, such as `head`, is no problem
        code = GOOD if isinstance(problem, BrokenPipeError) else UNUSABLE
    sys.exit(code)
