"""Every bound of the media worker, with its reason. Names end in their unit."""

# --- the caller's leg -----------------------------------------------------------------------------
MAX_FRAME_BYTES = 128 * 1024
"""A 20 ms frame at 24 kHz is 1.4 KB of JSON; nothing honest comes near. Larger closes with 1009."""

BAD_FRAMES = 50
"""So many malformed frames within `BAD_FRAMES_S` close the leg: it is no audio stream of ACS."""

BAD_FRAMES_S = 10.0
"""One second of broken audio every ten seconds is a fault; less is a glitch to be skipped."""

FIRST_FRAME_S = 10.0
"""A leg that does not speak within this never will; ACS sends its metadata at once."""

LEG_STALLED_S = 5.0
"""ACS sends 50 frames a second, silence included. None for so long: the connection is half-open."""

LEG_CLOSE_S = 2.0
"""For the closing handshake of a WebSocket whose peer may be gone."""

BLOCKED_S = 5.0
"""A leg or a service that takes no audio for so long is as good as closed."""

RESUME_S = 10.0
"""How long the agent's session outlives the caller's socket: recovery restarts the stream after
0.5 s and gives up 2 s later; a caller does not wait longer in silence."""

TURN_AHEAD_S = 60.0
"""Audio of one turn not yet heard. Nobody listens to a minute of monologue: the turn is cut."""

ACS_MESSAGE_BYTES = 64 * 1024
"""The ACS documentation speaks of packets of 64 kilobytes; larger deltas are sent in parts."""

# --- the conversation -----------------------------------------------------------------------------
WATCH_S = 1.0
"""How often a call looks at its own deadlines: cheap beside 50 frames a second."""

DTMF_GAP_S = 1.5
"""Keyed digits belong together until `#` or so long a pause: slow thumbs need about a second."""

DTMF_DIGITS = 64
"""Longer than any number a caller keys; more is handed on at once."""

TURN_START_S = 8.0
"""A service that was asked to speak and does not begin a turn within this has stalled."""

FIRST_AUDIO_S = 20.0
"""A turn without audio or end for so long has stalled: agents may call their own tools first."""

FAREWELL_S = 30.0
"""A goodbye that has not been heard after this is not waited for."""

RENEW_BEFORE_S = 120.0
"""The bridge is renewed in the first pause when its session has no more than this to live."""

RENEW_AT_LATEST_S = 10.0
"""Without a pause until then, the bridge is renewed in the middle of a word."""

CHECKPOINT_S = 10.0
"""Above the ledger's own 5 s of retries: a checkpoint that takes longer is given up."""

PAUSE_S = 1.5
"""Nobody has spoken for so long: a pause, and not the moment before the agent's answer."""

PAUSE_POLL_S = 0.1
"""How finely a pause in the conversation is looked for."""

APOLOGY_S = 30.0
"""The apology is a sentence of speech and a transfer; the record's closing waits no longer."""

OWN_APOLOGY_S = 12.0
"""The apology in the agent's own voice, behind what is being heard at most `LAST_WORDS_AHEAD_S`."""

LAST_WORDS_AHEAD_S = 3.0
"""So much of a failing agent's turn is still heard before its apology; the rest is cut off."""

HANG_UP_S = 10.0
"""Two tries of an ACS request; the caller hangs up by himself sooner or later."""

MAX_TURNS = 500
"""Turns kept for the record of a call, the newest: a turn every seven seconds for an hour."""

# --- the bridges' sessions ------------------------------------------------------------------------
CONNECT_TRIES = 3
"""A refused or failed handshake is tried again: most faults of a network last under a second."""

CONNECT_TRY_S = 2.0
"""For one handshake (DNS, TLS, upgrade); it takes 0.3 s."""

CONNECT_S = 3.5
"""For all tries together. With `SESSION_OPEN_S` six seconds at most, of which a caller hears
nothing but a greeting or a waiting phrase: longer, and the call is over for him anyway."""

CONNECT_BACKOFF_S = 0.25
"""Before the second try, doubled before the third; a `Retry-After` that fits counts instead."""

ENDPOINT_WINDOW_S = 60.0
"""The quotas of connections and tokens are counted by the minute."""

