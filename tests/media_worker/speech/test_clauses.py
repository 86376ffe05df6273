from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_worker.speech.clauses import FIRST, LATER, LONGEST, Clauses


def cut(text: str, locale: str = "en-US") -> list[str]:
    clauses = Clauses(locale)
    return clauses.push(text) + clauses.flush()


WHOLE = {
    "en-US": [
        "Dr. Meier and Mrs. Jones meet Prof. Lee",
        "It costs $1,234.56 or € 1.000,50 or £9.99 today",
        "We open at 9 a.m. on weekdays",
        "The J. R. R. Tolkien Society",
        "Bring tools, e.g. pliers",
        "That is i.e. nothing",
        "Ask Acme Inc. about it",
        "Room No. 5 is free",
        "See https://x.example/a,b?c=d.e!f now",
        "Write to info@example.com. now",
        "Pi is 3.14159 exactly",
        "Version 2.0.1 is out",
        "Well... maybe later",
        "Wait . . . what",
        "St. Mary's Blvd. 12",
        "approx. 20 minutes",
        "The U.S. Army is there",
        "Order 1, 2",
        "1. Open the lid",
        "It takes vs. what we said",
        "It is €60.00 (incl. VAT) for you",
        "Included: 1. Brakes and 2. Gears",
        "Call ext. 42",
        "We paid US$ 20 and 5 %",
        "He said Yahoo.com is fine",
        "the time is 10:30 now",
    ],
    "de-DE": [
        "Am 3. Mai um 12.30 Uhr",
        "Das sind z. B. Reifen",
        "Das sind z.B. Reifen",
        "Dr. Müller und Fr. Schmidt bzw. Hr. Weber",
        "Das kostet 1.234,56 Euro inkl. Steuer",
        "Im 21. Jahrhundert unter Ludwig XIV. war das so",
        "Gem. § 5 Abs. 3 BGB",
        "Nr. 7 und Nr. 8",
        "d. h. morgen",
        "ca. 20 km",
        "Reifen, Ketten usw. haben wir",
        "5,5 Mio. Euro",
        "Die Firma Rad u. Tat",
        "Tel. 030 1234",
        "St. Pauli gegen den 1. FC Köln",
        "So ... nun ja",
        "Siehe www.laden.de/rad, bitte",
    ],
    "fr-FR": [
        "M. Dupont et Mme. Durand",
        "Cela coûte 12,50 € env. aujourd'hui",
        "Le 14 av. Foch",
        "c.-à-d. demain",
        "p. ex. un vélo",
        "1 000 000,50 euros",
        "Voir art. 5 du code",
        "l'av. J. Jaurès",
        "Quoi !?",
        "Eh bien… voilà",
        "Le boul. St. Michel",
    ],
    "es-ES": [
        "El Sr. García y la Sra. López",
        "Cuesta 1.234,56 € aprox. hoy",
        "En EE. UU. es así",
        "p. ej. una bici",
        "Av. de la Paz núm. 5",
        "Ud. puede venir",
        "Bueno... quizás",
        "La pág. 12 del libro",
        "El Dr. D. Juan Pérez",
    ],
    "it-IT": [
        "Il Sig. Rossi e la Dott.ssa Bianchi",
        "Costa 1.234,56 € circa",
        "p. es. una bici",
        "L'ing. Verdi e l'avv. Neri",
        "Via Roma n. 5",
        "Vedi pag. 12 del libro",
        "Allora... vediamo",
        "Soc. Rossi S.p.A. di Milano",
        "ad es. domani",
    ],
}
CASES = [(locale, text) for locale, texts in WHOLE.items() for text in texts]


@pytest.mark.parametrize(("locale", "text"), CASES)
def test_no_cut_inside_an_abbreviation_a_number_an_amount_an_address_or_an_ellipsis(
    locale: str, text: str
) -> None:
    assert cut(text, locale) == [text]


@pytest.mark.parametrize(("locale", "text"), CASES)
def test_nor_when_a_sentence_stands_before_and_behind(locale: str, text: str) -> None:
    ending = text if text.endswith(("!", "?")) else f"{text}!"
    assert cut(f"Ok! {ending} Ok!", locale) == ["Ok!", ending, "Ok!"]


@pytest.mark.parametrize(
    ("locale", "text", "clauses"),
    [
        ("en-US", "Yes. We open at 5 p.m. Do you come?",
         ["Yes.", "We open at 5 p.m.", "Do you come?"]),
        ("en-US", "So am I. Then we go.", ["So am I.", "Then we go."]),
        ("en-US", "No. We do not.", ["No.", "We do not."]),
        ("en-US", "Tea, coffee, etc. What else?", ["Tea, coffee, etc.", "What else?"]),
        ("en-US", "It costs 5. We can do that.", ["It costs 5.", "We can do that."]),
        ("en-US", "He said “Stop.” She did.", ["He said “Stop.”", "She did."]),
        ("en-US", "Really?! (Yes.) Fine...  Good", ["Really?!", "(Yes.)", "Fine...", "Good"]),
        ("en-US", "One line\nanother", ["One line", "another"]),
        ("de-DE", "Bis 18 Uhr. Danach nicht.", ["Bis 18 Uhr.", "Danach nicht."]),
        ("de-DE", "Tee, Kaffee usw. Wir haben alles.",
         ["Tee, Kaffee usw.", "Wir haben alles."]),
        ("de-DE", "Er sagte: »Halt!« Sie hielt.", ["Er sagte: »Halt!«", "Sie hielt."]),
        ("fr-FR", "Bonjour ! Vous êtes prêt ? Oui.", ["Bonjour !", "Vous êtes prêt ?", "Oui."]),
        ("fr-FR", "Il dit : « Bien ! » Puis rien.", ["Il dit : « Bien ! »", "Puis rien."]),
        ("es-ES", "¡Hola! ¿Qué tal? Bien.", ["¡Hola!", "¿Qué tal?", "Bien."]),
        ("it-IT", "Certo. Perché no?", ["Certo.", "Perché no?"]),
        ("ja-JP", "こんにちは。元気ですか？はい。", ["こんにちは。", "元気ですか？", "はい。"]),
        ("zh-CN", "您好，我们九点开门，欢迎光临。", ["您好，我们九点开门，", "欢迎光临。"]),
    ],
)  # fmt: skip
def test_sentences_are_parted(locale: str, text: str, clauses: list[str]) -> None:
    assert cut(text, locale) == clauses


