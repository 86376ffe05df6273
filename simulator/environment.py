"""Where the simulated services are, and how the product is told: its environment variables."""

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

SPEECH_ENDPOINT = "https://speech.simulated.cognitiveservices.azure.com"
"""Only named in answers; nobody calls it: simulated ACS speaks by itself."""


@dataclass(frozen=True)
class Endpoints:
    """Every peer of the product. Keys are None where tokens are used instead."""

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
    voice_live_key: str | None = None
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
            "CREDENTIAL": "none" if self.access_key else "managed_identity",
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
            "ACS_RESOURCE_ID": self.resource_id,
            "CALLBACK_URL": callback_url,
            "MEDIA_URL": media_url,
            "COGNITIVE_SERVICES_ENDPOINT": SPEECH_ENDPOINT,
            "AGENTS_FILE": str(agents_file),
            "AUDIO_RATE": str(rate),
        }

    def worker_env(self, *, port: int) -> dict[str, str]:
        """The media worker's environment."""
        env = {
            **self.shared_env(),
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "VOICE_LIVE_ENDPOINT": self.voice_live_url,
        }
        told = {
            "VOICE_LIVE_KEY": self.voice_live_key,
            "REALTIME_ENDPOINT": self.realtime_url,
            "REALTIME_KEY": self.realtime_key,
            "SPEECH_ENDPOINT": self.speech_url,
            "SPEECH_STREAM_ENDPOINT": self.speech_stream_url,
            "SPEECH_RESOURCE_ID": self.speech_resource_id,
            "SPEECH_KEY": self.speech_key,
            "SPEECH_AUTH": "key" if self.speech_key else None,
        }
        return {**env, **{name: value for name, value in told.items() if value}}
