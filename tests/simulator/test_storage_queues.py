"""The queue service's contract, by the real client: the simulator beside Microsoft's emulator."""

import asyncio
import base64

import pytest
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)

from tests.simulator.conftest import Account, Play

WEEK = 7 * 24 * 3600


def _code(error: HttpResponseError) -> tuple[int | None, str]:
    return error.status_code, str(getattr(error.error_code, "value", error.error_code))  # type: ignore[attr-defined]


def test_a_hidden_message_appears_when_its_time_has_come(play: Play) -> None:
    async def scenario(account: Account) -> None:
        async with account.queue() as queue:
            await queue.create_queue()
            sent = await queue.send_message("hällo <&> wörld", visibility_timeout=2)
            assert await queue.receive_message() is None
            assert await queue.peek_messages() == []
            await asyncio.sleep(2.2)
            got = await queue.receive_message(visibility_timeout=30)
            assert got is not None
            assert (got.id, got.content, got.dequeue_count) == (sent.id, "hällo <&> wörld", 1)
            assert got.pop_receipt != sent.pop_receipt

    play(scenario)


def test_the_count_holds_hidden_messages_too(play: Play) -> None:
    async def scenario(account: Account) -> None:
        async with account.queue() as queue:
            await queue.create_queue()
            await queue.send_message("a", visibility_timeout=60)
            await queue.send_message("b")
            properties = await queue.get_queue_properties()
            assert properties.approximate_message_count == 2

    play(scenario)


def test_a_receipt_belongs_to_whoever_holds_it_until_the_message_is_received(play: Play) -> None:
    async def scenario(account: Account) -> None:
        async with account.queue() as queue:
            await queue.create_queue()
            sent = await queue.send_message("a", visibility_timeout=1)
            await asyncio.sleep(1.2)
            # Visible again, but nobody has received it: the receipt still holds.
            async with account.queue(queue.queue_name) as other:
                renewed = await other.update_message(
                    sent.id, pop_receipt=sent.pop_receipt, visibility_timeout=30
                )
                await other.delete_message(sent.id, renewed.pop_receipt)
            assert (await queue.get_queue_properties()).approximate_message_count == 0

    play(scenario)


def test_an_update_gives_a_new_receipt_and_the_old_one_is_dead(play: Play) -> None:
    async def scenario(account: Account) -> None:
        # Azure, "Delete Message" and "Update Message": 404. Azurite: 400.
        stale = (400, "PopReceiptMismatch") if account.emulator else (404, "MessageNotFound")
        async with account.queue() as queue:
            await queue.create_queue()
            sent = await queue.send_message("kept", visibility_timeout=30)
            newer = await queue.update_message(sent, visibility_timeout=30)
            assert newer.pop_receipt != sent.pop_receipt
            with pytest.raises(HttpResponseError) as refused:
                await queue.update_message(sent, visibility_timeout=30)
            assert _code(refused.value) == stale
            with pytest.raises(HttpResponseError) as refused:
                await queue.delete_message(sent)
            assert _code(refused.value) == stale
            shown = await queue.update_message(
                sent.id, pop_receipt=newer.pop_receipt, visibility_timeout=0, content="new"
            )
            got = await queue.receive_message()
            assert got is not None
            assert (got.content, got.dequeue_count) == ("new", 1)
            assert got.pop_receipt != shown.pop_receipt

    play(scenario)


def test_an_update_without_content_keeps_the_content(play: Play) -> None:
    async def scenario(account: Account) -> None:
        async with account.queue() as queue:
            await queue.create_queue()
            sent = await queue.send_message("kept", visibility_timeout=30)
            await queue.update_message(sent, visibility_timeout=0)
            peeked = await queue.peek_messages()
            assert [m.content for m in peeked] == ["kept"]
            assert peeked[0].dequeue_count == 0

    play(scenario)


def test_of_eight_racing_updates_with_one_receipt_one_wins(play: Play) -> None:
    async def scenario(account: Account) -> None:
        async with account.queue() as queue:
            await queue.create_queue()
            sent = await queue.send_message("a", visibility_timeout=30)
            race = [queue.update_message(sent, visibility_timeout=30) for _ in range(8)]
            results = await asyncio.gather(*race, return_exceptions=True)
            losers = [r for r in results if isinstance(r, BaseException)]
            assert len(losers) == 7
            assert all(isinstance(r, HttpResponseError) for r in losers)

    play(scenario)


