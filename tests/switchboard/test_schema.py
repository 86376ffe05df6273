import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from switchboard.agents_file import DOCUMENT
from switchboard.checks import check, fits
from switchboard.schema import schema_text
from switchboard.shapes import (
    Anything,
    Either,
    Flag,
    ListOf,
    MapOf,
    Number,
    Shape,
    Table,
    Tagged,
    Text,
)

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads(schema_text())


def _pattern(_: object, pattern: str, value: object, __: object) -> Iterator[Any]:
    # JSON Schema has ECMA-262's $, which never matches before a final line break; Python's does
    if isinstance(value, str) and not fits(pattern, value):
        yield jsonschema.ValidationError(f"{value!r} does not match {pattern!r}")


_Validator: Any = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    jsonschema.Draft7Validator, {"pattern": _pattern}
)
VALIDATOR = _Validator(SCHEMA)


def _agrees(document: object) -> bool:
    """Whether the document is accepted, having asserted that both say the same."""
    problems = list(check(DOCUMENT, document))
    accepted: bool = VALIDATOR.is_valid(document)
    assert accepted == (not problems), problems or list(VALIDATOR.iter_errors(document))
    return accepted


def test_the_committed_schema_is_the_generated_one() -> None:
    assert (ROOT / "switchboard" / "agents.schema.json").read_text("utf-8") == schema_text()


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)


def test_the_example_file_names_its_schema_and_fits_it() -> None:
    text = (ROOT / "agents.toml").read_text("utf-8")
    assert text.startswith("#:schema ./switchboard/agents.schema.json\n")
    assert _agrees(tomllib.loads(text))


