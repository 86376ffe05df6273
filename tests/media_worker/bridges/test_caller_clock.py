import base64

from media_worker.bridges.caller_clock import CallerClock

SECOND = base64.b64encode(bytes(48000))


def test_speech_is_placed_by_the_audio_sent_without_padding_and_silence() -> None:
    detection = {"prefix_padding_ms": 300, "silence_duration_ms": 700}
    clock = CallerClock(24000, detection, 420.0)
    for _ in range(2):
        clock.sent(SECOND)
    assert clock.started_ago_ms(500.0) == 1200.0
    assert clock.stopped_ago_ms(1900.0) == 800.0


def test_what_the_settings_do_not_say_has_the_services_defaults() -> None:
    clock = CallerClock(24000, {"silence_duration_ms": None}, 420.0)
    clock.sent(SECOND)
    assert clock.started_ago_ms(100.0) == 480.0
    assert clock.stopped_ago_ms(1000.0) == 500.0


def test_a_service_that_does_not_say_when_or_counts_ahead_is_taken_at_now() -> None:
    clock = CallerClock(24000, {}, 420.0)
    clock.sent(SECOND)
    assert clock.started_ago_ms(None) == 0.0
    assert clock.started_ago_ms(9e9) == 0.0


def test_a_new_connection_counts_anew() -> None:
    clock = CallerClock(16000, {}, 0.0)
    clock.sent(SECOND)
    clock.restart()
    clock.sent(SECOND)
    assert clock.started_ago_ms(0.0) == 1500.0


def test_words_are_unanswered_from_a_little_before_they_began_until_an_answer_is_made() -> None:
    clock = CallerClock(24000, {}, 0.0)
    clock.sent(SECOND)
    before = clock.unanswered_ms
    clock.started_ago_ms(700.0)
    clock.sent(SECOND)
    during = clock.unanswered_ms
    clock.answered()
    assert (before, during, clock.unanswered_ms) == (0.0, 1300.0 + 500.0, 0.0)
