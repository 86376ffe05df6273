import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_worker.speech.spoken_forms import SAID, spoken

ENGLISH = SAID["en"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("plain", "plain"),
        ("**bold,**", "bold,"),
        ("_it_", "it"),
        ("don't", "don't"),
        ("~~old~~", "old"),
        ("`npm`", "npm"),
        ("snake_case", "snake case"),
        ("3*4", "3 times 4"),
        ("~5", "about 5"),
        ("~$20", "about $20"),
        ("#3", "number 3"),
        ("#BikeWeek", "BikeWeek"),
        ("C#", "C#"),
        ("$1,234.56", "$1,234.56"),
        ("\\*", ""),
        ("\\$5", "$5"),
        ("&amp;", "&"),
        ("AT&T", "AT&T"),
        ("Great👍🏽!", "Great!"),
        ("👩‍👩‍👧", ""),
        ("🇩🇪", ""),
        ("1️⃣", "1"),
        ("✅", ""),
        (":-)", ""),
        ("<3", ""),
        ("8)", "8)"),
        ("here.[1]", "here."),
        ("so[^2]", "so"),
        ("open【4:0†source】.", "open."),
        ("<b>yes</b>.", "yes."),
        ("one<br/>two", "one two"),
        ('<break time="10s"/>', ""),
        ("[site](https://example.com/a?b=c)", "site"),
        ("[F](https://w.org/F_(x)),", "F,"),
        ("![map](m.png)", "!map"),
        ("www.example.com.", "example dot com."),
        ("https://www.example.com/book-now/?utm=1#top", "example dot com slash book now"),
        ("(https://example.co.uk/a1/b2/c3),", "(example dot co dot uk),"),
        ("http://localhost:8080/x9", "localhost"),
        ("https://en.wikipedia.org/wiki/Foo_(bar),", "en dot wikipedia dot org,"),
        ("<https://a.io/x>", "a dot io slash x"),
        ("info.desk@my-shop.de,", "info dot desk at my-shop dot de,"),
        ("mailto:a_b@c.org", "a underscore b at c dot org"),
    ],
)
def test_a_written_word_becomes_what_a_person_says(written: str, said: str) -> None:
    assert spoken(written, ENGLISH) == said


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("de", "info at laden Punkt de"),
        ("fr", "info arobase laden point de"),
        ("es", "info arroba laden punto de"),
        ("it", "info chiocciola laden punto de"),
    ],
)
def test_signs_are_said_in_the_language_of_the_agent(language: str, said: str) -> None:
    assert spoken("info@laden.de", SAID[language]) == said


@given(
    st.text(st.characters(categories=["L"]), min_size=1, max_size=8),
    st.text("ab1.@/*_[]()<>#|`~-:é👍&;", max_size=24),
)
def test_the_letters_that_a_word_begins_with_are_always_said(letters: str, rest: str) -> None:
    word = letters + rest
    start = word.lower()
    if not any(p.startswith(letters.lower()) or start.startswith(p) for p in ("http", "www", "ma")):
        assert spoken(word, ENGLISH).startswith(letters)
