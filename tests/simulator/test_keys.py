"""The key that signs ACS's tokens."""

import jwt
import pytest

from simulator.keys import SigningKey


def test_a_token_is_good_with_its_own_key_set_and_no_other() -> None:
    key, other = SigningKey(), SigningKey()
    token = key.sign({"aud": "me", "iss": "acs"})
    assert jwt.get_unverified_header(token) == {"alg": "RS256", "kid": key.kid, "typ": "JWT"}
    public = jwt.PyJWKSet.from_dict(key.jwks())[key.kid].key
    claims = jwt.decode(token, public, algorithms=["RS256"], audience="me", issuer="acs")
    assert claims == {"aud": "me", "iss": "acs"}
    stranger = jwt.PyJWKSet.from_dict(other.jwks())[other.kid].key
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, stranger, algorithms=["RS256"], audience="me")
