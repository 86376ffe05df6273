"""Every bound of the Functions app, each with its reason."""

MAX_CONTEXT_CHARS = 32_768
"""`incomingCallContext` is 6 to 10 thousand characters in recorded events."""

MAX_CALLBACK_BYTES = 262_144
"""A callback carries one event of about 1 KB, or several."""

WARM_UP_AFTER_S = 0.5
"""From import to the loading of the Azure SDKs: after indexing, which must be quick, and before
the first call, as a rule."""

MAX_KEY_SET_BYTES = 262_144
"""A published key set has a handful of keys of 2 KB each."""

EVENT_GRID_RETRY_S = 10.0
"""Event Grid delivers again at the earliest this long after a failure (Event Grid docs, "delivery
and retry")."""