# Each line is one agent, with the numbers around it made up by `_document`.
GOOD = [
    'model = "gpt-realtime"',
    'model = "gpt-5.1"\ninstructions = "Be kind."\ntemperature = 0.7',
    'project = "p"\nagent = "a"',
    'project = "p"\nagent = "a"\nversion = "3"',
    'project = "p"\nagent = "a"\nversion = 3',
    'model = "m"\nvoice = "alloy"',
    'model = "m"\nvoice = "en-US-Ava:DragonHDLatestNeural"',
    'model = "azure-realtime"\nvoice = "ava"',
    'model = "azure-realtime"\nvoice = { type = "azure-realtime-native" }',
    'model = "m"\nvoice = { type = "openai", name = "cedar" }',
    'model = "m"\nvoice = { type = "azure-standard", name = "x", rate = 1.1, pitch = "+2st" }',
    'model = "m"\nvoice = { type = "azure-custom", name = "x", endpoint_id = "y", rate = "+10%" }',
    'model = "m"\nvoice = { type = "azure-personal", name = "x", model = "MAI-Voice-1" }',
    'model = "m"\nturn_detection = "server_vad"',
    'model = "m"\nturn_detection = { silence_duration_ms = 700, remove_filler_words = true }',
    'model = "m"\nturn_detection = { type = "server_vad", threshold = 1, speech_duration_ms = 80 }',
    'model = "gpt-realtime-mini"\nturn_detection = { type = "semantic_vad", eagerness = "low" }',
    'model = "m"\nturn_detection.end_of_utterance_detection.model = "semantic_detection_v1"',
    'model = "m"\nnoise_reduction = false\necho_cancellation = false\ntranscription = false',
    'model = "gpt-realtime"\nnoise_reduction = "near_field"',
    'model = "gpt-realtime"\ntranscription = "whisper-1"',
    'model = "m"\ntranscription = { language = "en,zh", phrase_list = ["Contoso"] }',
    'model = "m"\ntranscription = "mai-transcribe-2"',
    'model = "m"\nsession = { tools = [{ type = "mcp", n = [1, 2.5, true, "x"] }] }',
    'model = "m"\nsilence = { prompt_after_s = 5, prompts = [] }',
    'model = "m"\nmax_call_minutes = 60\ntranscript = false\nheard_truth = "service"',
    *(
        f'bridge = "realtime_speech"\n{agent}'
        for agent in (
            'voice = "en-US-AvaMultilingualNeural"',
            'voice = "zh-CN-henan-YundengNeural"\nmodel = "m"\ninstructions = "Be kind."',
            'voice = "en-US-Ava:DragonHDLatestNeural"\nspeaking = "stream"\nwaiting = []',
            'voice = { name = "de-DE-KatjaNeural", locale = "de-DE", style = "chat" }',
            'voice = { name = "en-US-AvaNeural", style = "chat", style_degree = 0.01 }',
            'voice = { name = "en-US-AvaNeural", rate = 1.1, pitch = "+2st", volume = "loud" }',
            'voice = { name = "Us", endpoint_id = "0f3c7c5b-8f2e-4d67-8a38-6e7d5c1b2a90" }',
            'voice = { name = "en-US-AvaNeural", lexicon_url = "https://example.com/l.xml" }',
            'voice = "en-US-AvaNeural"\nfallback_voice = "en-US-GuyNeural"',
            'voice = "en-US-AvaNeural"\nturn_detection = { silence_duration_ms = 300 }',
            'voice = "en-US-AvaNeural"\nturn_detection.type = "semantic_vad"',
            'voice = "en-US-AvaNeural"\nnoise_reduction = false\ntranscription = false',
            'voice = "en-US-AvaNeural"\ntranscription = { model = "m", language = "en" }',
            'voice = "en-US-AvaNeural"\nbarge_in = { sensor = "rms", threshold_dbfs = -40.5 }',
            'voice = "en-US-AvaNeural"\nbarge_in = { adaptive_noise_floor = true }',
        )
    ),
]
BAD = [
    "",
    'instructions = "x"',
    'model = "m"\nproject = "p"\nagent = "a"',
    'project = "p"',
    'agent = "a"',
    'project = "p"\nagent = "a"\ninstructions = "x"',
    'project = "p"\nagent = "a"\ntemperature = 0.5',
    'project = "p"\nagent = "a"\nsession = { instructions = "x" }',
    'project = "p"\nagent = "a"\nversion = 3.5',
    'model = "m"\ntemperature = 2',
    'model = "m"\ntemperature = "0.5"',
    'model = "m"\ntemperature = true',
    'model = ""',
    'model = " "',
    'model = "a b"',
    'model = "m"\nvoice = "aloy"',
    'model = "m"\nvoice = "ava"',
    'model = "gpt-realtime"\nvoice = { type = "azure-realtime-native", name = "ava" }',
    'model = "m"\nvoice = { name = "alloy" }',
    'model = "m"\nvoice = { type = "openai", name = "ava" }',
    'model = "m"\nvoice = { type = "openai", name = "alloy", rate = "1" }',
    'model = "m"\nvoice = { type = "azure-standard" }',
    'model = "m"\nvoice = { type = "azure-standard", name = "x", rate = 3 }',
    'model = "m"\nvoice = { type = "azure-standard", name = "x", rate = "quickly" }',
    'model = "m"\nvoice = { type = "azure-standard", name = "x", endpoint_id = "y" }',
    'model = "m"\nvoice = { type = "azure-custom", name = "x" }',
    'model = "m"\nvoice = { type = "azure-personal", name = "x" }',
    'model = "m"\nvoice = ["alloy"]',
    'model = "m"\nturn_detection = "semantic_vad"',
    'project = "p"\nagent = "a"\nturn_detection = { type = "semantic_vad" }',
    'model = "m"\nturn_detection = "vad"',
    'model = "m"\nturn_detection = { auto_truncate = true }',
    'model = "m"\nturn_detection = { type = "server_vad", remove_filler_words = true }',
    'model = "m"\nturn_detection = { type = "azure_semantic_vad_en", languages = ["en"] }',
    'model = "m"\nturn_detection = { silence_duration_ms = 1.5 }',
    'model = "m"\nturn_detection = { threshold = 1.01 }',
    'model = "m"\nturn_detection = { end_of_utterance_detection = { timeout_ms = 5 } }',
    'model = "m"\nnoise_reduction = "far_field"',
    'model = "m"\nnoise_reduction = { type = "near_field" }',
    'model = "m"\necho_cancellation = { type = "server_echo_cancellation", channels = 2 }',
    'model = "m"\ntranscription = "whisper-1"',
    'model = "gpt-realtime"\ntranscription = { model = "azure-speech" }',
    'model = "gpt-realtime"\ntranscription = { language = "english!" }',
    'model = "m"\nsession = { input_audio_format = "pcm16" }',
    'model = "m"\nsession = "raw"',
    'model = "m"\nsilence = { prompts = "hello" }',
    'model = "m"\nsilence = { prompts = [""] }',
    'model = "m"\nsilence = { promts = ["x"] }',
    'model = "m"\nmax_call_minutes = 61',
    'model = "m"\nheard_truth = "guess"',
    'model = "m"\ngreeting = 3',
    'model = "m"\ngreetings = "x"',
    *(
        f'bridge = "realtime_speech"\n{agent}'
        for agent in (
            'model = "m"',
            'voice = "alloy"',
            'voice = "en-US-Ava"',
            'voice = { name = "Ours" }',
            'voice = { style = "chat" }',
            'voice = { name = "en-US-AvaNeural", endpoint_id = "ours" }',
            'voice = { name = "en-US-AvaNeural", locale = "English" }',
            'voice = { name = "en-US-AvaNeural", style = "ch<at" }',
            'voice = { name = "en-US-AvaNeural", style_degree = 1 }',
            'voice = { name = "en-US-AvaNeural", style = "chat", style_degree = 0 }',
            'voice = { name = "en-US-AvaNeural", style = "chat", style_degree = 2.1 }',
            'voice = { name = "en-US-AvaNeural", rate = "quickly" }',
            'voice = { name = "en-US-AvaNeural", pitch = 2 }',
            'voice = { name = "en-US-AvaNeural", lexicon_url = "http://example.com/l.xml" }',
            'voice = { name = "en-US-AvaNeural", rate = "fast" }\nspeaking = "stream"',
            'voice = "en-US-AvaNeural"\nmodel = ""',
            'voice = "en-US-AvaNeural"\nturn_detection = "azure_semantic_vad"',
            'voice = "en-US-AvaNeural"\nturn_detection = { create_response = true }',
            'voice = "en-US-AvaNeural"\nturn_detection = { eagerness = "low" }',
            'voice = "en-US-AvaNeural"\nnoise_reduction = "azure_deep_noise_suppression"',
            'voice = "en-US-AvaNeural"\ntranscription = { language = "en" }',
            'voice = "en-US-AvaNeural"\nbarge_in = { sensor = "ears" }',
            'voice = "en-US-AvaNeural"\nbarge_in = { threshold_dbfs = 3 }',
            'voice = "en-US-AvaNeural"\nbarge_in = { minimum_speech_ms = 12.5 }',
            'voice = "en-US-AvaNeural"\nheard_truth = "truncate"',
            'voice = "en-US-AvaNeural"\nsession = {}',
        )
    ),
]


