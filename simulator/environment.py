"""Where the simulated services are, and how the product is told: its environment variables."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from simulator.processes import SystemFailed

SPEECH_ENDPOINT = "https://speech.simulated.cognitiveservices.azure.com"
"""Only named in answers; nobody calls it: simulated ACS speaks by itself."""
IDENTITY = ("CREDENTIAL", "IDENTITY_ENDPOINT", "IDENTITY_HEADER")
"""How the product signs in without keys."""
WITH_ENDPOINT = {
    "VOICE_LIVE_ENDPOINT": ("VOICE_LIVE_KEY",),
    "REALTIME_ENDPOINT": ("REALTIME_KEY",),
    "SPEECH_ENDPOINT": (
        "SPEECH_STREAM_ENDPOINT",
        "SPEECH_REGION",
        "SPEECH_AUTH",
        "SPEECH_RESOURCE_ID",
        "SPEECH_KEY",
    ),
}
"""What the worker is told of a service beside its endpoint."""
_KEY_ALONE = (
    "{} is set, and the simulated identity that opens the simulated Voice Live does not open it: "
    "set {} too"
)


@dataclass(frozen=True)
class Endpoints:
    """Every peer of the product. Keys are None where tokens are used instead.

    Voice Live is asked with tokens in any case, as agents of Foundry take nothing else.
    """

    acs_url: str
    acs_issuer: str
    acs_jwks_url: str
    immutable_id: str
    resource_id: str
    blob_endpoint: str
    queue_endpoint: str
    identity_endpoint: str
    identity_header: str
    voice_live_url: str
    access_key: str | None = None
    connection_string: str | None = None
    ca_file: str | None = None
    realtime_url: str | None = None
    """Of the Azure OpenAI resource, as it is named: `/openai/v1/realtime` comes after it."""
    realtime_key: str | None = None
    speech_url: str | None = None
    """Of the media worker's Speech resource; `speech_stream_url` takes streamed text."""
    speech_stream_url: str | None = None
    speech_resource_id: str | None = None
    speech_key: str | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, table: dict[str, Any]) -> "Endpoints":
        """Raises KeyError for what is missing."""
        return cls(**{field.name: table[field.name] for field in fields(cls)})

    def shared_env(self) -> dict[str, str]:
        """What the Functions app and the worker both need."""
        env = {
            "ACS_ENDPOINT": self.acs_url,
            "ACS_IMMUTABLE_RESOURCE_ID": self.immutable_id,
            "ACS_ISSUER": self.acs_issuer,
            "ACS_JWKS_URL": self.acs_jwks_url,
            "STORAGE_BLOB_ENDPOINT": self.blob_endpoint,
            "STORAGE_QUEUE_ENDPOINT": self.queue_endpoint,
            "IDENTITY_ENDPOINT": self.identity_endpoint,
            "IDENTITY_HEADER": self.identity_header,
        }
        secrets = {
            "ACS_ACCESS_KEY": self.access_key,
            "STORAGE_CONNECTION_STRING": self.connection_string,
            "TLS_CA_FILE": self.ca_file,
        }
        return {**env, **{name: value for name, value in secrets.items() if value}}

    def functions_env(
        self, *, callback_url: str, media_url: str, agents_file: Path, rate: int
    ) -> dict[str, str]:
        """The Functions app's environment. `callback_url` ends in `/api`, `media_url` is ws(s)."""
        return {
            **self.shared_env(),
            "CREDENTIAL": "none" if self.access_key else "managed_identity",
            "ACS_RESOURCE_ID": self.resource_id,
            "CALLBACK_URL": callback_url,
            "MEDIA_URL": media_url,
            "COGNITIVE_SERVICES_ENDPOINT": SPEECH_ENDPOINT,
            "AGENTS_FILE": str(agents_file),
            "AUDIO_RATE": str(rate),
        }

    def worker_env(self, *, port: int, agents_file: Path | None = None) -> dict[str, str]:
        """The media worker's environment. `agents_file` None: the file in its own folder."""
        env = {
            **self.shared_env(),
            "CREDENTIAL": "managed_identity",
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "VOICE_LIVE_ENDPOINT": self.voice_live_url,
        }
        told = {
            "AGENTS_FILE": str(agents_file) if agents_file else None,
            "REALTIME_ENDPOINT": self.realtime_url,
            "REALTIME_KEY": self.realtime_key,
            "SPEECH_ENDPOINT": self.speech_url,
            "SPEECH_STREAM_ENDPOINT": self.speech_stream_url,
            "SPEECH_RESOURCE_ID": self.speech_resource_id,
            "SPEECH_KEY": self.speech_key,
            "SPEECH_AUTH": "key" if self.speech_key else None,
        }
        return {**env, **{name: value for name, value in told.items() if value}}


def worker_env_from(environ: Mapping[str, str], computed: Mapping[str, str]) -> dict[str, str]:
    """The worker's environment: what `environ` sets stands, the rest is `computed`.

    A service is simulated, or the one that `environ` names; what belongs to it comes from the same
    side. A simulated Voice Live takes the simulated identity alone, and then nothing but keys opens
    other services. A Voice Live that `environ` names takes the key or the credential that `environ`
    names too. Raises SystemFailed if that cannot work.
    """
    outside = {name for name in WITH_ENDPOINT if name in environ}
    theirs = {name for endpoint in outside for name in WITH_ENDPOINT[endpoint]}
    ours = {name for names in WITH_ENDPOINT.values() for name in names} - theirs
    inherited = {name: value for name, value in environ.items() if name not in ours}
    made = {name: value for name, value in computed.items() if name not in outside | theirs}
    fixed = {name: computed[name] for name in ("HOST", "PORT")}
    _check_sign_in(outside, environ, computed)
    if "VOICE_LIVE_ENDPOINT" not in outside:
        return {**made, **inherited, **fixed, **{name: computed[name] for name in IDENTITY}}
    return {**made, "CREDENTIAL": "none", **inherited, **fixed}


def _check_sign_in(
    outside: Collection[str], environ: Mapping[str, str], computed: Mapping[str, str]
) -> None:
    if "VOICE_LIVE_ENDPOINT" not in outside:
        if "REALTIME_ENDPOINT" in outside and not environ.get("REALTIME_KEY"):
            raise SystemFailed(_KEY_ALONE.format("REALTIME_ENDPOINT", "REALTIME_KEY=..."))
        by_key = environ.get("SPEECH_KEY") and environ.get("SPEECH_AUTH") == "key"
        if "SPEECH_ENDPOINT" in outside and not by_key:
            raise SystemFailed(
                _KEY_ALONE.format("SPEECH_ENDPOINT", "SPEECH_AUTH=key and SPEECH_KEY=...")
            )
        return
    if not (environ.get("VOICE_LIVE_KEY") or environ.get("CREDENTIAL")):
        raise SystemFailed(
            "VOICE_LIVE_ENDPOINT is set: say how to sign in to it, with VOICE_LIVE_KEY=... or "
            "CREDENTIAL=azure_cli (after `az login`); agents of Foundry take the second alone"
        )
    if "ACS_ACCESS_KEY" not in computed:
        raise SystemFailed(
            "the simulated identity of --tls cannot sign in to the service that "
            "VOICE_LIVE_ENDPOINT names: leave out one of them"
        )
