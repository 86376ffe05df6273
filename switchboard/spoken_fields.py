"""What every agent has, whatever bridge it lives on: its fixed words, and how long a call lasts."""

from switchboard.agents import Silence, VoiceLiveAgent
from switchboard.shapes import Field, Flag, ListOf, Number, Table, Text

_SILENCE_DEFAULT = Silence()
_DEFAULT = VoiceLiveAgent(name="")
SENTENCE = Text(max_length=1000)
_SILENCE = Table(
    {
        "prompt_after_s": Field(
            Number(1, 120),
            "Seconds of silence before each prompt, and once more before the goodbye.",
            default=_SILENCE_DEFAULT.prompt_after_s,
        ),
        "prompts": Field(
            ListOf(SENTENCE, 10),
            "What the agent says to a silent caller, one after the other. [] turns this off.",
            default=list(_SILENCE_DEFAULT.prompts),
        ),
        "goodbye": Field(
            SENTENCE,
            "What it says after the last prompt, before hanging up.",
            default=_SILENCE_DEFAULT.goodbye,
        ),
    }
)
SPOKEN = {
    "greeting": Field(
        SENTENCE, "Spoken first, word for word. Left out: the agent waits for the caller."
    ),
    "silence": Field(_SILENCE, "What happens while the caller says nothing."),
    "goodbye": Field(SENTENCE, "Spoken when max_call_minutes are over.", default=_DEFAULT.goodbye),
    "apology": Field(
        Text(max_length=400),  # the longest text that Call Automation's Play speaks
        "Spoken when the agent cannot speak, before the transfer or the end.",
        default=_DEFAULT.apology,
    ),
    "max_call_minutes": Field(
        Number(0.1, 60), "The longest call.", default=_DEFAULT.max_call_minutes
    ),
    "transcript": Field(
        Flag(), "Whether the record of a call keeps what was said.", default=_DEFAULT.transcript
    ),
}
