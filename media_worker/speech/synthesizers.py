"""The synthesizers of a worker: made and warmed off the loop, leased one to a call, kept or thrown
away. No call of the native SDK runs on the event loop's thread, as each may block."""

import asyncio
import gc
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from azure.core.exceptions import AzureError

from media_worker.limits import (
    SPEECH_CALL_S,
    SPEECH_IDLE_KEPT,
    SPEECH_MAKE_S,
    SPEECH_STOP_S,
    SPEECH_THREADS,
)
from media_worker.speech.native import (
    Broken,
    Finished,
    Kind,
    NativeSynthesizer,
    SignIn,
    SpeechEvent,
)

_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(frozen=True)
class SpeechAccess:
    """Where Azure Speech is and how to sign in."""

    ssml_endpoint: str
    stream_endpoint: str
    """Of text streams: the v2 endpoint (Azure Speech, "Lower speech synthesis latency")."""

    key: str | None = None
    resource_id: str | None = None
    """With `bearer`: signs in as `aad#RESOURCE_ID#TOKEN`."""

    bearer: Callable[[], Awaitable[str]] | None = None
    """Raises `AzureError` or TimeoutError when there is no token."""

    credential: Any = None
    """In place of key and resource id: a synchronous credential, for a custom domain."""


class SpeechUnavailable(Exception):
    """No synthesizer can be had, or one does not take orders; the text is a code for the log."""


class Utterance:
    """What one synthesizer is speaking. `listen` gets its events on the loop, until `drop`."""

    def __init__(self, listen: Callable[[SpeechEvent], None]) -> None:
        self._listen: Callable[[SpeechEvent], None] | None = listen
        self.ended = asyncio.Event()
        """The synthesizer is free for the next."""
        self.outcome: Finished | Broken | None = None

    def hear(self, event: SpeechEvent) -> None:
        """Another event of the SDK."""
        if isinstance(event, Finished | Broken):
            self.outcome = event
            self.ended.set()
        if self._listen is not None:
            self._listen(event)

    def drop(self) -> None:
        """From now on nothing more is heard of it."""
        self._listen = None


