"""The blob service's contract, by the real client: the simulator beside Microsoft's emulator."""

import asyncio
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import ContentSettings

from tests.simulator.conftest import Account, Play


def test_what_is_put_is_got_with_its_properties(play: Play) -> None:
    async def scenario(account: Account) -> None:
        async with account.container() as container:
            await container.create_container()
            blob = container.get_blob_client("calls/2026/ä b.json")
            settings = ContentSettings(content_type="application/json")
            put = await blob.upload_blob(
                b'{"a": 1}', content_settings=settings, metadata={"owner": "calls"}
            )
            got = await blob.download_blob()
            assert await got.readall() == b'{"a": 1}'
            assert got.properties.etag == put["etag"]
            assert got.properties.last_modified == put["last_modified"]
            properties = await blob.get_blob_properties()
            assert (properties.etag, properties.size) == (put["etag"], 8)
            assert properties.content_settings.content_type == "application/json"
            assert properties.metadata == {"owner": "calls"}

    play(scenario)


def test_of_eight_creations_one_wins(play: Play) -> None:
    async def scenario(account: Account) -> None:
        async with account.container() as container:
            await container.create_container()
            blob = container.get_blob_client("claim")
            race = [blob.upload_blob(str(n).encode()) for n in range(8)]
            results = await asyncio.gather(*race, return_exceptions=True)
            losers = [r for r in results if isinstance(r, BaseException)]
            assert len(losers) == 7
            for loser in losers:
                assert isinstance(loser, ResourceExistsError)
                assert loser.status_code == 409
                assert loser.error_code == "BlobAlreadyExists"  # type: ignore[attr-defined]

    play(scenario)


def test_a_write_with_a_stale_etag_is_refused_and_changes_nothing(play: Play) -> None:
    async def scenario(account: Account) -> None:
        async with account.container() as container:
            await container.create_container()
            blob = container.get_blob_client("record")
            first = await blob.upload_blob(b"1")
            only: dict[str, Any] = {
                "overwrite": True,
                "match_condition": MatchConditions.IfNotModified,
            }
            second = await blob.upload_blob(b"2", etag=first["etag"], **only)
            assert second["etag"] != first["etag"]
            with pytest.raises(ResourceModifiedError) as refused:
                await blob.upload_blob(b"3", etag=first["etag"], **only)
            assert refused.value.status_code == 412
            assert refused.value.error_code == "ConditionNotMet"  # type: ignore[attr-defined]
            assert await (await blob.download_blob()).readall() == b"2"
            with pytest.raises(ResourceModifiedError):
                await blob.delete_blob(
                    etag=first["etag"], match_condition=MatchConditions.IfNotModified
                )

    play(scenario)


def test_a_conditional_write_to_a_missing_blob_is_refused(play: Play) -> None:
    async def scenario(account: Account) -> None:
        async with account.container() as container:
            await container.create_container()
            with pytest.raises(HttpResponseError) as refused:
                await container.get_blob_client("missing").upload_blob(
                    b"1",
                    overwrite=True,
                    etag='"0x8D0000000000000"',
                    match_condition=MatchConditions.IfNotModified,
                )
            assert refused.value.status_code == 412

    play(scenario)


def test_a_read_can_ask_whether_anything_changed(play: Play) -> None:
    async def scenario(account: Account) -> None:
        async with account.container() as container:
            await container.create_container()
            blob = container.get_blob_client("agents.toml")
            put = await blob.upload_blob(b"1")
            unchanged = {"etag": put["etag"], "match_condition": MatchConditions.IfModified}
            with pytest.raises(HttpResponseError) as same:
                await blob.download_blob(**unchanged)
            assert same.value.status_code == 304
            await blob.upload_blob(b"2", overwrite=True)
            assert await (await blob.download_blob(**unchanged)).readall() == b"2"

    play(scenario)


def test_missing_blobs_and_containers_are_told_apart(play: Play) -> None:
    async def scenario(account: Account) -> None:
        async with account.container() as container:
            blob = container.get_blob_client("missing")
            with pytest.raises(ResourceNotFoundError) as no_container:
                await blob.upload_blob(b"1")
            assert no_container.value.error_code == "ContainerNotFound"  # type: ignore[attr-defined]
            assert not await container.exists()
            await container.create_container()
            assert await container.exists()
            with pytest.raises(ResourceExistsError):
                await container.create_container()
            with pytest.raises(ResourceNotFoundError) as no_blob:
                await blob.download_blob()
            assert no_blob.value.error_code == "BlobNotFound"  # type: ignore[attr-defined]
            with pytest.raises(ResourceNotFoundError):
                await blob.delete_blob()
            assert not await blob.exists()
            await container.delete_container()
            assert not await container.exists()

    play(scenario)


def test_a_listing_goes_by_prefix_and_by_pages(play: Play) -> None:
    async def scenario(account: Account) -> None:
        async with account.container() as container:
            await container.create_container()
            for name in ("b/2", "a/1", "a/2", "a/3"):
                await container.upload_blob(name, name.encode(), metadata={"is": name[0]})
            assert [b.name async for b in container.list_blobs()] == ["a/1", "a/2", "a/3", "b/2"]
            pages = container.list_blobs(
                name_starts_with="a/", results_per_page=2, include=["metadata"]
            ).by_page()
            found = [[b async for b in page] async for page in pages]
            assert [[b.name for b in page] for page in found] == [["a/1", "a/2"], ["a/3"]]
            assert found[0][0].size == 3
            assert found[0][0].metadata == {"is": "a"}
            properties = await container.get_blob_client("a/1").get_blob_properties()
            assert found[0][0].etag == properties.etag.strip('"')

    play(scenario)


def test_a_part_of_a_blob_and_an_empty_blob_can_be_read(play: Play) -> None:
    async def scenario(account: Account) -> None:
        async with account.container() as container:
            await container.create_container()
            whole = container.get_blob_client("whole")
            await whole.upload_blob(bytes(range(100)))
            part = await whole.download_blob(offset=10, length=5)
            assert await part.readall() == bytes(range(10, 15))
            empty = container.get_blob_client("empty")
            await empty.upload_blob(b"")
            assert await (await empty.download_blob()).readall() == b""

    play(scenario)
