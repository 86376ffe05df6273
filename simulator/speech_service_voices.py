"""Voices that simulated Speech has: some of the list in "Language and voice support"."""

_NEURAL = {
    "ar-EG": "Salma Shakir",
    "cs-CZ": "Antonin Vlasta",
    "da-DK": "Christel Jeppe",
    "de-AT": "Ingrid Jonas",
    "de-CH": "Jan Leni",
    "de-DE": "Amala Christoph Conrad FlorianMultilingual Katja Killian Klaus SeraphinaMultilingual",
    "el-GR": "Athina Nestoras",
    "en-AU": "Natasha William",
    "en-CA": "Clara Liam",
    "en-GB": "AdaMultilingual Libby Maisie OllieMultilingual Ryan Sonia Thomas",
    "en-IE": "Connor Emily",
    "en-IN": "Neerja Prabhat",
    "en-US": (
        "AdamMultilingual AlloyTurboMultilingual AmandaMultilingual Amber Ana Andrew"
        " AndrewMultilingual Aria Ashley AshTurboMultilingual Ava AvaMultilingual Brandon"
        " BrandonMultilingual Brian BrianMultilingual Christopher ChristopherMultilingual Cora"
        " CoraMultilingual Davis DavisMultilingual DerekMultilingual DustinMultilingual"
        " EchoTurboMultilingual Elizabeth Emma EmmaMultilingual Eric EvelynMultilingual"
        " FableTurboMultilingual Guy Jacob Jane Jason Jenny JennyMultilingual Kai"
        " LewisMultilingual LolaMultilingual Luna Michelle Monica Nancy NancyMultilingual"
        " NovaTurboMultilingual OnyxTurboMultilingual PhoebeMultilingual Roger RyanMultilingual"
        " SamuelMultilingual Sara SerenaMultilingual ShimmerTurboMultilingual Steffan"
        " SteffanMultilingual Tony"
    ),
    "es-ES": "Alvaro ArabellaMultilingual Elvira Ximena",
    "es-MX": "Dalia Jorge",
    "fi-FI": "Harri Noora Selma",
    "fr-CA": "Antoine Jean Sylvie",
    "fr-CH": "Ariane Fabrice",
    "fr-FR": "Denise Eloise Henri RemyMultilingual VivienneMultilingual",
    "he-IL": "Avri Hila",
    "hi-IN": "Madhur Swara",
    "hu-HU": "Noemi Tamas",
    "it-IT": "Diego Elsa GiuseppeMultilingual Isabella IsabellaMultilingual",
    "ja-JP": "Keita MasaruMultilingual Nanami",
    "ko-KR": "HyunsuMultilingual InJoon SunHi",
    "nb-NO": "Finn Iselin Pernille",
    "nl-BE": "Arnaud Dena",
    "nl-NL": "Colette Fenna Maarten",
    "pl-PL": "Agnieszka Marek Zofia",
    "pt-BR": "Antonio Francisca ThalitaMultilingual",
    "pt-PT": "Duarte Fernanda Raquel",
    "sv-SE": "Hillevi Mattias Sofie",
    "tr-TR": "Ahmet Emel",
    "uk-UA": "Ostap Polina",
    "zh-CN": "Xiaoxiao XiaoxiaoMultilingual Yunxi YunyiMultilingual",
}
_HD = {
    "de-DE": "Florian Seraphina",
    "en-US": "Adam Alloy Andrew Andrew2 Aria Ava Brian Davis Emma Emma2 Jenny Nova Phoebe Steffan",
    "es-ES": "Tristan Ximena",
    "fr-FR": "Remy Vivienne",
    "ja-JP": "Masaru Nanami",
    "zh-CN": "Xiaochen Yunfan",
}

VOICES = frozenset(
    {f"{locale}-{name}Neural" for locale, names in _NEURAL.items() for name in names.split()}
    | {f"{loc}-{name}:DragonHDLatestNeural" for loc, names in _HD.items() for name in names.split()}
)


def takes_streamed_text(voice: str) -> bool:
    """OpenAI's voices do not ("How to lower speech synthesis latency", input text streaming)."""
    openai = ("Alloy", "Ash", "Echo", "Fable", "Nova", "Onyx", "Shimmer")
    name = voice.rsplit("-", 1)[-1]
    return not any(name.startswith((f"{one}Turbo", f"{one}:")) for one in openai)
