"""Every bound of the examination, each with its reason."""

TOTAL_S = 120.0
"""The whole examination; what is not begun by then is told as not checked. Some 10 s when all is
well, the longest part being a session for each agent."""

IDENTITY_S = 12.0
"""One token: above the worker's own `TOKEN_WAIT_S`, so that its verdict comes first."""

TOKEN_SPARE_S = 300.0
"""A token with less than this to live is asked for anew: while a first call is waited for."""

STORAGE_S = 12.0
"""Three or four requests, each of which the client gives up after some 5 s."""

ACS_S = 12.0
"""One request: above `ACS_REQUEST_S`, which holds all its attempts."""

FETCH_S = 8.0
"""One document or one refusal over https, with a cold start of the Functions app (5 s) in it."""

SESSION_S = 18.0
"""Above the bridges' own limits: `CONNECT_S`, `SESSION_OPEN_S` and `BRIDGE_CLOSE_S`."""

VOICE_S = 12.0
"""One word: above the speaker's own limits for a synthesizer and its first sound."""

CHECK_S = 5.0
"""What needs no network."""

PROBE_HIDDEN_S = 55
"""The probe message is deleted within a second. Should the examination die before that, it is
hidden for so long, whoever polls the queue …"""

PROBE_TTL_S = 60
"""… and gone 5 s later. A worker that polls in those 5 s sets it aside: it names no call. Azure
takes only a visibility timeout that is shorter than the message's life."""

SESSIONS_MOST = 10
"""Sessions opened for Voice Live, and for Realtime: a third of the 30 new connections a minute that
a Voice Live resource has, so that calls in progress find their own."""

VOICES_MOST = 20
"""Words spoken, each some 5 characters of the bill."""

ANSWER_MAX_BYTES = 64 * 1024
"""Of an answer that is read to see whose it is."""

VOICE_LIVE_CONNECTIONS = 30
"""New connections a minute of an S0 resource (Speech service quotas and limits, Voice Live)."""

VOICE_LIVE_TOKENS = 120_000
"""Tokens a minute of an S0 resource (same page)."""

CALL_TOKENS_PER_MINUTE = 1_140
"""A minute of a call in which the caller speaks all the time into the service (600 tokens) and the
agent for 27 s (540): 10 tokens a second in, 20 out (Voice Live FAQ). What the model reads again at
each turn is not in it, so this is the least."""

CALL_MINUTES = 5.0
"""A usual call: so often a line in use needs a new connection."""

FIRST_CALL_S = 300.0
"""How long a first call is waited for."""

FIRST_CALL_POLL_S = 0.5
"""How finely a call's record is looked at; what its states tell is no finer than this."""

FIRST_CALL_ENDS_S = 3600.0
"""A call that is followed for so long is left alone: no agent talks longer."""
