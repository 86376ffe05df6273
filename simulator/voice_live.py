"""A Voice Live resource on the loopback interface: `ws://127.0.0.1:PORT/voice-live/realtime`.

An independent reading of the Voice Live API reference 2026-07-15, accepted by the real
azure-ai-voicelive client. It hears the audio it truly receives and answers by script.
"""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from simulator.ai_resource import AiResource, recordings
from simulator.clock import wall_now
from simulator.generation import new_id
from simulator.script import AgentScript, choose_agent
from simulator.voice_live_conversation import Conversation
from simulator.voice_live_door import AgentMode, Refused, admit
from simulator.voice_live_replies import Replies
from simulator.voice_live_session import Session
from simulator.voice_live_switches import VoiceLiveSwitches

PATH = "/voice-live/realtime"
KEY = "voice-live-simulator-key"


class VoiceLive(AiResource[Session]):
    """Use as `async with VoiceLive(scripts) as service`; then `service.url` and `service.key`."""

    path = PATH
    key = KEY

    def __init__(
        self,
        scripts: Sequence[AgentScript] = (),
        switches: VoiceLiveSwitches | None = None,
        *,
        keep_audio: bool = True,
        token_key: Any = None,
    ) -> None:
        self.switches = switches or VoiceLiveSwitches()
        super().__init__(scripts, self.switches, keep_audio=keep_audio, token_key=token_key)
        self._threads: dict[str, Conversation] = {}

    def open(self, request: web.Request) -> Session | Refused:
        query, headers = request.query, request.headers
        mode = admit(query, headers, key=self.key, token_key=self._token_key, now=wall_now())
        if isinstance(mode, Refused):
            return mode
        conversation, thread_id = Conversation(), new_id("thread")
        if isinstance(mode, AgentMode):
            if mode.conversation in self._threads:
                thread_id = mode.conversation
            conversation = self._threads.setdefault(thread_id, conversation)
            script = choose_agent(self._scripts, agent=mode.agent)
        else:
            script = choose_agent(self._scripts, model=mode.model)
        return Session(
            mode,
            conversation,
            Replies(script, recordings()),
            self._recognition,
            self.switches,
            thread_id=thread_id,
            keep_audio=self._keep_audio,
        )
