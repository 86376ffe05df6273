"""`python -m switchboard`: for whoever looks after `agents.toml`, or after a deployment.

    check [FILE] [--json]                                   finds every fault of the file
    explain NUMBER [--from NUMBER] [--file FILE] [--json]   who would answer, and why
    publish [FILE] [--first] [--json]                       makes the file live, if it is good
    publish --list [--json]                                 what was published, and what is live
    publish --back-to GENERATION [--json]                   makes an earlier one live again
    schema                                                  the JSON Schema for editors
    doctor [--first-call] [--json] ...                      can this environment carry calls?

Exit code: 0 good, or somebody answers; 1 faults, or nobody answers, or another owner published in
the meantime; 2 wrong usage, no such file, or storage cannot be had.
"""

import argparse
import asyncio
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
    if options.command == "publish" and (options.list or options.generation):
        return _with_storage(options)
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
    if options.command == "publish":
        return _with_storage(options, directory, content)
    return _explain(directory, options)


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
    publish = commands.add_parser("publish", help="make the file live, if it is good")
    what = publish.add_mutually_exclusive_group()
    what.add_argument("file", nargs="?", default="agents.toml", metavar="FILE")
    what.add_argument("--list", action="store_true", help="what was published, and what is live")
    what.add_argument("--back-to", dest="generation", metavar="GENERATION", help="make it live")
    publish.add_argument("--first", action="store_true", help="only where nothing is live yet")
    doctor = commands.add_parser(
        "doctor",
        help="can this environment carry calls?",
        description="Tries everything that a call needs, with the settings of the environment "
        "(docs/doctor.md). Exit code 1: something FAILs.",
    )
    _add_doctor(doctor)
    for command in (check, who, publish, doctor):
        command.add_argument("--json", action="store_true", help="for programs")
    commands.add_parser("schema", help="print the JSON Schema for editors")
    options = parser.parse_args(arguments)
    if options.command == "publish" and options.first and (options.list or options.generation):
        publish.error("--first is for publishing a file")
    return options


def _add_doctor(doctor: argparse.ArgumentParser) -> None:
    count = _positive
    doctor.add_argument("--file", metavar="FILE", help="the directory, in place of the live one")
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


def _explain(directory: Directory, options: argparse.Namespace) -> int:
    number, as_json = options.number, options.json
    try:
        explanation = explain(directory, number, options.caller)
    except NumberError as error:
        if as_json:
            _print_json({"called": number, "answered": False, "error": f"{error}. {error.mend}"})
        else:
            print(f"{number}: {error}. {error.mend}")
        return FAULTY
    if as_json:
        _print_json({"file": options.file, **explanation.to_json()})
    else:
        print("\n".join(explanation.lines()))
        print(f"  read      {options.file}, generation {directory.generation}")
    return GOOD if explanation.route else FAULTY


def _with_storage(
    options: argparse.Namespace, directory: Directory | None = None, content: bytes = b""
) -> int:
    """`publish` in its three forms; `directory` and `content` are the file's."""
    from switchboard.generations import Unusable
    from switchboard.ledger import StorageUnavailable
    from switchboard.settings import SettingsError

    try:
        return asyncio.run(_published(options, directory, content))
    except SettingsError as error:
        message, mend = str(error), "These say where to publish: see docs/agents.md."
    except StorageUnavailable as error:
        message = f"Storage: {error}."
        mend = "See docs/agents.md for the settings, the sign-in and the role that this needs."
    except Unusable as error:
        told = str(error)
        message = f"{told[:1].upper()}{told[1:]}."
        mend = "Nothing was changed. --list shows what there is."
    except DirectoryError as error:
        _print_faults(error, as_json=options.json)
        return FAULTY
    if options.json:
        _print_json({"ok": False, "error": message})
    print(message, mend, sep="\n", file=sys.stderr)
    return UNUSABLE


async def _published(
    options: argparse.Namespace, directory: Directory | None, content: bytes
) -> int:
    from switchboard import publishing

    async with publishing.opened(os.environ) as generations:
        done: publishing.Publication | publishing.Listing
        if options.list:
            done = await publishing.listing(generations)
        elif directory is None:
            done = await publishing.back_to(generations, options.generation)
        else:
            done = await publishing.publish(generations, directory, content, first=options.first)
    if options.json:
        _print_json(done.to_json())
    else:
        print("\n".join(done.lines()))
    return GOOD if done.good else FAULTY


def _print_json(obj: object) -> None:
    print(json.dumps(obj, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    logging.getLogger("azure").setLevel(logging.CRITICAL)  # `publish` tells what matters of it
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
