"""The words by which `clauses` tells the end of a sentence from a point inside it.

A voice may speak several languages and a model answers in the caller's, so abbreviations and
sentence starters of all languages hold at once: a word too many here costs one cut, which the next
comma makes up for; a word too few cuts a name in two. Words are in lower case, without their last
point.
"""

from typing import Final

_TITLES: Final = """
mr mrs ms mx dr prof rev hon st sr gen col capt lt sgt messrs
hr fr frl dipl ing
mme mlle mgr
sra srta dña ud uds vd vds arq excmo ilmo
sig sigg sig.ra sig.na dott dott.ssa prof.ssa avv geom egr spett soc
"""
_NEVER_LAST: Final = """
vs viz approx ca circa fig figs vol vols pp ext apt dept incl excl
e.g i.e p.s cf
nr bzw ggf evtl inkl exkl zzgl abzgl vgl tel str bspw sog lt allg
z.b d.h u.a i.d.r o.ä s.o s.u
env av bd boul chap tél éd réf p.ex c.-à-d càd
p.ej ej aprox avda avd núm pág págs tfno teléf ee rr
pagg cfr p.es c.so v.le p.za
"""
_MAY_BE_LAST: Final = """
no inc ltd co corp bros etc jr esq jan feb mar apr jun jul aug sep sept oct nov dec
mon tue tues wed thu thur thurs fri sat sun ave blvd rd a.m p.m u.s u.k e.u u.s.a d.c ph.d b.a m.a
min max hrs sec mins lb lbs oz ft est para nos ch app
usw usf mrd mio std okt dez mär mrz mo di mi do sa so e.v n.chr v.chr jh abs gmbh co.kg art
mind gem mag lic ung
janv févr avr juil déc lun mer jeu ven sam dim s.a s.a.r.l
ene abr ago dic s.l ee.uu uu c.v depto dpto pta pts
giu lug set ott ecc s.p.a s.r.l a.c es pag rag gent
"""
_STARTERS: Final = """
the we i you he she it they this that these those there here what when where who why how which
is are do does did can could would will should shall may please thank thanks yes no so but and
if then now our your my let
ich wir sie er es ihr das der die dies dieser diese dieses was wann wo wer warum wie welche ist
sind haben hat können kann möchten wollen würden bitte danke ja nein wenn dann unser unsere mein
dort hier und aber
je nous vous il elle ils elles on ce cela ceci c'est quand où qui pourquoi comment quel quelle
est-ce voulez pouvez merci oui non si alors notre nos votre mais et
yo nosotros usted ustedes él ella ellos esto eso este esta qué cuándo dónde quién cómo cuál puede
quiere gracias sí si entonces nuestro nuestra pero y
io noi lei lui loro questo questa quello che quando dove chi perché come quale può vuole grazie
sì se allora nostro nostra ma
"""

NEVER_LAST: Final = frozenset(_TITLES.split()) | frozenset(_NEVER_LAST.split())
"""Something always follows: `Dr. Meier`, `e.g. tea`."""

MAY_BE_LAST: Final = frozenset(_MAY_BE_LAST.split()) - NEVER_LAST
"""The sentence may end with it; it does when a starter follows."""

STARTERS: Final = frozenset(_STARTERS.split())
"""Words that, written with a capital, begin a sentence after a point that could be anything."""

_JOINTS: Final = {
    "en": "and but or so because although while which who when if where",
    "de": "und aber oder denn sondern weil dass wenn während obwohl damit",
    "fr": "et mais ou donc car parce quand lorsque si qui dont où",
    "es": "y e pero o u porque cuando si aunque mientras donde quien",
    "it": "e ed ma o oppure perché quando se mentre dove quindi",
    "nl": "en maar of want omdat wanneer als terwijl waar",
    "pt": "e mas ou porque quando se embora enquanto onde",
}
JOINTS: Final = {language: frozenset(words.split()) for language, words in _JOINTS.items()}
"""Words before which a long clause may be cut though no comma stands there, by language."""

_ORDINAL_POINT: Final = "de da nb nn no fi cs sk pl hu sl hr sr et lv is lb"
ORDINAL_POINT: Final = frozenset(_ORDINAL_POINT.split())
"""Languages that write `XIV.` for the fourteenth."""
