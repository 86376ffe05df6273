"""Every bound of the worker's telemetry, with its reason."""

QUEUED_SPANS = 2048
"""Spans that wait for the collector, 3.5 KB each: those of some two hundred calls. Further ones
push out the oldest."""

BATCH_SPANS = 128
"""Spans of one request: encoding them takes ten milliseconds, in which audio shares the CPU."""

SPANS_EVERY_S = 5.0
"""How long a finished span waits for others."""

METRICS_EVERY_S = 60.0
"""What Azure Monitor resolves; each series is sent anew every time."""

REQUEST_S = 5.0
"""For one request to the collector, with its retries: the next batch waits behind it."""

FLUSH_S = 3.0
"""For what is left at the end of the process, after the drain: worth no longer wait."""

QUEUE_DEPTH_EVERY_S = 30.0
"""Between two counts of the queue's messages: two per point of the metric, and a request each."""
