"""One call through a running system: `python -m simulator call`."""

import base64
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import aiohttp
from azure.core.exceptions import AzureError

from simulator.acs_wire import raw_id_of
from simulator.record import read_record
from simulator.report import with_record
from simulator.script import CALLER, CallerScript, Say, ScriptError
from simulator.script_toml import caller_of_wav, load_caller
from simulator.up import Running

Json: TypeAlias = dict[str, Any]

DEFAULT_WAV = Path(__file__).parent / "speech" / "caller_hours.wav"
LONGEST_LINE = 64 * 1024 * 1024
"""Of a report: a call of an hour has a long timeline."""


class CallFailed(Exception):
    """The call could not be placed: says why."""


@dataclass(frozen=True)
class CallRequest:
    """A call to place. One of `script` and `wav` is set, or neither: a plain question then."""

    to: str
    from_: str | None = None
    script: Path | None = None
    wav: Path | None = None

    def load(self) -> CallerScript:
        """What the caller will do. Raises ScriptError."""
        if self.script is None:
            return caller_of_wav(self.wav or DEFAULT_WAV)
        script = load_caller(self.script)
        try:
            raw_id_of(script.number or CALLER)
        except ValueError as error:
            raise ScriptError(f"{self.script}: from: {error}") from error
        return script

    def to_json(self, script: CallerScript) -> Json:
        chosen = {"script": str(self.script.resolve())} if self.script else {}
        wav = {} if self.script else {"wav": str((self.wav or DEFAULT_WAV).resolve())}
        return {"to": self.to, "from": self.from_ or script.number or CALLER, **chosen, **wav}


@dataclass(frozen=True)
class Told:
    """The end of a placed call: its report, as `call.json` has it, and its WAV file."""

    report: Json
    wav: bytes

    @property
    def good(self) -> bool:
        """It went as its script has it, and the product has written down how it ended."""
        return bool(self.report["as_scripted"])

    def write(self, directory: Path, name: str = "call") -> None:
        """Writes `call.json` and `call.wav`, or files of another name."""
        directory.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.report, indent=2, ensure_ascii=False)
        (directory / f"{name}.json").write_text(text + "\n", encoding="utf-8")
        (directory / f"{name}.wav").write_bytes(self.wav)


async def place(running: Running, request: CallRequest) -> AsyncIterator[Json | Told]:
    """Places a call and yields what happens, `{"t_ms", "event", …}` each; at last a `Told`.

    Raises ScriptError, CallFailed.
    """
    script = request.load()
    async with _http(running) as http:
        try:
            await _teach(http, running, script)
            address = f"{running.endpoints.acs_url}/simulator/calls"
            async with http.post(address, json=request.to_json(script)) as response:
                if response.status != 200:
                    raise CallFailed(await response.text())
                last: Json = {}
                async for line in _lines(response):
                    last = json.loads(line)
                    if "event" in last:
                        yield last
            if "report" not in last:
                raise CallFailed("the simulated phone network went away during the call")
            async with http.get(f"{address}/{last['recording']}") as response:
                wav = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise CallFailed(f"the system does not answer: {error}") from error
    yield Told(await _complete(running, last["report"]), wav)


@asynccontextmanager
async def _http(running: Running) -> AsyncIterator[aiohttp.ClientSession]:
    ca_file = running.endpoints.ca_file
    trust = ssl.create_default_context(cafile=ca_file) if ca_file else True
    timeout = aiohttp.ClientTimeout(total=None, connect=10)
    connector = aiohttp.TCPConnector(ssl=trust)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:
        yield http


async def _teach(http: aiohttp.ClientSession, running: Running, script: CallerScript) -> None:
    """The simulated services are told the words of the sounds that they will hear."""
    endpoints = running.endpoints
    simulated = [endpoints.voice_live_url] if running.voice_live_simulated else []
    simulated += [endpoints.realtime_url] if endpoints.realtime_url else []
    for step in script.steps:
        if isinstance(step.act, Say):
            pcm = base64.b64encode(step.act.utterance.pcm(running.rate)).decode()
            told = {"text": step.act.utterance.text, "rate": running.rate, "pcm": pcm}
            for url in simulated:
                async with http.post(f"{url}/simulator/utterances", json=told) as response:
                    await response.read()


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    rest = b""
    async for chunk in response.content.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line
        if len(rest) > LONGEST_LINE:
            raise CallFailed("the report of the call is too long to read")


async def _complete(running: Running, report: Json) -> Json:
    """The report with bridge, end reason and words from the product's record of the call."""
    if report["call_id"] is None:
        return report
    fault = "the product's record of the call has no end"
    try:
        record = await read_record(running.endpoints, report["call_id"])
    except AzureError as error:
        record, fault = None, f"the product's record cannot be read: {type(error).__name__}"
    if record is not None:
        report = with_record(report, record)
    if report["end_reason"] is None:
        report = {**report, "as_scripted": False, "faults": [*report["faults"], fault]}
    return report


def summary(entry: Json) -> str:
    """A line of the timeline for people."""
    detail = ", ".join(f"{k}={v}" for k, v in entry.items() if k not in ("t_ms", "event"))
    return f"{entry['t_ms'] / 1000:8.2f} s  {entry['event'].replace('_', ' ')}  {detail}".rstrip()


def told_lines(told: Told) -> list[str]:
    """The conversation and its outcome, for people."""
    lines = []
    for turn in told.report["turns"]:
        words = turn["heard_text"] if turn["speaker"] == "agent" else turn["text"]
        words = words or "(words not kept)"
        latency = turn["reply_latency_ms"]
        notes = [f"after {latency:.0f} ms"] if latency is not None else []
        notes += ["interrupted"] if turn["interrupted"] else []
        note = f"  ({', '.join(notes)})" if notes else ""
        lines.append(f"{turn['started_ms'] / 1000:8.2f} s  {turn['speaker']:>6}: {words}{note}")
    report = told.report
    lines.append(f"ended by {report['ended_by']}, end reason {report['end_reason']}")
    lines += [f"not as scripted: {fault}" for fault in report["faults"]]
    return lines
