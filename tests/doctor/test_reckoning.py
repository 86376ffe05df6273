from pathlib import Path

import pytest

from doctor.patient import Asked
from tests.calls.whole import AGENTS
from tests.doctor.stage import NOWHERE, examination, ward
from tests.virtual_time import run

FEW = """
[agents.a]
bridge = "voice_live"
model = "gpt-4.1"
[numbers]
"+15550100001" = "a"
"""


def test_a_faulty_directory_is_red_by_its_lines_and_never_by_its_numbers(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path) as here:
            file = tmp_path / "agents.toml"
            file.write_text(AGENTS.replace('"+15550100002" = "workshop"', '"+1555010000" = "shop"'))
            found = await here.examined()
            assert found.red == ["directory.valid"]
            assert found.detail("directory.valid").endswith("in line 22 of agents.toml")
            assert "python -m switchboard check" in found.mend("directory.valid")
            assert "555010" not in str(found.told("directory.valid"))
            file.write_text(AGENTS)
            assert (await here.examined()).red == []

    run(scenario())


def test_a_directory_that_is_not_there_is_red() -> None:
    async def scenario() -> None:
        found = await examination(NOWHERE, Asked(file="nowhere/agents.toml"))
        assert (
            found.detail("directory.valid")
            == "agents.toml cannot be read: No such file or directory"
        )
        assert "--file" in found.mend("directory.valid")

    run(scenario())


def test_a_container_that_has_no_directory_beside_it_is_no_fault(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def scenario() -> None:
        monkeypatch.setattr("doctor.directories.ROOT", tmp_path)
        found = await examination(NOWHERE)
        assert found.detail("directory.valid") == "agents.toml is not here, nor its agents"
        assert "directory.bridges" in found.open

    run(scenario())


def test_a_number_that_nobody_answers_is_red_until_it_is_listed(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path, agents_toml=FEW) as here:
            asked = Asked(numbers=("+15550100001", "+15550100002"))
            found = await here.examined(asked)
            assert found.red == ["directory.number.2"]
            assert found.detail("directory.number.1") == "a (listed)"
            assert "Put it under [numbers]" in found.mend("directory.number.2")
            assert "15550100002" not in str(found.told("directory.number.2"))
            (tmp_path / "agents.toml").write_text(f'{FEW}"+15550100002" = "a"\n')
            assert (await here.examined(asked)).red == []

    run(scenario())


def test_where_unlisted_numbers_are_rejected_the_default_agent_answers_none(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path) as here:
            asked = Asked(numbers=("+15550100077",))
            assert (await here.examined(asked)).red == []
            found = await here.examined(asked, UNMAPPED="reject")
            assert found.red == ["directory.number.1"]
            assert "UNMAPPED=reject" in found.detail("directory.valid")

    run(scenario())


def test_an_agent_whose_bridge_the_worker_has_not_is_red(tmp_path: Path) -> None:
    async def scenario() -> None:
        spoken = '[agents.brand]\nbridge = "realtime_speech"\nvoice = "en-US-AvaNeural"\n'
        async with ward(tmp_path, agents_toml=f"{AGENTS}\n{spoken}") as here:
            found = await here.examined(REALTIME_ENDPOINT="")
            assert found.red == ["directory.bridges"]
            assert found.detail("directory.bridges").startswith("brand: bridge realtime_speech")
            assert "Set REALTIME_ENDPOINT and SPEECH_REGION" in found.mend("directory.bridges")
            assert found.detail("realtime.brand") == "REALTIME_ENDPOINT is not set"

    run(scenario())


@pytest.mark.parametrize(
    ("asked", "result"),
    [
        (Asked(), "not_checked"),
        (Asked(max_replicas=1, calls_per_replica=50), "not_checked"),
        (Asked(max_replicas=2, calls_per_replica=100), "fail"),
        (Asked(max_replicas=2), "fail"),  # MAX_CALLS is 100
        (Asked(max_replicas=2, connections=100, tokens=500_000), "ok"),
        (Asked(max_replicas=2, connections=30, tokens=500_000), "fail"),
    ],
)
def test_more_calls_than_the_quota_carries_are_red_and_an_unknown_quota_is_never_good(
    asked: Asked, result: str
) -> None:
    async def scenario() -> None:
        found = await examination(NOWHERE, asked)
        assert found.told("quota.voice_live")["result"] == result
        if result == "fail":
            assert "Lower the replicas or MAX_CALLS" in found.mend("quota.voice_live")

    run(scenario())


def test_several_resources_carry_as_many_times_the_calls() -> None:
    async def scenario() -> None:
        two = "https://a.services.ai.azure.com,https://b.services.ai.azure.com"
        asked = Asked(max_replicas=2)
        found = await examination(NOWHERE | {"VOICE_LIVE_ENDPOINT": two}, asked)
        assert found.told("quota.voice_live")["result"] == "not_checked"
        assert "with 2 resources" in found.detail("quota.voice_live")

    run(scenario())


def test_the_sum_is_shown(tmp_path: Path) -> None:
    async def scenario() -> None:
        found = await examination(NOWHERE, Asked(max_replicas=2))
        assert found.detail("quota.voice_live") == (
            "200 calls at once (2 x 100); with calls of 5 minutes 40 new ones a minute of 30, and "
            "at least 228,000 tokens a minute of 120,000"
        )
        assert "to 105 calls in all" in found.mend("quota.voice_live")

    run(scenario())