def test_a_message_past_its_time_to_live_is_gone(play: Play) -> None:
    async def scenario(account: Account) -> None:
        async with account.queue() as queue:
            await queue.create_queue()
            sent = await queue.send_message("a", time_to_live=1)
            await asyncio.sleep(1.2)
            assert await queue.receive_message() is None
            with pytest.raises(ResourceNotFoundError) as refused:
                await queue.update_message(sent, visibility_timeout=1)
            assert _code(refused.value) == (404, "MessageNotFound")
            forever = await queue.send_message("b", time_to_live=-1)
            assert forever.expires_on is not None
            assert forever.expires_on.year == 9999

    play(scenario)


def test_a_message_cannot_be_hidden_past_its_expiry(play: Play) -> None:
    async def scenario(account: Account) -> None:
        async with account.queue() as queue:
            await queue.create_queue()
            sent = await queue.send_message("a", time_to_live=30)
            if account.emulator:  # Azurite lets it pass; Azure, "Update Message": it cannot be
                await queue.update_message(sent, visibility_timeout=60)
                return
            with pytest.raises(HttpResponseError) as refused:
                await queue.update_message(sent, visibility_timeout=60)
            assert _code(refused.value) == (400, "OutOfRangeQueryParameterValue")
            await queue.update_message(sent, visibility_timeout=30)

    play(scenario)


def test_several_messages_come_in_one_receive_and_pages_follow(play: Play) -> None:
    async def scenario(account: Account) -> None:
        async with account.queue() as queue:
            await queue.create_queue()
            for n in range(5):
                await queue.send_message(str(n))
            got = [m.content async for m in queue.receive_messages(messages_per_page=2)]
            assert sorted(got) == ["0", "1", "2", "3", "4"]
            await queue.clear_messages()
            assert (await queue.get_queue_properties()).approximate_message_count == 0

    play(scenario)


def test_a_deleted_message_cannot_be_deleted_again(play: Play) -> None:
    async def scenario(account: Account) -> None:
        async with account.queue() as queue:
            await queue.create_queue()
            sent = await queue.send_message("a")
            await queue.delete_message(sent)
            with pytest.raises(ResourceNotFoundError) as refused:
                await queue.delete_message(sent)
            assert _code(refused.value) == (404, "MessageNotFound")

    play(scenario)


def test_sizes_and_times_have_azures_limits(play: Play) -> None:
    async def scenario(account: Account) -> None:
        async with account.queue() as queue:
            await queue.create_queue()
            await queue.send_message("x" * 65_536)
            with pytest.raises(HttpResponseError) as refused:
                await queue.send_message("x" * 65_537)
            assert _code(refused.value) == (413, "RequestBodyTooLarge")
            await queue.send_message("a", visibility_timeout=WEEK, time_to_live=-1)
            refusals = [
                {"visibility_timeout": WEEK + 1, "time_to_live": -1},
                {"visibility_timeout": 60, "time_to_live": 60},
                {"visibility_timeout": -1},
                {"time_to_live": -2},
            ]
            for options in refusals:
                with pytest.raises((HttpResponseError, ValueError)) as wrong:
                    await queue.send_message("a", **options)
                if isinstance(wrong.value, HttpResponseError):
                    assert wrong.value.status_code == 400, options

    play(scenario)


def test_queues_are_created_once_and_missed_when_absent(play: Play) -> None:
    async def scenario(account: Account) -> None:
        async with account.queue() as queue:
            with pytest.raises(ResourceNotFoundError) as missing:
                await queue.send_message("a")
            assert _code(missing.value) == (404, "QueueNotFound")
            await queue.create_queue(metadata={"owner": "calls"})
            with pytest.raises(ResourceExistsError):
                await queue.create_queue(metadata={"owner": "calls"})
            with pytest.raises(ResourceExistsError) as taken:
                await queue.create_queue()
            assert _code(taken.value) == (409, "QueueAlreadyExists")
            assert (await queue.get_queue_properties()).metadata == {"owner": "calls"}
            await queue.delete_queue()
            with pytest.raises(ResourceNotFoundError):
                await queue.get_queue_properties()
        async with account.queue("ab") as short:
            with pytest.raises(HttpResponseError) as bad_name:
                await short.create_queue()
            assert _code(bad_name.value) == (400, "OutOfRangeInput")

    play(scenario)


def test_text_passes_unchanged_whatever_it_is(play: Play) -> None:
    async def scenario(account: Account) -> None:
        async with account.queue() as queue:
            await queue.create_queue()
            texts = ['{"a": "<b>&amp;</b>"}', "  spaced  ", base64.b64encode(bytes(256)).decode()]
            for text in texts:
                await queue.send_message(text)
            got = [m.content async for m in queue.receive_messages()]
            assert sorted(got) == sorted(texts)

    play(scenario)
