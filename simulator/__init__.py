"""Azure on a laptop: the other end of every protocol that Switchboard speaks, and people who call.

A second, independent reading of the protocols: nothing here imports the product. Each service is an
async context manager, in one process (`world`, for tests, in virtual time too) or in processes of
their own (`up`, for people).

    acs, acs_*          phone calls: REST API, callbacks, the client end of media sockets
    line, playout       the way to the caller's ear, to the sample; ear, caller: the scripted person
    event_grid          IncomingCall delivered, repeated, dead-lettered; incoming: its shape
    storage, storage_*  queues and blobs
    identity, keys      Entra tokens of a managed identity, and what signs tokens; tls: certificates
    voice_live, ...     the service that plays the agent
    functions_*         a Functions host around Microsoft's own runtime
    script, script_toml what callers and agents say, and when; audio, speech/: how it sounds
    up, call, demo      the commands; services, processes, environment: what they start and tell
    timeline, report    what happened in a call; record: what the product wrote down about it
"""
