"""Every bound of the record and its recovery, each with its reason. Seconds unless said."""

EVENT_MAX_AGE_S = 25.0
"""An incoming-call event older than this is dropped: a phone rings for 30 s, an answer takes 2."""

RECLAIM_RINGING_S = 8.0
"""A duplicate takes over a `ringing` record unchanged this long. Event Grid retries after 10 s."""

ANSWER_WITHIN_S = 20.0
"""No answer is sent later than this after its claim, so that it cannot meet `SETUP_HIDDEN_S`."""

SETUP_HIDDEN_S = 45
"""The setup message stays hidden longer than any ring (30 s): when it surfaces, a call that still
rings was never answered."""

LIVE_HIDDEN_S = 30
"""The live message surfaces this long after its owner died: three renewals may fail first."""

RENEW_EVERY_S = 10.0
"""How often an owner renews its live message and looks at the record."""

MESSAGE_TTL_S = 3600
"""A call's length does not matter: a message that expires is replaced like one that was lost. The
limit only rids the queue of what nobody could ever delete."""

SURFACED_HIDDEN_S = 60
"""Whoever receives a surfaced message has this long, more than any wait of the recovery, before
another worker receives it too (which costs storage requests, never a second apology)."""

GRACE_S = 0.5
"""Between the first doubt about a call's media and acting on it: a natural end stops the media
too, and Azure Communication Services may be reconnecting by itself."""

LOST_S = 2.0
"""A restarted stream has this long to bring its first frame. Longer is felt as a dead line."""

OWNER_SILENT_S = 10.0
"""The owner of a surfaced message that does not replace it for this long is dead. One renewal
period: after a storage outage a living owner has renewed by then."""

MEDIA_AFTER_CONNECT_S = 3.0
"""A connected call without media for this long is in doubt. Recordings show about 1 s."""

RECLAIM_CLOSING_S = 15.0
"""A `closing` record unchanged this long has lost its closer, who writes
between its acts and while it waits."""

CLOSING_REFRESH_POLLS = 3
"""A closer who waits for a transfer shows after so many polls that it is alive."""

APOLOGY_MAX_S = 8.0
"""The caller gets this long to hear the apology; well under `RECLAIM_CLOSING_S`."""

SPEECH_S_PER_CHARACTER = 0.075
"""A slow voice: about 13 characters a second, so that the apology is not cut off."""

SPEECH_START_S = 1.0
"""From the play request to the first sample."""

TRANSFER_POLL_S = 1.0
"""How often a transfer's fate is asked for: no callback reaches whoever recovers."""

TRANSFER_POLLS = 30
"""The fallback number may ring this long before recovery hangs up instead."""

TRANSFER_START_POLLS = 3
"""A call may still be shown as connected this long after a transfer was accepted for it."""

EPOCHS_MAX = 5
"""A call whose media came and went this often is closed at its next loss."""

DEQUEUES_MAX = 5
"""A message received more often than this has killed its receivers: it is set aside."""

RECOVERY_ROUNDS = 12
"""A recovery looks again this often because the record changed under it; then the message in the
queue is left to the next one. A healthy record is left on the first look."""

DECIDE_TRIES = 8
"""Times a write is decided again because somebody else wrote first. A record has a handful of
writers, so more than this is a defect."""

STORAGE_FIRST_BACKOFF_S = 0.2
"""The libraries' default waits 15 s before a first retry: half a ring."""

STORAGE_TRIES = 3
"""Attempts for one storage request."""

STORAGE_CONNECT_S = 1.0
"""One attempt's wait for a connection."""

STORAGE_READ_S = 1.4
"""One attempt's wait for bytes: three, and the back-offs, fit `STORAGE_OPERATION_S`."""

STORAGE_OPERATION_S = 5.0
"""One storage operation, all retries included: a ring has room for two that go wrong."""

RECORD_MAX_BYTES = 8 * 1024 * 1024
"""A record larger than this is refused unread: an hour of dense turns is below 1 MiB."""

ACS_REQUEST_S = 10.0
"""One request to Azure Communication Services, all attempts included: a ring has room for it, and
for Event Grid's second delivery after it."""

ACS_RETRY_PAUSES_S = (0.5, 1.0, 2.0, 4.0)
"""Before the second, third, … attempt of one such request; a `Retry-After` may lengthen them."""

ACS_CONNECT_S = 3.0
"""One attempt's wait for a connection."""

ACS_READ_S = 5.0
"""One attempt's wait for bytes: two fit `ACS_REQUEST_S`. The SDK's own 300 s outlast any ring."""

AGENT_MAX_BYTES = 48 * 1024
"""An agent, as JSON: it travels in its call's queue message, which holds 64 KiB; the rest is the
call's own. A larger one is refused when its file is read, not when its phone rings."""

DESCRIPTOR_MAX_BYTES = 62 * 1024
"""A queue message holds 64 KiB (Azure Queue Storage limits), counted as it travels: UTF-8 inside
XML. 2 KiB are left for what may be put around a descriptor."""

KEYS_FRESH_S = 3600.0
"""Age at which the published keys are fetched again. They are rotated rarely, announced ahead."""

KEYS_FETCHED_EVERY_S = 5.0
"""At most one fetch of the keys in this time, whatever key ids strangers make up."""

KEYS_FETCH_S = 2.0
"""A key endpoint slower than this counts as down: somebody's call is waiting."""

TOKEN_LEEWAY_S = 60.0
"""Clock difference allowed on a token's `exp` and `nbf`."""

TOKEN_MAX_CHARS = 16_384
"""Longer than any header that a front end lets through; keeps hostile text out of the parser."""

DIRECTORY_LOOK_EVERY_S = 3.0
"""Between looks at the directory, at a file or at what is published: an owner who tries an edit
out calls at once."""

DIRECTORY_PROMISED_S = 30.0
"""A call is never decided by a directory that was last compared with storage longer ago, unless
storage does not answer: what the owner was told on publishing."""

DIRECTORY_WAIT_S = 0.5
"""A ringing call waits this long for that comparison, a request that is answered in milliseconds;
then what is in memory counts."""

DIRECTORY_FIRST_WAIT_S = 3.0
"""The same in a process that has just started, with connection and token still to be made. The
alternative is the file it was deployed with, which may be months old."""

DIRECTORY_MAX_BYTES = 4 * 1024 * 1024
"""A published file: some eighty agents of the largest kind."""

POINTER_MAX_BYTES = 4096
"""What names the live generation has about 70 bytes."""

PUBLISH_OPERATION_S = 20.0
"""One storage operation of `python -m switchboard publish`: signing in through the Azure CLI, which
takes seconds, happens in the first one."""
