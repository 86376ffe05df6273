"""Who may use the account: SharedKey signatures and Entra tokens, both really checked.

Sources: "Authorize with Shared Key" (string to sign, canonicalized headers and resource) and
"Authorize with Microsoft Entra ID" of the Azure Storage REST reference. No I/O.

The age of `x-ms-date` is not checked: the SDKs write it from the machine's clock, and the
simulator may run in virtual time.
"""

import base64
import hashlib
import hmac
from typing import Any, Literal

from simulator.identity import TENANT, TokenRefused, check_token
from simulator.storage_wire import ACCOUNT, Request, StorageError

KEY = base64.b64encode(hashlib.sha512(ACCOUNT.encode()).digest()).decode()
"""The account's key. Derived, not secret: it opens only this simulator."""

AUDIENCE = "https://storage.azure.com"
Accept = Literal["keys", "tokens", "any"]

_SIGNED_HEADERS = (
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
)


def authorize(request: Request, *, accept: Accept, token_key: Any, now: float) -> None:
    """Raises the `StorageError` that Azure would answer, if the request must not be served.

    `token_key` is the public key of the tokens' issuer; None leaves their signature unchecked.
    """
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    match scheme:
        case "SharedKey" if accept in ("keys", "any"):
            _check_signature(request, credentials)
        case "SharedKey":
            raise StorageError(
                403,
                "KeyBasedAuthenticationNotPermitted",
                "Key based authentication is not permitted on this storage account.",
            )
        case "Bearer" if accept in ("tokens", "any"):
            _check_bearer(credentials, token_key, now)
        case _:
            raise _challenge(
                "NoAuthenticationInformation",
                "Server failed to authenticate the request. Please refer to the information in the"
                " www-authenticate header.",
            )


def _check_bearer(token: str, key: Any, now: float) -> None:
    try:
        check_token(token, audience=AUDIENCE, now=now, key=key)
    except TokenRefused as refusal:
        raise _challenge(
            "InvalidAuthenticationInfo", f"Server failed to authenticate the request. {refusal}"
        ) from None


def _challenge(code: str, message: str) -> StorageError:
    error = StorageError(401, code, message)
    error.headers["WWW-Authenticate"] = (
        f"Bearer authorization_uri=https://login.microsoftonline.com/{TENANT}/oauth2/authorize"
        f" resource_id={AUDIENCE}"
    )
    return error


def _check_signature(request: Request, credentials: str) -> None:
    account, _, signature = credentials.partition(":")
    signed = string_to_sign(request)
    digest = hmac.digest(base64.b64decode(KEY), signed.encode(), "sha256")
    right = base64.b64encode(digest).decode()
    if account != ACCOUNT or not hmac.compare_digest(right, signature):
        raise StorageError(
            403,
            "AuthenticationFailed",
            "Server failed to authenticate the request. Make sure the value of Authorization"
            " header is formed correctly including the signature.",
            AuthenticationErrorDetail="The MAC signature found in the HTTP request is not the same"
            " as any computed signature. Server used following string to sign:"
            f" {signed!r}.",
        )


def string_to_sign(request: Request) -> str:
    """The text whose HMAC-SHA256 is the signature."""
    headers = dict(request.headers)
    if headers.get("content-length") == "0":
        del headers["content-length"]  # an empty string since version 2015-02-21
    lines = [request.method, *(headers.get(name, "") for name in _SIGNED_HEADERS)]
    lines += [f"{n}:{headers[n]}" for n in sorted(headers, key=_collation) if n.startswith("x-ms-")]
    # Path style: the account stands twice, once as the account and once as part of the path.
    lines.append(f"/{ACCOUNT}{request.path}")
    lines += [f"{name.lower()}:{value}" for name, value in sorted(request.query.items())]
    return "\n".join(lines)


def _collation(name: str) -> tuple[str, str]:
    """The service sorts header names as words: hyphens count only between otherwise equal names."""
    return name.replace("-", ""), name