class Synthesizer:
    """One leased synthesizer: one utterance at a time. Raises `SpeechUnavailable`."""

    def __init__(self, kind: Kind, pool: "Synthesizers") -> None:
        self.kind = kind
        self.healthy = True
        self.authorization: str | None = None
        self._pool = pool
        self._native: NativeSynthesizer | None = None
        self._loop = asyncio.get_running_loop()
        self._count = 0
        self._utterances: dict[int, Utterance] = {}

    async def open(self, endpoint: str, sign_in: SignIn) -> None:
        """Makes and connects it; returns before the connection is there."""
        self.authorization = sign_in.authorization
        self._native = await self._pool.run(
            NativeSynthesizer, self.kind, endpoint, sign_in, self._post
        )

    async def renew(self, authorization: str) -> None:
        """A newer token."""
        if self._native is not None and authorization != self.authorization:
            self.authorization = authorization
            await self._do(self._native.renew, authorization)

    async def speak_ssml(self, document: str, listen: Callable[[SpeechEvent], None]) -> Utterance:
        """Begins to speak an SSML document."""
        utterance = self._begin(listen)
        await self._do(self._open_native.speak_ssml, self._count, document)
        return utterance

    async def speak_stream(self, listen: Callable[[SpeechEvent], None]) -> Utterance:
        """Begins to speak what `write` will bring, until `end_text`."""
        utterance = self._begin(listen)
        await self._do(self._open_native.speak_stream, self._count)
        return utterance

    async def write(self, text: str) -> None:
        """More text of a stream."""
        await self._do(self._open_native.write, text)

    async def end_text(self) -> None:
        """The stream's text is complete."""
        await self._do(self._open_native.end_text)

    async def stop(self, utterance: Utterance) -> None:
        """Silences the utterance at once, and returns when the synthesizer is free; one that does
        not get free is not healthy."""
        if utterance.ended.is_set():
            return
        utterance.drop()
        try:
            await self._do(self._open_native.stop)
            async with asyncio.timeout(SPEECH_STOP_S):
                await utterance.ended.wait()
        except (TimeoutError, SpeechUnavailable):
            self.healthy = False

    async def quiet(self) -> None:
        """Stops what is being spoken, if anything is."""
        if self.healthy and (utterance := self._utterances.get(self._count)) is not None:
            await self.stop(utterance)

    async def destroy(self) -> None:
        """Leaves nothing of it."""
        for utterance in self._utterances.values():
            utterance.drop()
        native, self._native = self._native, None
        if native is not None:
            with suppress(SpeechUnavailable):
                await self._pool.run(_destroy, [native])

    @property
    def _open_native(self) -> NativeSynthesizer:
        if self._native is None:
            raise SpeechUnavailable("destroyed")
        return self._native

    def _begin(self, listen: Callable[[SpeechEvent], None]) -> Utterance:
        self._count += 1
        utterance = self._utterances[self._count] = Utterance(listen)
        self._utterances.pop(self._count - 2, None)  # words of the last one may still come
        return utterance

    async def _do(self, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return await self._pool.run(call, *args, **kwargs)
        except SpeechUnavailable:
            self.healthy = False
            raise

    def _post(self, number: int, event: SpeechEvent) -> None:
        """On a thread of the SDK."""
        with suppress(RuntimeError):  # the loop is gone
            self._loop.call_soon_threadsafe(self._hear, number, event)

    def _hear(self, number: int, event: SpeechEvent) -> None:
        if (utterance := self._utterances.get(number)) is not None:
            utterance.hear(event)


class Synthesizers:
    """The pool of a process. `close` when no call is left."""

    def __init__(self, access: SpeechAccess) -> None:
        self._access = access
        self._threads = ThreadPoolExecutor(SPEECH_THREADS, thread_name_prefix="speech")
        self._idle: dict[Kind, deque[Synthesizer]] = {}

    async def run(self, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Runs a call of the SDK in one of the threads.

        Raises:
            SpeechUnavailable: the SDK refused, or took too long.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(SPEECH_CALL_S):
                return await loop.run_in_executor(self._threads, lambda: call(*args, **kwargs))
        except TimeoutError as error:
            raise SpeechUnavailable("sdk_timeout") from error
        except RuntimeError as error:  # what the SDK raises, for all that its C functions return
            raise SpeechUnavailable("sdk_refused") from error

    async def warm(self, kind: Kind) -> None:
        """Sees to it that one of `kind` is idle."""
        if not self._idle.get(kind):
            with suppress(SpeechUnavailable):
                await self._keep(await self._make(kind))

    async def lease(self, kind: Kind) -> Synthesizer:
        """One that nobody else has; to be given back.

        Raises:
            SpeechUnavailable: there is none to be had.
        """
        idle = self._idle.get(kind)
        if not idle:
            return await self._make(kind)
        synthesizer = idle.pop()
        sign_in = await self._sign_in()
        if sign_in.authorization is not None:
            await synthesizer.renew(sign_in.authorization)
        return synthesizer

    async def give_back(self, synthesizer: Synthesizer) -> None:
        """Kept for the next call if it is healthy and there is room."""
        await self._keep(synthesizer)

    @asynccontextmanager
    async def leased(self, kind: Kind) -> AsyncIterator[Synthesizer]:
        """`lease` and `give_back`."""
        synthesizer = await self.lease(kind)
        try:
            yield synthesizer
        finally:
            await self.give_back(synthesizer)

    async def dismiss(self, kind: Kind) -> None:
        """Throws away those of `kind` that are idle."""
        for synthesizer in self._idle.pop(kind, ()):
            await synthesizer.destroy()

    async def close(self) -> None:
        """Throws away all that are idle and ends the threads. Without it the interpreter's exit may
        abort in the SDK."""
        kept = [one for idle in self._idle.values() for one in idle]
        self._idle.clear()
        for synthesizer in kept:
            await synthesizer.destroy()
        with suppress(SpeechUnavailable):
            await self.run(gc.collect)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _make(self, kind: Kind) -> Synthesizer:
        streams = kind.mode == "stream"
        endpoint = self._access.stream_endpoint if streams else self._access.ssml_endpoint
        if kind.endpoint_id is not None:  # custom voices have a host of their own in each region
            endpoint = endpoint.replace(".tts.speech.microsoft.", ".voice.speech.microsoft.")
        synthesizer = Synthesizer(kind, self)
        try:
            async with asyncio.timeout(SPEECH_MAKE_S):
                await synthesizer.open(endpoint, await self._sign_in())
        except TimeoutError as error:
            raise SpeechUnavailable("make_timeout") from error
        return synthesizer

    async def _sign_in(self) -> SignIn:
        access = self._access
        if access.bearer is None:
            return SignIn(key=access.key, credential=access.credential)
        try:
            return SignIn(authorization=f"aad#{access.resource_id}#{await access.bearer()}")
        except (AzureError, TimeoutError) as error:
            raise SpeechUnavailable("no_token") from error

    async def _keep(self, synthesizer: Synthesizer) -> None:
        await synthesizer.quiet()
        idle = self._idle.setdefault(synthesizer.kind, deque())
        if synthesizer.healthy and len(idle) < SPEECH_IDLE_KEPT:
            idle.append(synthesizer)
        else:
            await synthesizer.destroy()


def _destroy(natives: list[NativeSynthesizer]) -> None:
    """The last reference is dropped here, in the pool's thread: the destructor takes its time."""
    natives.pop().destroy()