def _document(agent: str) -> dict[str, Any]:
    bridge = "" if "bridge =" in agent else 'bridge = "voice_live"\n'
    return tomllib.loads(f'[agents.a]\n{bridge}{agent}\n[numbers]\n"+15550100001" = "a"\n')


@pytest.mark.parametrize("agent", GOOD)
def test_parser_and_schema_both_accept(agent: str) -> None:
    assert _agrees(_document(agent))


@pytest.mark.parametrize("agent", BAD)
def test_parser_and_schema_both_refuse(agent: str) -> None:
    assert not _agrees(_document(agent))


@pytest.mark.parametrize(
    "document",
    [
        "",
        "agents = 1",
        "[agents]",
        'region = "us"',
        "[agents.a]",
        '[agents.a]\nmodel = "m"\n[numbers]\n"+1" = "a"',
        '[agents."two words"]\nbridge = "voice_live"\nmodel = "m"\n[numbers]\n"+1" = "two words"',
        '[agents.a]\nbridge = "voice_live"\nmodel = "m"',
        '[agents.a]\nbridge = "voice_live"\nmodel = "m"\n[numbers]\n"+1" = 5',
        '[agents.a]\nbridge = "voice_live"\nmodel = "m"\n[numbers]\n"+1" = {}',
        '[agents.a]\nbridge = "voice_live"\nmodel = "m"\n[numbers]\n"" = "a"',
    ],
)
def test_parser_and_schema_both_refuse_the_file(document: str) -> None:
    assert not _agrees(tomllib.loads(document))


