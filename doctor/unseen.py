"""What only Azure Resource Manager knows: told, with the command that shows it, never as ok."""

from collections.abc import Iterator

from doctor.limits import CHECK_S
from doctor.mends import host_label
from doctor.patient import Patient
from doctor.verdicts import Check, NotChecked, Verdict


def unseen_checks(patient: Patient) -> Iterator[Check]:
    """Each by its name, so that nobody takes silence for consent."""
    client_id = patient.signed_in.client_id or patient.worker.azure_client_id or "CLIENT_ID"
    acs = host_label(patient.worker.acs_endpoint)
    yield _unseen(
        "roles",
        "role assignments",
        why="only what was tried above is known, and of this identity alone; the Functions app's "
        "own, and that of Communication Services for its apology, are others",
        see=f"az role assignment list --all --assignee {client_id} --output table",
    )
    yield _unseen(
        "events",
        "the Event Grid subscription",
        why="whether IncomingCall goes to the function incoming_call",
        see="az eventgrid system-topic event-subscription list --system-topic-name TOPIC "
        "--resource-group GROUP --output table",
    )
    yield _unseen(
        "immutable_id",
        "ACS_IMMUTABLE_RESOURCE_ID",
        why="the audience of the tokens on media sockets and callbacks; a wrong one refuses all",
        see=f"az communication show --name {acs} --resource-group GROUP "
        "--query immutableResourceId",
    )
    yield _unseen(
        "numbers",
        "the phone numbers",
        why="which ones the resource has; name them with --number to see who answers",
        see=f"the portal, {acs}, Phone numbers",
    )
    yield _unseen(
        "deployments",
        "capacity of model deployments",
        why="the tokens a minute of each deployment that an agent names",
        see="az cognitiveservices account deployment list --name NAME --resource-group GROUP "
        "--query '[].{name:name, capacity:sku.capacity}' --output table",
    )


def _unseen(id_: str, what: str, *, why: str, see: str) -> Check:
    async def told() -> Verdict:
        return NotChecked(f"not checked here: {why}", see)

    return Check(f"azure.{id_}", f"Azure: {what}", told, CHECK_S)
