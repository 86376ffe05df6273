"""`python -m simulator up | call | env | demo`: Azure on a laptop, callers included."""

import argparse
import asyncio
import importlib
import json
import logging
import os
import shlex
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from simulator.acs_wire import raw_id_of
from simulator.call import CallFailed, CallRequest, Told, place, summary, told_lines
from simulator.processes import SystemFailed
from simulator.script import ScriptError
from simulator.script_toml import load_agents
from simulator.services import SERVICES, serve_until
from simulator.up import PORT_FILE, Options, Running, find_running, run_up, system

EXAMPLES = """examples:
  python -m simulator demo
  python -m simulator up
  python -m simulator call --to +15550100001 --wav hello.wav --out out
  python -m simulator env python -m switchboard doctor

The format of scripts: simulator/script_toml.py. Product settings in the environment
(docs/configuration.md) stand, and what they point away from is not simulated.
"""
TO_HELP = "who is called, as +15550100001; or a raw id, as 28:orgid:..."
CALL_DESCRIPTION = """Places one call and prints what happens, with times from the first ring.

The call goes through the system that `up` runs; if there is none, or one of another rate, a system
is started for this call. Without --wav and --script the caller asks a recorded question.

exit status: 0 the call ended as scripted (with --wav: answered, greeted, ended cleanly), 1 it did
not, or something failed, 2 wrongly asked
"""


def _arguments() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description="Azure on a laptop, for calls that need no Azure; callers included.",
        epilog=EXAMPLES,
        formatter_class=raw,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser(
        "demo", help="watch two whole conversations, one over each bridge", add_help=False
    )
    up = commands.add_parser(
        "up",
        help="run Azure, the Functions app and the worker until Ctrl-C",
        description="Runs every service, the Functions app and the worker, each in a process of "
        "its own, until Ctrl-C; prints where they are.",
    )
    up.add_argument("--tls", action="store_true", help="ACS and Storage by https, no keys at all")
    up.add_argument("--port-file", type=Path, metavar="FILE", help="write the endpoints here too")
    up.add_argument("--agents", type=Path, metavar="FILE", help="what the agents say (TOML)")
    _add_rate(up, default=24000)
    call = commands.add_parser(
        "call", help="place one call", description=CALL_DESCRIPTION, formatter_class=raw
    )
    call.add_argument("--to", required=True, type=_party, metavar="NUMBER", help=TO_HELP)
    call.add_argument(
        "--from", dest="from_", type=_party, metavar="NUMBER", help="who calls; or anonymous"
    )
    said = call.add_mutually_exclusive_group()
    said.add_argument(
        "--wav", type=Path, metavar="FILE", help="what the caller says; words in a .txt beside it"
    )
    said.add_argument("--script", type=Path, metavar="FILE", help="what the caller does (TOML)")
    _add_rate(call)
    call.add_argument("--out", type=Path, metavar="DIR", help="write call.wav and call.json here")
    call.add_argument("--json", action="store_true", help="print call.json alone")
    call.add_argument("--up", type=Path, metavar="FILE", help="port file of the system to use")
    env = commands.add_parser(
        "env",
        help="run a command with the settings of the running system",
        description="Runs COMMAND with the settings of both deployables of the system that `up` "
        "runs; without one, prints them as a shell reads them.",
    )
    env.add_argument("--up", type=Path, metavar="FILE", help="port file of the system to use")
    env.add_argument("argv", nargs=argparse.REMAINDER, metavar="COMMAND")
    serve = commands.add_parser("serve", description="One service, as `up` starts it.")
    serve.add_argument("name", choices=SERVICES)
    serve.add_argument("config", type=json.loads)
    return parser


def _add_rate(parser: argparse.ArgumentParser, default: int | None = None) -> None:
    parser.add_argument(
        "--rate", type=int, choices=(16000, 24000), default=default, help="of the audio, in hertz"
    )


def _party(text: str) -> str:
    try:
        return raw_id_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def main() -> int:
    """Exit code: 0 done, 1 not as scripted or failed, 2 wrongly asked."""
    given, rest = _arguments().parse_known_args()
    if given.command != "demo" and rest:
        _arguments().error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        match given.command:
            case "up":
                if given.agents is not None:
                    load_agents(given.agents)  # a mistake is told before anything is started
                options = Options(tls=given.tls, rate=given.rate, agents_script=given.agents)
                files = [PORT_FILE, *([given.port_file] if given.port_file else [])]
                asyncio.run(run_up(options, os.environ, files, _announce))
                return 0
            case "call":
                return asyncio.run(_call(given))
            case "env":
                return _env(given.up, given.argv)
            case "demo":
                return int(importlib.import_module("simulator.demo").main(rest))
            case _:
                logging.basicConfig(level=logging.INFO)
                asyncio.run(_serve(given.name, given.config))
                return 0
    except ScriptError as error:
        print(error, file=sys.stderr)
        return 2
    except (SystemFailed, CallFailed, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


async def _call(given: argparse.Namespace) -> int:
    request = CallRequest(given.to, given.from_, given.script, given.wav)
    request.load()  # a mistake is told before anything is started
    if given.out is not None:
        given.out.mkdir(parents=True, exist_ok=True)
    told: Told | None = None
    async with AsyncExitStack() as stack:
        running = find_running(given.up)
        if given.up is not None and running is None:
            raise CallFailed(f"{given.up} tells of no running system: start one with `up`")
        if running is None or (given.rate or running.rate) != running.rate:
            options = Options(rate=given.rate or 24000)
            print("starting a system for this call ...", file=sys.stderr)
            started = await stack.enter_async_context(system(options, os.environ))
            running = started[0]
        async for entry in place(running, request):
            if isinstance(entry, Told):
                told = entry
            elif not given.json:
                print(summary(entry), flush=True)
    assert told is not None, "place() ends with the report"
    if given.out is not None:
        told.write(given.out)
    if given.json:
        print(json.dumps(told.report, indent=2, ensure_ascii=False))
    else:
        print("\n" + "\n".join(told_lines(told)))
    return 0 if told.good else 1


def _env(file: Path | None, argv: list[str]) -> int:
    running = find_running(file)
    if running is None:
        raise SystemFailed("no system is running: start one with `python -m simulator up`")
    settings = running.env()
    if argv:
        os.execvpe(argv[0], argv, {**os.environ, **settings})
    for name, value in settings.items():
        print(f"{name}={shlex.quote(value)}")
    return 0


async def _serve(name: str, config: dict[str, object]) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    await serve_until(name, config, stopped)


def _announce(running: Running) -> None:
    endpoints = running.endpoints
    for what, where in {
        "ACS": endpoints.acs_url,
        "Event Grid": running.event_grid_url,
        "Blob storage": endpoints.blob_endpoint,
        "Queue storage": endpoints.queue_endpoint,
        "Identity": endpoints.identity_endpoint,
        "Voice Live": endpoints.voice_live_url,
        "Realtime": endpoints.realtime_url or "elsewhere",
        "Speech": endpoints.speech_url or "elsewhere",
        "Functions": running.functions_url,
        "Media worker": running.media_url,
        "Logs": running.directory,
    }.items():
        print(f"{what:14} {where}")
    print("Up. Try: python -m simulator call --to +15550100001   (Ctrl-C stops)", flush=True)


if __name__ == "__main__":
    sys.exit(main())
