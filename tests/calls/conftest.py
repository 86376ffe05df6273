"""Whole calls are made both ways: with keys, and with Entra tokens over https."""

import pytest


@pytest.fixture(params=["keys", "tokens"])
def access(request: pytest.FixtureRequest) -> str:
    """How the product proves itself: see `whole`."""
    return str(request.param)
