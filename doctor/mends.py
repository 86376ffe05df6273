"""Mends that several checks share. Role names as Azure's built-in roles have them."""

QUEUE_ROLE = "Storage Queue Data Contributor"
BLOB_ROLE = "Storage Blob Data Contributor"
READER_ROLE = "Storage Blob Data Reader"
ACS_ROLE = "Communication and Email Service Owner"
VOICE_LIVE_ROLES = ("Cognitive Services User", "Foundry User")
REALTIME_ROLES = ("Cognitive Services OpenAI User",)
SPEECH_ROLES = ("Cognitive Services Speech User",)


def grant(roles: str | tuple[str, ...], resource: str, client_id: str | None) -> str:
    """How the identity gets `roles` on `resource`, which is named in words."""
    named = (roles,) if isinstance(roles, str) else roles
    assignee = client_id or "CLIENT_ID"
    return (
        f"Give the identity the role {' and the role '.join(named)} on {resource} "
        f'(az role assignment create --assignee {assignee} --role "{named[0]}" '
        "--scope RESOURCE_ID), which may take ten minutes to count."
    )


def host_label(endpoint: str | None) -> str:
    """The resource's name in an endpoint, `NAME` where it has none."""
    host = (endpoint or "").partition("://")[2].partition("/")[0].partition(":")[0]
    label = host.partition(".")[0]
    return label if label and not label.isdecimal() else "NAME"