SHUN_S = 30.0
"""For a resource that refused or did not answer, unless its `Retry-After` says otherwise, while
there is another one."""

SESSION_OPEN_S = 2.5
"""From the upgrade to `session.updated`, half a second when all is well."""

KEPT_AUDIO_S = 5.0
"""Caller audio kept while the bridge connects: more would be answered long after it was said."""

RECENT_FRAMES = 40
"""Caller audio kept although it was sent, 0.8 s: words may have begun in it that a service has not
noticed when its connection drops. While words go unanswered it is `KEPT_AUDIO_S`."""

RECONNECTS = 3
"""Dropped conversations that are taken up again within `RECONNECTS_S`; one more ends the call."""

RECONNECTS_S = 120.0
"""See `RECONNECTS`."""

BRIDGE_HEARTBEAT_S = 10.0
"""Ping interval. A dead peer is noticed after 1.5 times this, while the caller hears nothing."""

BRIDGE_CLOSE_S = 2.0
"""For the closing handshake with the service: nobody waits for it but a finished call."""

MAX_EVENT_BYTES = 16 * 1024 * 1024
"""One server event. Audio deltas may hold many seconds; the service's own limit is 15 MiB."""

REPLAYED_ITEMS = 60
"""Messages told to the service after a reconnection, the newest ones."""

MEMORY_TURNS = 64
"""Turn and item ids remembered, to know late events by: far more than a service has in flight."""

ASK_TRIES = 3
"""How often a request to speak is repeated that the service refused; more will not help."""

TURN_FAILURES = 2
"""Turns in a row that may fail without a word, each asked for again: some seconds of silence."""

ASKS_WAITING = 4
"""Requests to speak that wait for the turn in progress; a fifth is dropped."""

# --- the doors ------------------------------------------------------------------------------------
HANDSHAKES_PER_S = 50
"""A signature check takes half a millisecond and a record one read: 50 a second cost nobody a
frame, and no deployment sees so many calls begin."""

HANDSHAKE_BURST = 200
"""All the calls of a lost worker may come back in the same second."""

DOOR_S = 4.0
"""For key set and record together, both usually a few milliseconds. The caller hears nothing yet;
a refusal starts the recovery, which is better than waiting."""

# --- the shell ------------------------------------------------------------------------------------
TOKEN_CHECK_S = 30.0
"""How often the credential is asked: it fetches from five minutes before expiry, so ten failures
in a row are needed before a token is missed."""

TOKEN_WAIT_S = 10.0
"""For one request to Entra or the identity endpoint, with the library's own retries."""

LAG_PROBE_S = 0.25
"""How often the loop's lag is measured: four timers a second are not seen in the CPU."""

LAG_REPORT_S = 0.1
"""Five frames late: callers begin to hear it."""

ANNOUNCE_S = 1.5
"""For the live message before the first frame is read; the next renewal sends one if it failed."""

TAKE_S = 2.5
"""For writing that the call is ours, before the agent may speak: ten times what it takes. Beyond
that the caller is greeted all the same, and it is said again with the next renewal."""

FINISH_PAUSES_S = (2.0, 10.0)
"""Pauses between tries to write a call's end when storage is out. After that the live message
surfaces and whoever receives it writes the end, a little less exactly."""

RESTART_S = 5.0
"""Before a background loop that a defect has ended begins anew: not a busy loop of tracebacks."""

REAP_EVERY_S = 5.0
"""How often the queue is asked for surfaced messages. A call whose worker vanished waits this long
at most, after its message surfaced; more often costs requests all day for a rare minute."""

REAP_JITTER = 0.3
"""Share by which each wait differs, so that workers started together do not poll together."""

REAP_MOST = 16
"""Messages taken by one poll: what is left is for the other workers, half a second of work here."""

HAND_OVER_BEFORE_S = 60.0
"""Before the end of a drain the remaining calls are moved: a new socket takes seconds, and one
that comes back here may still be served."""

HAND_OVER_PAUSE_S = 5.0
"""How long a pause in the conversation is waited for before it is moved all the same."""

