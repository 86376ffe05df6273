"""What a deployment decides about the media worker, read once from the environment."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from switchboard.settings import SettingFault, choice, matching, number, setting, several, url
from switchboard.shared_settings import Shared

_SIGN_IN = "set CREDENTIAL to managed_identity, default or azure_cli, or set the key"


def speech_url(value: str) -> str:
    """https:// or wss://; the SDK takes both."""
    try:
        return str(url("wss")(value))
    except ValueError:
        return str(url("https")(value))


@dataclass(frozen=True, kw_only=True)
class Settings(Shared):
    """One media worker process."""

    host: str = setting("Address to listen on.", default="0.0.0.0")
    port: int = setting("Port to listen on.", number(0, 65535), default=8080)
    media_auth: Literal["require", "prefer"] = setting(
        "Whether a media socket needs a valid Azure Communication Services token (require), or is "
        "only logged when it has none (prefer). The call's own token is needed either way.",
        choice("require", "prefer"),
        default="require",
    )
    voice_live_endpoint: tuple[str, ...] = setting(
        "Endpoint of the resource with Voice Live, https://NAME.services.ai.azure.com; several, "
        "separated by commas, share the calls (agents of Foundry are looked for at the first).",
        several(url("https")),
    )
    voice_live_key: str | None = setting(
        "Key of that resource. Simulator and local use only: in Azure leave it unset, the "
        "credential is used.",
        default=None,
        secret=True,
    )
    voice_live_api_version: str = setting("API version of Voice Live.", default="2026-07-15")
    voice_live_scope: str = setting(
        "Scope of the tokens for Voice Live.", default="https://ai.azure.com/.default"
    )
    realtime_endpoint: tuple[str, ...] | None = setting(
        "Endpoint of the Azure OpenAI resource of agents with bridge realtime_speech, "
        "https://NAME.openai.azure.com; several, separated by commas, share the calls; unset: such "
        "agents cannot answer.",
        several(url("https")),
        default=None,
    )
    realtime_key: str | None = setting(
        "Key of that resource. Simulator and local use only: in Azure leave it unset, the "
        "credential is used.",
        default=None,
        secret=True,
    )
    realtime_scope: str = setting(
        "Scope of the tokens for Azure OpenAI Realtime.", default="https://ai.azure.com/.default"
    )
    speech_region: str | None = setting(
        "Region of the Speech resource whose voices speak for those agents, such as westeurope.",
        matching("[a-z0-9]{2,40}", "a region such as westeurope"),
        default=None,
    )
    speech_endpoint: str | None = setting(
        "Endpoint that speaks SSML, https://NAME.cognitiveservices.azure.com or a wss:// address; "
        "unset: the region's.",
        speech_url,
        default=None,
    )
    speech_stream_endpoint: str | None = setting(
        "Endpoint that speaks text while it is being written, a wss:// address that ends in "
        "/cognitiveservices/websocket/v2; unset: the region's.",
        speech_url,
        default=None,
    )
    speech_auth: Literal["aad", "credential", "key"] = setting(
        "How to sign in to Speech: aad (the resource's id and a token, works with the region), "
        "credential (needs SPEECH_ENDPOINT with a custom domain) or key.",
        choice("aad", "credential", "key"),
        default="aad",
    )
    speech_resource_id: str | None = setting(
        "Azure Resource Manager id of the Speech resource, for SPEECH_AUTH aad.", default=None
    )
    speech_key: str | None = setting(
        "Key of the Speech resource, for SPEECH_AUTH key. Simulator and local use only.",
        default=None,
        secret=True,
    )
    playout_delay_ms: int = setting(
        "Delay between sending agent audio and the caller hearing it, in milliseconds: how much of "
        "an interrupted turn was heard is reckoned with it.",
        number(0, 2000),
        default=0,
    )
    max_calls: int = setting(
        "Calls that one process carries at most; the next one is refused.",
        number(1, 10_000),
        default=100,
    )
    drain_s: int = setting(
        "Seconds after SIGTERM in which calls may end by themselves; a little less than the "
        "platform's termination grace period (Container Apps: at most 600 s).",
        number(0, 86_400),
        default=590,
    )

    def contradictions(self) -> Iterator[SettingFault]:
        """Also: nothing to sign in to Voice Live with, or half of what the second bridge needs."""
        yield from super().contradictions()
        if self.voice_live_key is None and self.credential == "none":
            yield SettingFault("VOICE_LIVE_KEY", "is missing", _SIGN_IN)
        if self.realtime_endpoint is not None:
            yield from self._speech_faults()

    def _speech_faults(self) -> Iterator[SettingFault]:
        """Half of a second bridge is none."""
        if self.realtime_key is None and self.credential == "none":
            yield SettingFault("REALTIME_KEY", "is missing", _SIGN_IN)
        if self.speech_region is None and (
            self.speech_endpoint is None or self.speech_stream_endpoint is None
        ):
            mend = "set it, or both SPEECH_ENDPOINT and SPEECH_STREAM_ENDPOINT"
            yield SettingFault("SPEECH_REGION", "is missing", mend)
        if self.speech_auth == "key":
            if self.speech_key is None:
                yield SettingFault("SPEECH_KEY", "is missing", "set it, or another SPEECH_AUTH")
        elif self.credential == "none":
            yield SettingFault("SPEECH_AUTH", "needs a credential", _SIGN_IN)
        elif self.speech_auth == "aad" and self.speech_resource_id is None:
            mend = "set it to the id of the Speech resource, /subscriptions/…"
            yield SettingFault("SPEECH_RESOURCE_ID", "is missing", mend)
