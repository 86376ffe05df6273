"""RSA keys that simulated services sign their tokens with, and the key set to check them by."""

import base64
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

KEY_BITS = 2048


class SigningKey:
    """An RSA key with its id; `sign` makes RS256 tokens, `jwks` is what a key server publishes."""

    def __init__(self) -> None:
        self._private = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
        numbers = self.public.public_numbers()
        self._modulus = _base64url(numbers.n)
        self._exponent = _base64url(numbers.e)
        self.kid = hashlib.sha256(self._modulus.encode()).hexdigest()[:24]

    @property
    def public(self) -> rsa.RSAPublicKey:
        """What verifies the tokens."""
        return self._private.public_key()

    def sign(self, claims: Mapping[str, Any]) -> str:
        """A JWT with `claims`, signed RS256, naming this key in its header."""
        return jwt.encode(dict(claims), self._private, algorithm="RS256", headers={"kid": self.kid})

    def jwks(self) -> dict[str, Any]:
        """The JSON Web Key Set (RFC 7517) with this key's public half."""
        return {
            "keys": [
                {
                    "kty": "RSA",
                    "use": "sig",
                    "alg": "RS256",
                    "kid": self.kid,
                    "n": self._modulus,
                    "e": self._exponent,
                }
            ]
        }


@lru_cache(maxsize=1)
def process_key() -> SigningKey:
    """ACS's key, one for all simulators of a process: making one costs some 100 ms."""
    return SigningKey()


def _base64url(number: int) -> str:
    octets = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
