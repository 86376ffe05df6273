import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from switchboard.acs_jwt import AcsTokens, KeySet, Refused, Verified
from switchboard.clock import wall_now
from tests.virtual_time import WALL_START, run

ISSUER = "https://acscallautomation.communication.azure.com"
AUDIENCE = "9f1d2c1a-0000-4000-8000-00155d012345"
KEY = rsa.generate_private_key(65537, 2048)
OTHER_KEY = rsa.generate_private_key(65537, 2048)


def jwk(key: rsa.RSAPrivateKey, kid: str, **more: Any) -> dict[str, Any]:
    public: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return public | {"kid": kid, "use": "sig"} | more


def token(key: Any = KEY, kid: str | None = "k1", algorithm: str = "RS256", **changed: Any) -> str:
    claims = {"iss": ISSUER, "aud": AUDIENCE, "nbf": WALL_START - 5, "exp": WALL_START + 300}
    claims = {name: value for name, value in (claims | changed).items() if value is not None}
    headers = {} if kid is None else {"kid": kid}
    return jwt.encode(claims, key, algorithm=algorithm, headers=headers)


class Endpoint:
    """A key endpoint: counts fetches, can be down or slow."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.keys = list(keys)
        self.fetches = 0
        self.down = False
        self.delay_s = 0.0

    async def fetch(self, url: str) -> bytes:
        self.fetches += 1
        await asyncio.sleep(self.delay_s)
        if self.down:
            raise OSError("down")
        return json.dumps({"keys": self.keys}).encode()


def doors(endpoint: Endpoint) -> tuple[AcsTokens, KeySet]:
    keys = KeySet("https://keys.test", endpoint.fetch, asyncio.get_running_loop().time)
    return AcsTokens(keys, ISSUER, AUDIENCE), keys


def verdict(header: str | None, *published: dict[str, Any]) -> Verified | Refused:
    async def ask() -> Verified | Refused:
        tokens, _ = doors(Endpoint(*(published or (jwk(KEY, "k1"),))))
        return await tokens.verify(header)

    return run(ask())


def test_a_genuine_token_is_verified_and_gives_its_claims() -> None:
    answer = verdict(f"Bearer {token(jti='42')}")
    assert isinstance(answer, Verified)
    assert answer.claims["jti"] == "42"


def test_a_genuine_token_may_name_several_audiences() -> None:
    assert isinstance(verdict(f"Bearer {token(aud=['x', AUDIENCE])}"), Verified)


def hs256_with_the_public_key() -> str:
    """The classic confusion: the RSA public key, taken as an HMAC secret."""
    import hashlib
    import hmac

    from cryptography.hazmat.primitives import serialization

    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    pem = KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    claims = {"iss": ISSUER, "aud": AUDIENCE, "exp": WALL_START + 300}
    head = part(json.dumps({"alg": "HS256", "kid": "k1"}).encode())
    signed = f"{head}.{part(json.dumps(claims).encode())}"
    return f"{signed}.{part(hmac.digest(pem, signed.encode(), hashlib.sha256))}"


def flipped(whole: str) -> str:
    """The same claims with one signature character changed."""
    at = whole.rindex(".") + 20
    return whole[:at] + ("A" if whole[at] != "A" else "B") + whole[at + 1 :]


ATTACKS: dict[str, tuple[Callable[[], str | None], str]] = {
    "no header": (lambda: None, "authorization"),
    "empty": (lambda: "", "authorization"),
    "scheme alone": (lambda: "Bearer ", "authorization"),
    "another scheme": (lambda: f"Basic {token()}", "authorization"),
    "no scheme": (token, "authorization"),
    "two tokens": (lambda: f"Bearer {token()} {token()}", "authorization"),
    "two headers joined": (lambda: f"Bearer {token()},Bearer {token()}", "authorization"),
    "oversized": (lambda: "Bearer " + "a" * 20_000, "authorization"),
    "not ASCII": (lambda: "Bearer ключ", "authorization"),
    "garbage": (lambda: "Bearer not.a.token", "header"),
    "nested header": (
        lambda: "Bearer " + base64.urlsafe_b64encode(b"[" * 9000).decode() + ".e30.e30",
        "header",
    ),
    "alg none": (lambda: f"Bearer {token(key=None, algorithm='none')}", "alg"),
    "HS256 with the public key": (lambda: f"Bearer {hs256_with_the_public_key()}", "alg"),
    "RS384": (lambda: f"Bearer {token(algorithm='RS384')}", "alg"),
    "PS256": (lambda: f"Bearer {token(algorithm='PS256')}", "alg"),
    "no kid": (lambda: f"Bearer {token(kid=None)}", "kid"),
    "unknown kid": (lambda: f"Bearer {token(kid='k2')}", "kid"),
    "wrong key": (lambda: f"Bearer {token(key=OTHER_KEY)}", "signature"),
    "tampered": (lambda: f"Bearer {flipped(token())}", "signature"),
    "no exp": (lambda: f"Bearer {token(exp=None)}", "exp"),
    "no iss": (lambda: f"Bearer {token(iss=None)}", "iss"),
    "no aud": (lambda: f"Bearer {token(aud=None)}", "aud"),
    "expired": (lambda: f"Bearer {token(exp=WALL_START - 61)}", "exp"),
    "exp not a number": (lambda: f"Bearer {token(exp='soon')}", "exp"),
    "exp infinite": (lambda: f"Bearer {token(exp=float('inf'))}", "exp"),
    "not yet valid": (lambda: f"Bearer {token(nbf=WALL_START + 61)}", "nbf"),
    "wrong issuer": (lambda: f"Bearer {token(iss='https://login.example')}", "iss"),
    "wrong audience": (lambda: f"Bearer {token(aud='another-resource')}", "aud"),
    "no audience in the list": (lambda: f"Bearer {token(aud=[])}", "aud"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_every_forgery_is_refused_and_the_refusal_names_the_claim(attack: str) -> None:
    make, claim = ATTACKS[attack]
    answer = verdict(make())
    assert isinstance(answer, Refused)
    assert answer.claim == claim


def test_a_refusal_never_shows_the_token() -> None:
    header = f"Bearer {token(aud='another-resource')}"
    answer = verdict(header)
    assert isinstance(answer, Refused)
    assert (answer.expected, answer.received) == (AUDIENCE, "'another-resource'")
    assert header.split(".")[1][:20] not in repr(answer)


def test_a_minute_of_clock_difference_is_forgiven() -> None:
    assert isinstance(verdict(f"Bearer {token(exp=WALL_START - 59)}"), Verified)
    assert isinstance(verdict(f"Bearer {token(nbf=WALL_START + 59)}"), Verified)


def test_an_encryption_key_or_a_foreign_kind_of_key_signs_nothing() -> None:
    published = [jwk(KEY, "k1", use="enc"), {"kty": "oct", "kid": "k1", "k": "AAAA"}, {"kid": "k1"}]
    answer = verdict(f"Bearer {token()}", *published)
    assert isinstance(answer, Refused)
    assert answer.claim == "kid"


def test_a_broken_entry_in_the_key_set_leaves_the_good_ones_usable() -> None:
    broken = {"kty": "RSA", "kid": "k0", "n": "!", "e": "AQAB"}
    assert isinstance(verdict(f"Bearer {token()}", broken, jwk(KEY, "k1")), Verified)


def test_keys_are_fetched_once_for_many_tokens() -> None:
    async def ask() -> int:
        endpoint = Endpoint(jwk(KEY, "k1"))
        tokens, _ = doors(endpoint)
        answers = await asyncio.gather(*(tokens.verify(f"Bearer {token()}") for _ in range(20)))
        assert all(isinstance(answer, Verified) for answer in answers)
        return endpoint.fetches

    assert run(ask()) == 1


def test_a_rotated_key_is_accepted_after_one_forced_fetch() -> None:
    async def ask() -> None:
        endpoint = Endpoint(jwk(KEY, "k1"))
        tokens, keys = doors(endpoint)
        await keys.refresh()
        await asyncio.sleep(6)
        endpoint.keys = [jwk(OTHER_KEY, "k2")]
        rotated = await tokens.verify(f"Bearer {token(OTHER_KEY, 'k2')}")
        assert isinstance(rotated, Verified)
        withdrawn = await tokens.verify(f"Bearer {token()}")
        assert isinstance(withdrawn, Refused)

    run(ask())


def test_a_flood_of_unknown_key_ids_causes_one_fetch_in_five_seconds() -> None:
    async def ask() -> None:
        endpoint = Endpoint(jwk(KEY, "k1"))
        tokens, keys = doors(endpoint)
        await keys.refresh()
        for number in range(100):
            await tokens.verify(f"Bearer {token(kid=f'unknown-{number}')}")
            await asyncio.sleep(0.1)
        assert endpoint.fetches <= 3  # ten seconds of flood: at 0, 5 and 10

    run(ask())


def test_stale_keys_are_served_while_the_endpoint_is_down() -> None:
    async def ask() -> None:
        endpoint = Endpoint(jwk(KEY, "k1"))
        tokens, keys = doors(endpoint)
        await keys.refresh()
        endpoint.down = True
        await asyncio.sleep(7200)
        genuine = token(exp=wall_now() + 300)
        assert isinstance(await tokens.verify(f"Bearer {genuine}"), Verified)

    run(ask())


def test_a_hanging_endpoint_holds_up_one_caller_for_two_seconds_at_most() -> None:
    async def ask() -> list[float]:
        endpoint = Endpoint(jwk(KEY, "k1"))
        tokens, keys = doors(endpoint)
        await keys.refresh()
        endpoint.delay_s = 60
        await asyncio.sleep(7200)
        now = asyncio.get_running_loop().time
        began = now()

        async def one() -> float:
            assert isinstance(await tokens.verify(f"Bearer {token(exp=wall_now() + 9)}"), Verified)
            return now() - began

        return sorted(await asyncio.gather(*(one() for _ in range(10))))

    waits = run(ask())
    assert waits[-1] <= 2.0
    assert waits[-2] == 0.0


def test_an_endpoint_that_was_down_at_the_start_is_asked_again_five_seconds_later() -> None:
    async def ask() -> None:
        endpoint = Endpoint(jwk(KEY, "k1"))
        endpoint.down = True
        tokens, _ = doors(endpoint)
        assert isinstance(await tokens.verify(f"Bearer {token()}"), Refused)
        endpoint.down = False
        await asyncio.sleep(5)
        assert isinstance(await tokens.verify(f"Bearer {token()}"), Verified)

    run(ask())


@pytest.mark.parametrize("document", [b"", b"[]", b'{"keys": 1}', b"[" * 100_000, b"\xff"])
def test_a_key_set_that_makes_no_sense_is_taken_as_none(document: bytes) -> None:
    async def ask() -> object:
        async def fetch(url: str) -> bytes:
            return document

        keys = KeySet("https://keys.test", fetch, asyncio.get_running_loop().time)
        return await keys.key("k1")

    assert run(ask()) is None


def test_keys_kept_fresh_never_make_a_caller_wait() -> None:
    async def ask() -> None:
        endpoint = Endpoint(jwk(KEY, "k1"))
        tokens, keys = doors(endpoint)
        now = asyncio.get_running_loop().time
        async with asyncio.TaskGroup() as group:
            freshening = group.create_task(keys.keep_fresh())
            await asyncio.sleep(10_000)
            endpoint.delay_s = 1
            began = now()
            genuine = token(exp=wall_now() + 300)
            assert isinstance(await tokens.verify(f"Bearer {genuine}"), Verified)
            assert now() == began
            freshening.cancel()

    run(ask())


@given(st.text(max_size=200) | st.binary(max_size=100).map(lambda raw: raw.decode("latin-1")))
def test_no_text_at_all_makes_the_door_raise(text: str) -> None:
    for header in (text, f"Bearer {text}", f"Bearer e30.{text}.e30"):
        assert isinstance(verdict(header), Refused)
