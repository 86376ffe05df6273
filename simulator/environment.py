"""Where the simulated services are, and how the product is told: its environment variables."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from simulator.processes import SystemFailed

SPEECH_ENDPOINT = "https://speech.simulated.cognitiveservices.azure.com"
"""Only named in answers; nobody calls it: simulated ACS speaks by itself."""
IDENTITY = ("CREDENTIAL", "IDENTITY_ENDPOINT", "IDENTITY_HEADER")
"""How the product signs in without keys."""


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

    def worker_env(self, *, port: int) -> dict[str, str]:
        """The media worker's environment."""
        return {
            **self.shared_env(),
            "CREDENTIAL": "managed_identity",
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "VOICE_LIVE_ENDPOINT": self.voice_live_url,
        }


def worker_env_from(environ: Mapping[str, str], computed: Mapping[str, str]) -> dict[str, str]:
    """The worker's environment: what `environ` sets stands, the rest is `computed`.

    A simulated Voice Live takes the simulated identity alone; one that `environ` names takes the
    key or the credential that `environ` names too. Raises SystemFailed if that cannot work.
    """
    fixed = {name: computed[name] for name in ("HOST", "PORT")}
    if "VOICE_LIVE_ENDPOINT" not in environ:
        inherited = {name: value for name, value in environ.items() if name != "VOICE_LIVE_KEY"}
        return {**computed, **inherited, **fixed, **{name: computed[name] for name in IDENTITY}}
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
    return {**computed, "CREDENTIAL": "none", **environ, **fixed}
