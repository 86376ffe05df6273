from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from media_worker.speech.speakable import HELD_LONGEST, WORD_LONGEST, Speakable


def say(text: str, locale: str = "en-US") -> str:
    speakable = Speakable(locale)
    return speakable.push(text) + speakable.flush()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Hello, **dear** _caller_!", "Hello, dear caller!"),
        ("# Opening hours\nWe open at nine.", "Opening hours. We open at nine."),
        ("We have:\n- tea\n- *green* coffee\n", "We have: tea. green coffee."),
        ("Choose\n\n1. red\n2) blue", "Choose. 1. red. 2. blue."),
        ("- [x] done\n- [ ] open", "done. open."),
        ("First line\nsecond line", "First line second line"),
        ("One part\n\nAnother", "One part. Another"),
        ("Look:\n\n> quoted", "Look: quoted"),
        ("above\n---\nbelow", "above. below"),
        ("Ask [our team](https://x.com/t \"the team\") now", "Ask our team now"),
        ("See [the page][ref] or so", "See the page or so"),
        ("Wait <break time=\"5s\" /> here", "Wait here"),
        ("if a < b then 2 * 3 is six", "if a < b then 2 times 3 is six"),
        ("| Day | Hours |\n|---|:-:|\n| Mon | 9–17 |\n|Tue|closed|",
         "Day, Hours. Mon, 9–17. Tue, closed."),
        ("Great 🎉 ! 🚲", "Great!"),
        ("Use:\n```python\nprint('<x>')\n\nx\n```\nDone.",
         "Use: There is some code here that I can't read out. Done."),
        ("Run `make all` now", "Run make all now"),
        ("", ""),
        (" \n\n ", ""),
    ],
)  # fmt: skip
def test_what_is_written_becomes_what_is_said(written: str, said: str) -> None:
    assert say(written).strip() == said


@pytest.mark.parametrize("locale", ["en-GB", "de-AT", "fr-FR", "es-MX", "it-IT"])
def test_code_is_never_read_out_and_its_omission_is_said_in_the_agents_language(
    locale: str,
) -> None:
    said = say("```\nsecret_code()\n```", locale)
    assert "secret" not in said
    assert len(said.split()) > 5
    assert (said == say("```\nsecret_code()\n```", "en-US")) == (locale == "en-GB")


def test_a_language_without_words_of_its_own_uses_english() -> None:
    assert say("a@b.fi", "fi-FI") == "a at b dot fi"


def test_the_letters_of_a_word_are_said_before_the_word_is_over() -> None:
    speakable = Speakable()
    assert [speakable.push(delta) for delta in ("Hel", "lo", " the", "re")] == [
        "Hel",
        "lo",
        " the",
        "re",
    ]


def test_what_may_still_change_is_held() -> None:
    speakable = Speakable()
    assert speakable.push("Visit http") == "Visit"
    assert speakable.push("s://exam") == ""
    assert speakable.push("ple.com/a?b") == ""
    assert speakable.push("=c now") == " example dot com slash a now"


def test_a_tag_that_never_ends_is_said_and_holds_up_nothing_for_long() -> None:
    assert say("so a<b is true\nand more") == "so a<b is true and more"
    speakable = Speakable()
    said = "".join(speakable.push(f"a<b {n} ") for n in range(2 * HELD_LONGEST))
    assert len(said) > HELD_LONGEST


def test_chinese_and_japanese_are_said_from_mark_to_mark_and_get_no_spaces() -> None:
    speakable = Speakable("zh-CN")
    assert speakable.push("您好，我") == "您好，我"
    assert speakable.push("们**九点**开门。") == "们九点开门。"
    assert say("「はい。」と言う", "ja-JP") == "「はい。」と言う"


def test_a_word_without_an_end_is_said_in_pieces_and_takes_no_time() -> None:
    for piece in ("a", "a_", "a.", "1", "あ", "【", "<a", "](", "www."):
        speakable = Speakable()
        text = piece * (8000 // len(piece))
        said = "".join(speakable.push(text[at : at + 4]) for at in range(0, len(text), 4))
        assert len(speakable.flush()) <= WORD_LONGEST + 1
        assert said or piece == "]("


def test_code_without_an_end_is_left_out() -> None:
    assert "x = 1" not in say("Look:\n```\nx = 1\ny = 2")


def test_a_new_turn_starts_afresh() -> None:
    speakable = Speakable()
    speakable.push("```\ncode")
    speakable.flush()
    assert speakable.push("Hello there ") + speakable.flush() == "Hello there"


PIECES = """
Hello the we http https:// www. example .com / ? mail mailto: info @ b.de * ** _ ` ``` ~~~ [ ] ]( )
( < > <b </b> <br/> | --- # ## - 1. 2) 3 , . ! ... … 🎉 👩‍👧 【 】 & &amp; \\ :) x=1 ~5 #4 é
您好 ， 。 」
"""
MARKDOWN = st.lists(
    st.sampled_from(PIECES.split() + [" "] * 20 + ["\n", "\n\n", "\t"] * 3),
    max_size=40,
).map("".join)


@given(MARKDOWN, st.data())
@example("see [a](b c) <i j> d", None)
@example("a <b ](。", None)
@example("](。", None)
def test_any_chunking_of_the_text_is_said_the_same(text: str, data: st.DataObject | None) -> None:
    whole = say(text)
    assert "".join(map(str, _pushed(text, range(len(text))))) == whole
    if data is not None:
        cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=6))
        assert "".join(_pushed(text, sorted(cuts))) == whole


def _pushed(text: str, cuts: "range | list[int]") -> list[str]:
    speakable = Speakable()
    edges = [0, *cuts, len(text)]
    said = [speakable.push(text[a:b]) for a, b in pairwise(edges)]
    return [*said, speakable.flush()]


@given(MARKDOWN)
def test_no_markup_pictures_or_code_fences_are_said(text: str) -> None:
    said = say(text)
    assert not set(said) & set("*`|🎉👩")
    assert "](" not in said
    assert "\n" not in said