HAND_OVER_AGAIN_S = 15.0
"""A call that came back here is moved again after this: an ingress needs a probe or two (of some 5
seconds each) to see that this worker is not ready."""

FAREWELL_BEFORE_S = 20.0
"""Before the end of a drain: an apology of 8 s and a transfer's beginning fit, and the record."""

SHUTDOWN_S = 2.0
"""For whatever still runs after a drain, before it is cancelled."""

RECOVERY_PAUSES_S = (1.0, 3.0)
"""Pauses between tries to recover a call while storage is out: within `RESUME_S` with the tries."""

# --- the voice of the second bridge ---------------------------------------------------------------
SPEECH_THREADS = 8
"""For the native SDK's calls, of which most take less than a millisecond and a new synthesizer ten:
with 60 calls, one of them waits for another seldom."""

SPEECH_CALL_S = 5.0
"""One call of the SDK. None should take a tenth of it: a synthesizer that does is thrown away."""

SPEECH_MAKE_S = 2.0
"""A new synthesizer with its token; it is not connected yet, which takes 0.1 to 0.3 s more."""

SPEECH_STOP_S = 0.5
"""From a stop to the event that the utterance is cancelled; usually a millisecond."""

SPEECH_IDLE_KEPT = 4
"""Of each kind; each costs 0.4 MB and up to five threads, and saves a call's first turn 0.2 s."""

SPEECH_FIRST_CHUNK_S = 3.0
"""The SDK's own limit for the first audio, above ours, in place of its 40 s."""

SPEECH_ALL_AUDIO_S = 90.0
"""The SDK's own limit for all audio of an utterance."""

FIRST_SOUND_S = 1.2
"""From the first word written to the first audio; 0.1 to 0.3 s when all is well."""

SOUNDING_CHARACTERS = 40
"""Text of a stream that is still being written must give a sound from here on: a voice may wait for
the first clause to know its melody."""

NEXT_FIRST_SOUND_S = 0.8
"""The same for each voice tried after the first: the caller has been waiting, three seconds in all
at most."""

UTTERANCE_STALLED_S = 1.5
"""All text is written, all audio that came has been heard, and none has come for so long: the rest
will not come. With the first sound of the next voice the caller hears nothing for 2.3 s."""

UTTERANCE_SAID_S = 1.0
"""The last word has come, with audio, but not the end: it is not waited for."""

ENDLESS_S = 5.0
"""With `ENDLESS_CHARACTER_S` for each character: the longest audio that a text can make."""

ENDLESS_CHARACTER_S = 0.3
"""A slow voice needs a tenth of a second; digits and abbreviations are read out at length."""

UTTERANCE_S = 60.0
"""One utterance, first word to last audio, which is made faster than it is heard."""

UNSPOKEN_CHARACTERS = 32_000
"""Of one turn, waiting to be spoken: more than a model writes in one answer. The rest is cut."""

WAITING_S = 2.5
"""So long after the caller's last word an answer that has not begun is excused by a phrase, and
then again after as long."""

ANSWER_AGAIN_S = 0.5
"""Before a failed answer is asked for again: what was too much is often gone by then."""

ANSWER_STALLED_S = 6.0
"""A model that began an answer and says nothing is asked anew; usually it begins within two."""

ANSWER_LATEST_S = 9.0
"""No caller waits longer for an answer: the apology, and a person, are better."""

WAITING_POLL_S = 0.25
"""How finely that is looked for: four timers a second in each call are not seen in the CPU."""

RENDER_S = 20.0
"""For a clip of a sentence or two, which takes a second; a failing service is not waited for."""

CLIPS_KEPT_BYTES = 128 * 1024 * 1024
"""Fixed phrases in memory, some 150 KB each: a hundred agents have eight hundred."""

DIRECTORY_POLL_S = 5.0
"""How often the worker looks for another directory: a conditional request. Well within the time
after which calls are answered by it, so that most of its phrases are rendered by then."""

RENDER_AGAIN_S = 5.0
"""After phrases that could not be rendered, doubled each time: until then calls render them."""

RENDER_AGAIN_MOST_S = 300.0
"""A voice that does not exist is asked for no more often than this."""
