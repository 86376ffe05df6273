"""What the worker tells about its calls: one trace per call, and metrics of the process.

Only this package knows OpenTelemetry. The rest of the worker speaks to `Telemetry` (the process)
and `CallTelemetry` (one call), whose methods take ids, names of our own and times: no number, no
word and no token has a parameter it could come in by. Nothing here is called per frame.

Without a destination in the settings the API's own no-op providers stand behind both, and the SDK
is not imported. The providers are never made global: a library that speaks OpenTelemetry by itself
(azure-core names whole URLs in its spans) reaches nobody.
"""
