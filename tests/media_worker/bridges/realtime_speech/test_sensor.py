import base64
import random

from media_worker.bridges import SpeechStarted, SpeechStopped
from media_worker.bridges.realtime_speech.sensor import LevelSensor
from switchboard.speech_voice import BargeIn

_NOISE = random.Random(1)


def frame(amplitude: int) -> bytes:
    samples = (_NOISE.randint(-amplitude, amplitude) for _ in range(480))
    return b"".join(value.to_bytes(2, "little", signed=True) for value in samples)


def heard(sensor: LevelSensor, *frames: bytes) -> list[SpeechStarted | SpeechStopped]:
    events = [sensor.hear(base64.b64encode(pcm)) for pcm in frames]
    return [event for event in events if event is not None]


def test_a_loud_caller_begins_and_ends_without_a_name() -> None:
    sensor = LevelSensor(BargeIn("both"), 24000, lambda: 0.0)
    events = heard(sensor, *[bytes(960)] * 30, *[frame(8000)] * 15, *[bytes(960)] * 30)
    assert [type(event) for event in events] == [SpeechStarted, SpeechStopped]
    assert {event.utterance for event in events} == {""}


def test_the_services_sensor_leaves_ours_idle() -> None:
    sensor = LevelSensor(BargeIn("service"), 24000, lambda: 0.0)
    assert heard(sensor, *[bytes(960)] * 30, *[frame(8000)] * 15) == []


def test_the_agents_own_echo_is_not_the_caller_until_the_agent_is_silenced() -> None:
    now = [0.0]
    sensor = LevelSensor(BargeIn("rms"), 24000, lambda: now[0])
    sensor.played(frame(12000) * 250)  # five seconds

    def listen(amplitude: int, frames: int) -> list[SpeechStarted | SpeechStopped]:
        events = []
        for _ in range(frames):
            now[0] += 0.02
            events += heard(sensor, frame(amplitude))
        return events

    assert listen(6000, 50) == []
    sensor.silenced()
    now[0] += 1.0
    listen(0, 60)
    assert [type(event) for event in listen(6000, 20)] == [SpeechStarted]
