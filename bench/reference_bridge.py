"""The bridge that most samples show: aiohttp, stdlib json, base64 decoded and encoded again.

It has no doors, no turns, no truncation, no records: only the audio path, so it is a lower bound
for anything written that way. It runs on asyncio's own event loop, as samples do. The service
speaks 24 kHz; `--rate 16000` resamples each chunk, both ways, by linear interpolation.
Run as `python -m bench.reference_bridge --port N --upstream URL --rate 24000|16000`.
"""

import argparse
import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable

import numpy as np
from aiohttp import ClientSession, TCPConnector, WSMsgType, web

SERVICE_RATE = 24_000
UPSTREAM = web.AppKey("upstream", str)
RATE = web.AppKey("rate", int)
SESSION = web.AppKey("session", ClientSession)


def interpolated(source: int, target: int) -> Callable[[bytes], bytes]:
    """Per-chunk linear interpolation from `source` to `target` hertz, without state."""

    def resample(pcm: bytes) -> bytes:
        samples = np.frombuffer(pcm, np.int16)
        count = len(samples) * target // source
        points = np.linspace(0, len(samples) - 1, count)
        return np.interp(points, np.arange(len(samples)), samples).astype(np.int16).tobytes()

    return resample


def unchanged(pcm: bytes) -> bytes:
    return pcm


async def media(request: web.Request) -> web.WebSocketResponse:
    caller = web.WebSocketResponse(compress=False)
    await caller.prepare(request)
    rate = request.app[RATE]
    up = unchanged if rate == SERVICE_RATE else interpolated(rate, SERVICE_RATE)
    down = unchanged if rate == SERVICE_RATE else interpolated(SERVICE_RATE, rate)
    url = f"{request.app[UPSTREAM]}?model={request.match_info['call']}"
    async with request.app[SESSION].ws_connect(url, max_msg_size=0) as service:
        await service.send_str(json.dumps({"type": "session.update", "session": {}}))
        await service.send_str(json.dumps({"type": "response.create"}))

        async def caller_to_service() -> None:
            async for message in caller:
                if message.type is not WSMsgType.TEXT:
                    continue
                frame = json.loads(message.data)
                if frame.get("kind") == "AudioData":
                    pcm = up(base64.b64decode(frame["audioData"]["data"]))
                    audio = base64.b64encode(pcm).decode("ascii")
                    append = {"type": "input_audio_buffer.append", "audio": audio}
                    await service.send_str(json.dumps(append))

        async def service_to_caller() -> None:
            async for message in service:
                if message.type is not WSMsgType.TEXT:
                    continue
                event = json.loads(message.data)
                if event["type"] == "response.audio.delta":
                    data = base64.b64encode(down(base64.b64decode(event["delta"]))).decode("ascii")
                    frame = {"kind": "AudioData", "audioData": {"data": data}, "stopAudio": None}
                    await caller.send_str(json.dumps(frame))

        async with asyncio.TaskGroup() as pumps:
            downward = pumps.create_task(service_to_caller())
            await caller_to_service()
            downward.cancel()
    return caller


async def one_session(app: web.Application) -> AsyncIterator[None]:
    app[SESSION] = ClientSession(connector=TCPConnector(limit=0))
    yield
    await app[SESSION].close()


async def alive(_: web.Request) -> web.Response:
    return web.Response(text="ok")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--upstream", required=True)
    parser.add_argument("--rate", type=int, default=SERVICE_RATE)
    arguments = parser.parse_args()
    app = web.Application()
    app[UPSTREAM], app[RATE] = arguments.upstream, arguments.rate
    app.cleanup_ctx.append(one_session)
    app.router.add_get("/healthz", alive)
    app.router.add_get("/media/{call}/{token}", media)
    web.run_app(app, host="127.0.0.1", port=arguments.port, print=None)


if __name__ == "__main__":
    main()
