"""Addresses of services that nobody serves, for tests that only hand them on."""

from simulator.environment import Endpoints

ENDPOINTS = Endpoints(
    acs_url="http://127.0.0.1:1",
    acs_issuer="http://127.0.0.1:1",
    acs_jwks_url="http://127.0.0.1:1/calling/keys",
    immutable_id="5b1c1d2e-7c3f-4a55-9e0a-2f6f3c1d4e5f",
    resource_id="/subscriptions/x",
    blob_endpoint="http://127.0.0.1:2/devstoreaccount1",
    queue_endpoint="http://127.0.0.1:3/devstoreaccount1",
    identity_endpoint="http://127.0.0.1:4/msi/token",
    identity_header="h",
    voice_live_url="http://127.0.0.1:5",
    access_key="a2V5",
    connection_string="UseDevelopmentStorage=true",
    realtime_url="http://127.0.0.1:6",
    realtime_key="r",
    speech_url="http://127.0.0.1:7",
    speech_stream_url="ws://127.0.0.1:7/cognitiveservices/websocket/v2",
    speech_resource_id="/subscriptions/x/speech",
    speech_key="s",
)
