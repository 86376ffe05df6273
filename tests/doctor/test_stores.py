import json
from pathlib import Path

import pytest

from doctor.limits import PROBE_HIDDEN_S
from simulator.identity import SYSTEM_ASSIGNED
from simulator.storage import Fault
from switchboard import clock as product_clock
from tests.doctor.stage import NOBODY, examination, ward
from tests.virtual_time import run


def test_nothing_of_the_examination_is_left_in_storage(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path) as here:
            found = await here.examined()
            assert {"queue.read", "queue.write", "records.write", "clock"} <= set(found.green)
            assert here.world.storage.messages("sessions") == []
            assert here.world.storage.blobs("records") == {}

    run(scenario())


def test_no_worker_sees_the_probe_and_if_it_cannot_be_deleted_it_is_set_aside(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with ward(tmp_path) as here:
            storage = here.world.storage
            storage.faults.append(Fault(times=100, operation="DeleteMessage", status=403))
            found = await here.examined()
            assert found.red == ["queue.write"]
            (probe,) = storage.messages("sessions")
            assert not storage.queues.queues["sessions"].visible(product_clock.wall_now())
            assert "call_id" not in json.loads(probe.text)
            assert probe.expires - probe.next_visible <= 60 - PROBE_HIDDEN_S
            storage.faults.clear()
            await here.system.settled()  # the worker's reaper polls all the while
            kept = [name for name in storage.blobs("records") if not name.startswith("dead-")]
            assert kept == []

    run(scenario())


@pytest.mark.parametrize(
    ("operation", "line", "role"),
    [
        ("PutMessage", "queue.write", "Storage Queue Data Contributor"),
        ("PeekMessages", "queue.read", "Storage Queue Data Contributor"),
        ("PutBlob", "records.write", "Storage Blob Data Contributor"),
        ("GetBlob", "records.write", "Storage Blob Data Contributor"),
    ],
)
def test_a_missing_role_on_storage_is_named(
    operation: str, line: str, role: str, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with ward(tmp_path, access="tokens") as here:
            probes = "records/doctor/*" if "Blob" in operation else "*"
            fault = Fault(times=100, operation=operation, path=probes, status=403)
            here.world.storage.faults.append(fault)
            found = await here.examined()
            assert found.red == [line]
            assert found.detail(line) == "403 AuthorizationPermissionMismatch"
            assert role in found.mend(line)
            assert SYSTEM_ASSIGNED in found.mend(line)
            here.world.storage.faults.clear()  # the role is given
            assert (await here.examined()).red == []

    run(scenario())


@pytest.mark.parametrize(
    ("setting", "lines", "make"),
    [
        ("RECORDS_CONTAINER", ["records.write"], "az storage container create --name archive"),
        ("SESSIONS_QUEUE", ["queue.read", "queue.write"], "az storage queue create --name archive"),
    ],
)
def test_a_container_or_queue_that_is_not_there_is_red_with_the_command_that_makes_it(
    setting: str, lines: list[str], make: str, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with ward(tmp_path) as here:
            found = await examination(dict(here.env) | {setting: "archive"})
            assert found.red == lines
            assert make in found.mend(lines[0])
            assert f"or set {setting} to" in found.mend(lines[0])

    run(scenario())


def test_an_account_that_cannot_be_reached_is_no_missing_role(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path, access="tokens") as here:
            nowhere = f"https://{NOBODY}/devstoreaccount1"
            found = await here.examined(STORAGE_QUEUE_ENDPOINT=nowhere)
            assert found.red == ["queue.read", "queue.write"]
            assert "no connection" in found.detail("queue.read")
            assert "Check the storage account's endpoints" in found.mend("queue.read")

    run(scenario())


@pytest.mark.parametrize(("off_s", "bad"), [(300.0, True), (-90.0, True), (20.0, False)])
def test_a_clock_that_is_off_by_more_than_tokens_allow_is_red(
    off_s: float, bad: bool, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with ward(tmp_path) as here:
            right = product_clock.wall_now
            before = product_clock.use_wall_clock(right)
            product_clock.use_wall_clock(lambda: before() + off_s)
            try:
                found = await here.examined()
            finally:
                product_clock.use_wall_clock(before)
            assert found.red == (["clock"] if bad else [])
            if bad:
                assert f"{abs(off_s):.0f} s " in found.detail("clock")
                assert "Set this machine's clock (NTP)" in found.mend("clock")
                assert (await here.examined()).red == []  # the clock is right again

    run(scenario())
