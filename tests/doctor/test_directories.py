from pathlib import Path

import pytest

from doctor.directories import informed
from doctor.patient import Asked, Unread
from simulator.identity import SYSTEM_ASSIGNED
from simulator.storage import Fault
from switchboard.directory import DirectoryError
from tests.calls.whole import AGENTS
from tests.doctor.stage import NOWHERE, patient, ward
from tests.switchboard.published import publish, publishes
from tests.virtual_time import run

PUBLISHED = AGENTS.replace("workshop", "garage")


def test_what_is_published_counts_and_its_agents_are_tried(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path) as here, publishes(here.world.storage) as generations:
            unpublished = await here.examined()
            assert unpublished.detail("directory.published") == "none: the file counts"
            name = await publish(generations, PUBLISHED)
            found = await here.examined()
            assert found.red == []
            assert found.detail("directory.published") == f"generation {name} is live"
            assert f"(published, generation {name})" in found.detail("directory.valid")
            assert "voice_live.garage" in found.green
            assert "voice_live.workshop" not in found.all

    run(scenario())


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        ("agents = 1", "0123456789ab", "generation 0123456789ab has "),
        (PUBLISHED, "0123456789ab", "generation 0123456789ab was changed"),
    ],
)
def test_a_published_directory_that_cannot_be_used_is_red_and_the_file_is_looked_at(
    content: str, name: str, told: str, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with ward(tmp_path) as here, publishes(here.world.storage) as generations:
            await publish(generations, content, name)
            found = await here.examined()
            assert found.red == ["directory.published"]
            assert found.detail("directory.published").startswith(told)
            assert "publish --back-to GENERATION" in found.mend("directory.published")
            assert "(file, generation" in found.detail("directory.valid")
            await publish(generations, PUBLISHED)
            assert (await here.examined()).red == []

    run(scenario())


def test_a_missing_role_on_the_directory_is_named(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path, access="tokens") as here:
            fault = Fault(times=100, operation="GetBlob", path="directory/*", status=403)
            here.world.storage.faults.append(fault)
            found = await here.examined()
            assert found.red == ["directory.published"]
            assert "Storage Blob Data Reader" in found.mend("directory.published")
            assert SYSTEM_ASSIGNED in found.mend("directory.published")
            here.world.storage.faults.clear()  # the role is given
            assert (await here.examined()).red == []

    run(scenario())


def test_a_file_that_is_named_is_looked_at_whatever_is_published(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path) as here, publishes(here.world.storage) as generations:
            await publish(generations, PUBLISHED)
            found = await here.examined(Asked(file=str(tmp_path / "agents.toml")))
            assert "directory.published" in found.open
            assert "voice_live.workshop" in found.green

    run(scenario())


def test_without_storage_the_file_is_all_there_is(tmp_path: Path) -> None:
    async def scenario() -> None:
        broken = tmp_path / "broken.toml"
        broken.write_text("agents = 1")
        async with patient(NOWHERE | {"AGENTS_FILE": str(broken)}) as one:
            known = (await informed(one)).known
            assert isinstance(known.directory, DirectoryError)
            assert known.source == "file"
        async with patient(NOWHERE, Asked(file=str(tmp_path / "none.toml"))) as one:
            missing = (await informed(one)).known.directory
            assert missing == Unread("none.toml", "No such file or directory")

    run(scenario())
