"""What a deployment of the Functions app decides."""

from dataclasses import dataclass
from typing import Literal

from switchboard.settings import choice, matching, number_choice, setting, url
from switchboard.shared_settings import Shared

_ARM_ID = matching(
    r"/subscriptions/[^/?#\s]+/resourceGroups/[^/?#\s]+/providers/"
    r"Microsoft\.Communication/communicationServices/[^/?#\s]+",
    "/subscriptions/ID/resourceGroups/NAME/providers/Microsoft.Communication/"
    "communicationServices/NAME",
)


@dataclass(frozen=True, kw_only=True)
class Settings(Shared):
    """The shared settings, and where this app and the worker can be reached."""

    acs_resource_id: str = setting(
        "Azure Resource Manager id of the Azure Communication Services resource: events of any "
        "other are ignored.",
        _ARM_ID,
    )
    callback_url: str = setting(
        "Public base URL of this app's HTTP functions, https://NAME.azurewebsites.net/api",
        url("https"),
    )
    media_url: str = setting(
        "Public base URL of the media worker, wss://NAME.REGION.azurecontainerapps.io", url("wss")
    )
    cognitive_services_endpoint: str | None = setting(
        "Endpoint of the Azure AI resource through which Azure Communication Services speaks the "
        "apology; unset: a caller who cannot be helped is transferred or hung up on unspoken to.",
        url("https"),
        default=None,
    )
    audio_rate: int = setting(
        "Samples per second of the callers' audio: 24000, which Voice Live uses too, or 16000.",
        number_choice(16000, 24000),
        default=24000,
    )
    unmapped: Literal["default", "reject"] = setting(
        "Who calls a number that the directory does not name: default (the default agent answers) "
        "or reject (busy tone).",
        choice("default", "reject"),
        default="default",
    )
