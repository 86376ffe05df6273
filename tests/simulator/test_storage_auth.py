"""The two ways into the account: every part of a signed request is covered by its signature."""

from dataclasses import replace

import pytest

from simulator.storage_auth import Accept, authorize, string_to_sign
from simulator.storage_wire import Request, StorageError

SIGNED = Request(
    method="PUT",
    path="/devstoreaccount1/records/call",
    parts=("records", "call"),
    query={"timeout": "5"},
    headers={
        "content-length": "2",
        "content-type": "application/octet-stream",
        "if-none-match": "*",
        "x-ms-blob-type": "BlockBlob",
        "x-ms-date": "Wed, 18 Nov 2026 11:06:40 GMT",
        "x-ms-version": "2026-10-06",
        "authorization": "SharedKey devstoreaccount1:SIGNATURE",
    },
    body=b"{}",
)
# HMAC-SHA256 over the string that "Authorize with Shared Key" describes, made with openssl.
SIGNATURE = "sDSn6A8MPfHc5eMxMdsSZidtiCVDeKTu8AhxGXMkbek="


def _signed() -> Request:
    return _with(SIGNED, authorization=f"SharedKey devstoreaccount1:{SIGNATURE}")


def _with(request: Request, **headers: str) -> Request:
    changed = {name.replace("_", "-"): value for name, value in headers.items()}
    return replace(request, headers={**request.headers, **changed})


def _refusal(request: Request, accept: Accept = "any") -> StorageError:
    with pytest.raises(StorageError) as refused:
        authorize(request, accept=accept, token_key=None, now=0.0)
    return refused.value


def test_a_signature_made_by_the_documented_rule_opens_the_account() -> None:
    authorize(_signed(), accept="keys", token_key=None, now=0.0)


@pytest.mark.parametrize(
    "changed",
    [
        replace(_signed(), method="DELETE"),
        replace(_signed(), path="/devstoreaccount1/records/other"),
        replace(_signed(), query={"timeout": "6"}),
        _with(_signed(), if_none_match="other"),
        _with(_signed(), x_ms_blob_type="PageBlob"),
        _with(_signed(), x_ms_meta_new="1"),
        _with(_signed(), content_length="3"),
        _with(_signed(), authorization=f"SharedKey other:{SIGNATURE}"),
        _with(_signed(), authorization="SharedKey devstoreaccount1:"),
    ],
)
def test_a_request_changed_after_signing_is_refused(changed: Request) -> None:
    assert _refusal(changed).code == "AuthenticationFailed"


def test_header_names_are_signed_in_the_services_word_order() -> None:
    # "x-ms-meta-a-z" sorts after "x-ms-meta-ab": hyphens do not count.
    request = _with(_signed(), x_ms_meta_a_z="1", x_ms_meta_ab="2")
    lines = string_to_sign(request).splitlines()
    assert lines.index("x-ms-meta-ab:2") < lines.index("x-ms-meta-a-z:1")


def test_only_the_ways_that_the_account_allows_are_open() -> None:
    assert _refusal(_signed(), "tokens").code == "KeyBasedAuthenticationNotPermitted"
    assert _refusal(_with(SIGNED, authorization="Bearer x"), "any").status == 401
    assert _refusal(_with(SIGNED, authorization="Bearer x"), "keys").status == 401
    assert _refusal(_with(SIGNED, authorization="Basic x"), "any").status == 401
