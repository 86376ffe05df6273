import pytest

from switchboard.agents_file import AGENT
from switchboard.spoken_fields import SPOKEN


@pytest.mark.parametrize("bridge", sorted(AGENT.cases))
def test_every_agent_has_the_same_fixed_words_whatever_its_bridge(bridge: str) -> None:
    fields = AGENT.cases[bridge].fields
    assert {name: fields[name] for name in SPOKEN} == SPOKEN