def test_the_first_clause_ends_at_a_comma_and_comes_before_the_sentence_is_written() -> None:
    clauses = Clauses("en-US")
    assert clauses.push("Of course I can,") == []
    assert clauses.push(" but") == ["Of course I can,"]


def test_a_comma_after_a_word_or_two_is_no_clause_yet() -> None:
    assert cut("Well, yes, I do that.") == ["Well, yes, I do that."]


@pytest.mark.parametrize(
    ("locale", "text", "first"),
    [
        ("en-US", "You can bring it here today and we repair it at once",
         "You can bring it here today"),
        ("de-DE", "Sie können es heute hierher bringen und wir reparieren es",
         "Sie können es heute hierher bringen"),
        ("fr-FR", "Vous pouvez le poser ici ce matin et nous le réparons",
         "Vous pouvez le poser ici ce matin"),
        ("es-ES", "Puede traer la bici aquí esta mañana y la reparamos",
         "Puede traer la bici aquí esta mañana"),
        ("it-IT", "Può portare la bici qui questa mattina e la ripariamo",
         "Può portare la bici qui questa mattina"),
    ],
)  # fmt: skip
def test_a_long_first_clause_without_a_comma_ends_before_a_joining_word(
    locale: str, text: str, first: str
) -> None:
    assert cut(text, locale)[0] == first


def test_a_first_clause_without_any_mark_ends_where_a_breath_would_be_due() -> None:
    clauses = Clauses("en-US")
    text = (
        "our small shop repairs almost every kind of bicycle within three working days of the week"
    )
    spoken = [clause for word in text.split() for clause in clauses.push(f" {word}")]
    assert [len(clause.split()) for clause in spoken] == [FIRST.space]


def test_later_clauses_are_longer_and_a_new_turn_begins_with_a_short_one() -> None:
    clauses = Clauses("en-US")
    text = "One two three, four five six, seven eight nine, ten eleven twelve, end"
    turns = [clauses.push(text) + clauses.flush() for _ in range(2)]
    assert turns[0] == [
        "One two three,",
        "four five six, seven eight nine, ten eleven twelve,",
        "end",
    ]
    assert turns[1] == turns[0]
    assert LATER.comma > FIRST.comma


def test_what_holds_nothing_to_speak_is_no_clause() -> None:
    assert cut(" ... — ! ") == []
    assert cut("— Well. !? Yes.") == ["— Well. !?", "Yes."]


def test_endless_text_without_a_sentence_is_cut_all_the_same() -> None:
    pieces = cut("7 " * 2000)
    assert max(map(len, pieces)) <= LONGEST + 2


PIECES = """
Hello the We you and und et but three 9 3.14 1,234.56 $ € 5 % a.m. p.m. Dr. Mr. z. B. e.g. etc. usw.
I A. U.S. No. XIV. , . ; : ! ? ... … . . – - — ( ) " “ ” « » „ ¿ ¡ https://x.y/a,b?c=d info@a.de
。 、 ？ 元気 です
"""
TEXTS = st.lists(
    st.sampled_from(PIECES.split() + [" "] * 40 + ["\n", "\t", "\u00a0"]), max_size=60
).map("".join)
LOCALES = st.sampled_from(["en-US", "de-DE", "fr-FR", "es-ES", "it-IT", "ja-JP", "xx"])


@given(TEXTS, LOCALES, st.lists(st.integers(0, 150), max_size=6))
def test_any_chunking_of_the_text_gives_the_same_clauses(
    text: str, locale: str, cuts: list[int]
) -> None:
    whole = cut(text, locale)
    for edges in ([0, *sorted(cuts), len(text)], range(len(text) + 1)):
        clauses = Clauses(locale)
        pieces = [clause for a, b in pairwise(edges) for clause in clauses.push(text[a:b])]
        assert pieces + clauses.flush() == whole


@given(TEXTS, LOCALES)
def test_no_word_is_lost_changed_or_cut(text: str, locale: str) -> None:
    clauses = cut(text, locale)
    assert all(any(sign.isalnum() for sign in clause) for clause in clauses)
    spoken = "".join("".join(clauses).split())
    written = "".join(text.split())
    assert written.startswith(spoken)
    assert not any(sign.isalnum() for sign in written[len(spoken) :])
    words = [word for word in text.split() if "。" not in word and "？" not in word]
    kept = {word for clause in clauses for word in clause.split()}
    assert {word for word in words if word.isalnum() and word.isascii()} <= kept
