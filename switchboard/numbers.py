"""Phone numbers and the other identities of a called party, in every usual writing.

A call's parties come as raw ids of Azure Communication Services: `4:+15550100001` is a phone
number, `28:orgid:…` a Teams resource account, `8:acs:…` a user. People write numbers otherwise:
`(555) 010-0001`, `001 555 …`, `tel:+1-555-…`, `sip:+1555…@host`.

`phonenumbers` is imported by the first number that is read, not with this module: some 30 ms that
a cold start spends only once it has a file to read.
"""

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import phonenumbers

_OTHER_IDENTITY = re.compile(r"(8|28|48):\S+")
_ANONYMOUS = ("", "anonymous", "restricted", "unavailable", "private")


class NumberError(ValueError):
    """Not a usable phone number. `str()` says why, without the number; `mend` what to write."""

    def __init__(self, why: str, mend: str) -> None:
        super().__init__(why)
        self.mend = mend


def normalise(raw: str, region: str | None) -> str:
    """The number as E.164, such as `+15550100001`; extensions are dropped.

    `region` (ISO 3166, such as `US`) reads numbers written without their country; None: such
    numbers are refused.

    Raises:
        NumberError: not a phone number, or impossibly long or short for its country.
    """
    return _e164(_parse(raw, region))


def identity(raw: str, region: str | None) -> str:
    """What two writings of the same called party have in common: E.164, or the raw id in lower
    case for whoever is not a phone number.

    Raises:
        NumberError: neither.
    """
    text = raw.strip()
    return text.lower() if _OTHER_IDENTITY.fullmatch(text) else normalise(text, region)


def is_phone(raw: str, region: str | None) -> bool:
    """Whether `raw` is meant as a phone number, even an impossible one."""
    if raw.strip().startswith(("4:", "+", "tel:")):
        return True
    try:
        return identity(raw, region).startswith("+")
    except NumberError:
        return False


def is_anonymous(raw: str) -> bool:
    """Whether a caller's id says that the number is withheld."""
    return raw.strip().removeprefix("4:").casefold() in _ANONYMOUS


def fallback(raw: str, region: str | None) -> str:
    """A number that a caller may be transferred to, as E.164.

    Raises:
        NumberError: as `normalise`, and for premium-rate numbers and extensions.
    """
    import phonenumbers

    parsed = _parse(raw, region)
    if parsed.extension:
        raise NumberError(
            "a transfer cannot dial an extension", "Use a number that reaches a person directly."
        )
    if phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.PREMIUM_RATE:
        raise NumberError(
            "this is a premium-rate number", "Use an ordinary number: every transfer is paid for."
        )
    return _e164(parsed)


def is_region(region: str) -> bool:
    """Whether `region` is a country with phone numbers, such as `US`."""
    import phonenumbers

    return region in phonenumbers.SUPPORTED_REGIONS


def masked(raw: str) -> str:
    """For logs: the last two digits only, such as `…23`."""
    digits = [c for c in raw if c.isalnum()]
    return "…" + "".join(digits[-2:]) if len(digits) > 6 else "…"


def _parse(raw: str, region: str | None) -> "phonenumbers.PhoneNumber":
    import phonenumbers

    text = _plain(raw)
    tries = [(text, region)]
    if text.startswith("00"):  # not every country dials 00, but everybody writes it
        tries.append(("+" + text[2:], None))
    error: NumberError | None = None
    for candidate, home in tries:
        try:
            number = phonenumbers.parse(candidate, home, keep_raw_input=False)
        except phonenumbers.NumberParseException as exception:
            error = error or _unparsed(exception, text, region)
            continue
        why = _impossible(phonenumbers.is_possible_number_with_reason(number))
        if why is None:
            return number
        error = error or NumberError(why, "Write it as +, country and number: +15550100001.")
    raise error or NumberError("this is not a phone number", "Write it as +15550100001.")


def _plain(raw: str) -> str:
    """Without what is around the number: raw id prefix, URI, spaces, foreign digits."""
    text = raw.strip().removeprefix("4:").strip()
    if scheme := re.match(r"sips?:", text, re.IGNORECASE):
        text = text[scheme.end() :].partition("@")[0].replace("%2B", "+").replace("%2b", "+")
    if "phone-context" not in text:
        text = re.sub(r"^tel:", "", text, flags=re.IGNORECASE)
    plain = (str(unicodedata.decimal(c, c)) for c in text.replace("＋", "+"))
    return "".join(plain)


def _unparsed(
    exception: "phonenumbers.NumberParseException", text: str, region: str | None
) -> NumberError:
    unknown_country = exception.error_type == exception.INVALID_COUNTRY_CODE
    if unknown_country and text.startswith("+"):
        return NumberError("no country has this code", "Write it as +15550100001.")
    if unknown_country and region is None and len(re.findall("[0-9]", text)) > 3:
        return NumberError(
            "the country is missing",
            'Write it with + and the country\'s code, or set region = "US" at the top.',
        )
    return NumberError("this is not a phone number", "Write it as +15550100001.")


def _impossible(reason: int) -> str | None:
    import phonenumbers

    result = phonenumbers.ValidationResult
    if reason == result.IS_POSSIBLE:
        return None
    return {
        result.TOO_SHORT: "the number is too short for its country",
        result.TOO_LONG: "the number is too long for its country",
        result.INVALID_LENGTH: "no number of its country has this length",
        result.INVALID_COUNTRY_CODE: "no country has this code",
        result.IS_POSSIBLE_LOCAL_ONLY: "the area code is missing",
    }.get(reason, "this is not a phone number")


def _e164(number: "phonenumbers.PhoneNumber") -> str:
    import phonenumbers

    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
