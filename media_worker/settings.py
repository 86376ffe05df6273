"""What a deployment decides about the media worker, read once from the environment."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from switchboard.settings import SettingFault, Shared, choice, number, setting, url


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
    voice_live_endpoint: str = setting(
        "Endpoint of the resource with Voice Live, https://NAME.services.ai.azure.com",
        url("https"),
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
        """Also: nothing to sign in to Voice Live with."""
        yield from super().contradictions()
        if self.voice_live_key is None and self.credential == "none":
            mend = "set CREDENTIAL to managed_identity, default or azure_cli, or set the key"
            yield SettingFault("VOICE_LIVE_KEY", "is missing", mend)
