"""An Azure OpenAI resource on the loopback interface: `ws://127.0.0.1:PORT/openai/v1/realtime`.

An independent reading of the Realtime API (GA) with text output, accepted by the real openai
client. It hears the audio it truly receives and answers by script. The preview API
(`/openai/realtime?api-version=…`) is not there.
"""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from simulator.ai_resource import AiResource, recordings
from simulator.clock import wall_now
from simulator.realtime_door import admit
from simulator.realtime_session import Session
from simulator.realtime_switches import RealtimeSwitches
from simulator.script import AgentScript, choose_agent
from simulator.voice_live_door import Refused
from simulator.voice_live_replies import Replies

PATH = "/openai/v1/realtime"
KEY = "realtime-simulator-key"


class Realtime(AiResource[Session]):
    """Use as `async with Realtime(scripts) as service`; then `service.url` and `service.key`.

    A script is chosen by its `deployment`.
    """

    path = PATH
    key = KEY

    def __init__(
        self,
        scripts: Sequence[AgentScript] = (),
        switches: RealtimeSwitches | None = None,
        *,
        keep_audio: bool = True,
        token_key: Any = None,
    ) -> None:
        self.switches = switches or RealtimeSwitches()
        super().__init__(scripts, self.switches, keep_audio=keep_audio, token_key=token_key)

    def open(self, request: web.Request) -> Session | Refused:
        deployment = admit(
            request.query,
            request.headers,
            key=self.key,
            now=wall_now(),
            token_key=self._token_key,
            deployments=self.switches.deployments,
        )
        if isinstance(deployment, Refused):
            return deployment
        return Session(
            deployment,
            Replies(choose_agent(self._scripts, deployment=deployment), recordings()),
            self._recognition,
            self.switches,
            keep_audio=self._keep_audio,
        )