_OTHERS: st.SearchStrategy[Any] = st.sampled_from(
    ["", " ", "x", "a b", "9", "alloy\n", 0, 1, -1, 2.5, 1e300, True, [], {}, ["x"], {"x": 1}]
)


def _values(shape: Shape, key: str = "") -> st.SearchStrategy[Any]:
    """Values that mostly fit `shape`."""
    match shape:
        case Text(choices, pattern, _, max_length):
            fitting = [st.sampled_from(choices)] if choices else []
            if pattern and len(pattern) < 80:
                fitting.append(st.from_regex(pattern, fullmatch=True))
            limits = st.sampled_from(["x" * max_length, "x" * (max_length + 1), "aloy"])
            usual = st.one_of(*fitting or [st.sampled_from(["x", "some words", "ü\n"])])
            return _seldom(limits, usual)
        case Number(minimum, maximum):
            beyond = st.floats(minimum - 1, maximum + 1)
            within = st.sampled_from([minimum, maximum]) | st.floats(minimum, maximum).map(round)
            return _seldom(beyond, within)
        case Flag():
            return st.booleans()
        case ListOf(item):
            return st.lists(_mostly(item), max_size=3)
        case MapOf(name, value):
            names = _seldom(_values(name), st.sampled_from(["a", "b"]))
            return st.dictionaries(names, _mostly(value), min_size=1, max_size=2)
        case Anything():
            return _OTHERS
        case Table():
            return _tables(shape)
        case Tagged(tag, cases):
            return st.sampled_from(sorted(cases)).flatmap(
                lambda kind: _tables(cases[kind], {tag: kind})
            )
        case Either(shapes):
            return st.one_of([_values(candidate) for candidate in shapes])


def _seldom(odd: st.SearchStrategy[Any], usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 15).flatmap(lambda n: odd if n == 15 else usual)


def _mostly(shape: Shape) -> st.SearchStrategy[Any]:
    return _seldom(_OTHERS, _values(shape))


@st.composite
def _tables(draw: st.DrawFn, shape: Table, tagged: Mapping[str, str] | None = None) -> Any:
    optional = [name for name, known in shape.fields.items() if not known.required]
    names = [name for name, known in shape.fields.items() if known.required]
    names += draw(st.lists(st.sampled_from(optional), unique=True, max_size=4)) if optional else []
    if (
        tagged and "project" in shape.fields and draw(st.integers(0, 7))
    ):  # mostly one mode or the other
        odd = ("model", "project", "agent", "version", "instructions", "temperature", "session")
        names = [name for name in names if name not in odd]
        names += draw(st.sampled_from([["model"], ["model", *odd[4:]], ["project", "agent"]]))
    table = {name: draw(_mostly(shape.fields[name].shape)) for name in names} | dict(tagged or {})
    if tagged and "model" in table and draw(st.booleans()):
        table["model"] = draw(st.sampled_from(["gpt-realtime-2.1", "azure-realtime", "gpt-5.1"]))
    if draw(st.integers(0, 15)) == 15 and table:
        table.pop(draw(st.sampled_from(sorted(table))))
    if draw(st.integers(0, 15)) == 15:
        table[draw(st.sampled_from(["unknown", "nme", "typ", "auto_truncate"]))] = draw(_OTHERS)
    return table


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(_tables(DOCUMENT))
def test_parser_and_schema_agree_on_any_document(document: Any) -> None:
    _agrees(document)


AGENT_SHAPE = DOCUMENT.fields["agents"].shape


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(_values(AGENT_SHAPE))
def test_parser_and_schema_agree_on_any_agent(agents: Any) -> None:
    _agrees({"agents": agents, "default_agent": "a"})
