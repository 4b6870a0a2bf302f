"""Reading what contacts text back: the table of the rules word by word, the providers' tables, and
the same again under every disguise that a phone can give a word."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.consent.events import Marker
from bot.consent.known_providers import COMMON, BlockingWords
from bot.consent.replies import Blocks, Refusal, Reply, read_reply
from bot.consent.replies.keywords import ENGLISH, LANGUAGES
from bot.consent.replies.message_text import without_accents
from handlers.webhooks.providers import SPECS
from tests.support.labelled_replies import LANGUAGES as MEASURED
from tests.support.labelled_replies import half, load, load_training, skeleton

#: rules.md §5: texts | block at Twilio | refusal.
TABLE = """
STOP · \u2420stop\u2420 · Revoke · OPTOUT                                 | yes     | keyword
Stop. · "STOP" · STOP!!! · 🛑 stop                                        | unknown | keyword
stop all · opt out · remove                                               | no      | keyword
STOP PLEASE · Stop. Thank you · please take me off your list              | no      | probable
don't text me · wrong number                                              | no      | probable
Stpo · stoppp · unsubcribe                                                | no      | probable
yes please stop · STOPALL please · END. Thank you · please QUIT           | no      | probable
CANCEL CANCEL · Stop at once · take me off · stop off my list             | no      | probable
please STOPALL · STOPALL. Thank you · STOPALL now · END please            | no      | probable
STOP off my phone · STOP, STOP! · Unsubscribe, many thanks · quit at once | no      | probable
can you stop by tomorrow? · I'm at the bus stop · cancel my 3pm           | no      | none
don't stop sending these · STOP 12345                                     | no      | none
Remove me from my booking · remove me from the 3pm · wrong number of guests | no    | none
I consent · I don't get your texts anymore · third time this part broke   | no      | none
shop · step · spot                                                        | no      | none
UNSTOP · start · UNSTOP. · start!! · YES                                  | no      | none
"""
ROWS = [
    (text.replace("\u2420", " "), Blocks(block.strip()), Refusal(refusal.strip()))
    for texts, block, refusal in (line.split("|") for line in TABLE.strip().splitlines())
    for text in texts.strip().split(" · ")
]
EVERY_LANGUAGE = tuple(LANGUAGES)
#: A carrier that goes by the beginning of a text:
#: https://docs.aws.amazon.com/sms-voice/latest/userguide/keywords.html
AWS = BlockingWords(
    COMMON - {"stopall"} | {"remove", "optout", "opt-out", "arret", "td"}, beginning="stop"
)
BLOCKING = {"aws": AWS} | {name: spec.blocking_words for name, spec in SPECS.items()}
TWILIO = BLOCKING["twilio"]


def twilio(text: str, *languages: str) -> Reply:
    return read_reply(text, TWILIO, languages)


@pytest.mark.parametrize(("text", "block", "refusal"), ROWS, ids=[row[0] for row in ROWS])
@pytest.mark.parametrize("languages", [(), EVERY_LANGUAGE], ids=["English", "every language"])
def test_each_row_of_the_table_is_read_so(
    text: str, block: Blocks, refusal: Refusal, languages: tuple[str, ...]
) -> None:
    reply = read_reply(text, TWILIO, languages)

    assert (reply.refusal, reply.block) == (refusal, block)
    assert bool(reply.matched) is (refusal is not Refusal.NONE)


@pytest.mark.parametrize(
    ("text", "toll_free", "blocked", "clears"),
    [
        ("UNSTOP", False, True, True),
        ("start", True, True, True),
        (" Start\n", False, False, True),
        ("UNSTOP.", False, True, False),
        ("start!!", False, True, False),
        ("YES", False, True, True),
        ("YES", False, False, False),
        ("YES", True, True, False),
        ("yes please", False, True, False),
    ],
)
def test_only_the_bare_word_clears_a_block(
    text: str, toll_free: bool, blocked: bool, clears: bool
) -> None:
    reply = read_reply(text, TWILIO, (), toll_free=toll_free, blocked=blocked)

    assert reply.unblock is clears
    assert reply.refusal is Refusal.NONE


@pytest.mark.parametrize(
    ("provider", "toll_free", "text", "block"),
    [
        ("twilio", True, "STOP", "yes"),
        ("twilio", True, "cancel", "no"),
        ("twilio", True, "Stop.", "unknown"),
        ("aws", False, "Stop. Thank you", "yes"),
        ("aws", False, "stop by tomorrow?", "unknown"),
        ("aws", False, "stopping by tomorrow", "unknown"),
        ("aws", False, "please stop", "no"),
        ("aws", False, "ARRET", "yes"),
        ("aws", False, "arrêt", "unknown"),
        ("aws", False, "opt-out", "yes"),
        ("aws", False, "revoke", "no"),
        ("telnyx", False, "stop all", "yes"),
        ("telnyx", False, "revoke", "no"),
        ("telnyx", False, "END!", "unknown"),
        ("vonage", False, "STOP", "yes"),
        ("vonage", False, "unsubscribe", "yes"),
        ("vonage", False, "Stop.", "unknown"),
        ("vonage", False, "please stop", "no"),
        ("vonage", True, "STOP", "yes"),
        ("vonage", True, "quit", "no"),
        ("a provider without a row", False, "STOP", "unknown"),
    ],
)
def test_what_blocks_is_the_providers_own_list(
    provider: str, toll_free: bool, text: str, block: str
) -> None:
    assert read_reply(text, BLOCKING.get(provider), (), toll_free=toll_free).block == block


@pytest.mark.parametrize("provider", ["twilio", "telnyx", "aws", "vonage"])
@pytest.mark.parametrize(
    "text", ["stop by tomorrow?", "Stop by tomorrow", "stopping by tomorrow", "stop in at 5?"]
)
def test_a_text_that_only_begins_with_the_word_is_no_refusal_at_any_provider(
    provider: str, text: str
) -> None:
    assert read_reply(text, BLOCKING.get(provider), EVERY_LANGUAGE).refusal is Refusal.NONE


def test_the_providers_marker_is_believed_before_any_list() -> None:
    stop = read_reply("ALTO", TWILIO, (), marker=Marker.STOP)
    start = read_reply("please stop", TWILIO, (), marker=Marker.START)
    helped = read_reply("STOP", TWILIO, (), marker=Marker.HELP)

    assert (stop.refusal, stop.block, stop.matched) == (Refusal.KEYWORD, Blocks.YES, ("alto",))
    assert start == Reply(unblock=True)
    assert helped == Reply(help=True)


@pytest.mark.parametrize(
    ("language", "word"),
    [(code, word) for code, pack in LANGUAGES.items() for word in sorted(pack - ENGLISH)],
)
def test_a_language_is_heard_as_keywords_only_where_it_is_switched_on(
    language: str, word: str
) -> None:
    plain = without_accents(word)
    others = [code for code, pack in LANGUAGES.items() if plain not in map(without_accents, pack)]

    assert twilio(word.upper(), language).refusal is Refusal.KEYWORD
    assert twilio(word.upper(), *others).refusal is not Refusal.KEYWORD


#: rules.md §5: the bare stop words that are heard in every workspace.
BARE = """
стоп отписаться хватит | відписатися | wypisz rezygnuję | odhlásit | odhlásiť | leiratkozás állj
dezabonare oprește | спри отпиши | stani odjavi | διακοπή σταμάτα | dur iptal çık
afmelden uitschrijven | stopp avsluta avregistrera | afmeld | avmeld | lopeta peru
annulla cancella disiscrivi | baja alto parar cancelar | sair | arrêt désabonner | abmelden
退订 退訂 停止 取消 | 解除 配信停止 | 수신거부 중지 | huy dung | ยกเลิก หยุด | रोकें बंद
توقف إلغاء قف | הסר עצור | لغو | tigil itigil | berhenti batal | sispann
"""
BARE_WORDS = [word for line in BARE.strip().splitlines() for word in line.replace("|", " ").split()]
MARKS = {"توقف": "تـوَقّف\u200f", "إلغاء": "\u202bإلغـاء\u202c", "הסר": "הָסֵר", "עצור": "\u200fעֲצוֹר"}


def forms(word: str) -> list[str]:
    """The word as phones, keyboards and people vary it."""
    presentation = {"توقف": "ﺗﻮﻗﻒ", "قف": "ﻗﻒ", "עצור": "עצור"}
    return [
        word,
        word.upper(),
        word.capitalize(),
        unicodedata.normalize("NFD", word),
        without_accents(word),
        f" {word}! ",
        f"«{word}»",
        f"🛑 {word} 🙏🏽",
        f"{word}\ufffd",
        f"\u200b{word}\u200d",
        "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in word),
        MARKS.get(word, word),
        presentation.get(word, word),
    ]


@pytest.mark.parametrize("word", BARE_WORDS)
def test_a_bare_stop_word_of_any_language_is_heard_in_every_workspace(word: str) -> None:
    packs = [code for code, pack in LANGUAGES.items() if word in pack]

    assert packs
    for form in forms(word):
        assert twilio(form).refusal is Refusal.PROBABLE, form
        assert twilio(form, *packs).refusal is Refusal.KEYWORD, form
        # "baja" is no word of Twilio's; "Peru" neither.
        assert twilio(form).block is Blocks.NO, form


@pytest.mark.parametrize(
    "form", ["İPTAL", "IPTAL", "ıptal", "i̇ptal", "İptal.", "ÇIK", "CIK", "Çik"]
)
def test_turkish_letters_make_no_other_word(form: str) -> None:
    assert twilio(form).refusal is Refusal.PROBABLE
    assert twilio(form, "tr").refusal is Refusal.KEYWORD


@pytest.mark.parametrize(
    "text",
    [
        "Стоп, пожалуйста", "СТОП СТОП", "стооооп", "Stop, bedankt", "lütfen dur", "请停止",
        "停止してください", "수신 거부", "ยกเลิกค่ะ", "توقف من فضلك", "הסר בבקשה",
        "baja por favor", "Sair, obrigado", "per favore cancella", "Bitte abmelden, danke",
    ],
)  # fmt: skip
def test_courtesy_around_a_stop_word_is_no_other_text_in_any_language(text: str) -> None:
    assert twilio(text).refusal is Refusal.PROBABLE


@pytest.mark.parametrize(
    "text",
    [
        "STOP\ufffd", "\ufffdSTOP", "STOP\x00", "STOP" + chr(0xD83D), "STOP \ufffd\ufffd", "ＳＴＯＰ", "ST🅾🅿",
        "STÖP", "S\u0301TOP", "\u2066STOP\u2069",
    ],
)  # fmt: skip
def test_what_a_phone_adds_to_the_word_leaves_a_keyword_and_an_unknown_block(text: str) -> None:
    """Nobody can tell what the provider compared: the bare word, or the word with the rest."""
    reply = twilio(text)

    assert (reply.refusal, reply.block) == (Refusal.KEYWORD, Blocks.UNKNOWN)


OURS = "Acme: 20% off this weekend, ends Sunday! Reply STOP to end"
FOOTERS = [
    "Reply STOP to end", "Text STOP to 12345 to opt out.", "STOP2END", "To opt out, reply STOP",
    "Txt STOP to quit, HELP for help. Msg&data rates may apply", "Répondez STOP pour vous désabonner",
    "STOP au 36111", "Antworten Sie STOPP, um sich abzumelden", "Responde BAJA para no recibir más",
    "Responda SAIR para cancelar",
]  # fmt: skip


@pytest.mark.parametrize(
    "around",
    [
        "{said}\n> {ours}",
        "{said}\n> {ours}\n> {ours}",
        "> {ours}\n{said}",
        "{said} > {ours}",
        "{said}\n| {ours}",
        "{said}\n\nOn Mon, Nov 3, 2026 at 2:00 PM Acme <+18885550199> wrote:\n{ours}",
        "{said}\n\nAm 3. November 2026 um 14:00 schrieb Acme:\n{ours}",
        "{said}\n-----Original Message-----\nFrom: Acme\n{ours}",
        '{said} "{ours}"',
        "“{ours}” {said}",
    ],
)
@pytest.mark.parametrize(
    ("said", "refusal", "almost_unblock"),
    [
        ("Please stop", Refusal.PROBABLE, False),
        ("STOP", Refusal.KEYWORD, False),
        ("take me off your list", Refusal.PROBABLE, False),
        ("What time do you open?", Refusal.NONE, False),
        ("Thank you so much, see you then", Refusal.NONE, False),
        ("UNSTOP", Refusal.NONE, True),
    ],
)
def test_what_a_phone_quotes_of_our_message_is_no_word_of_the_contact(
    around: str, said: str, refusal: Refusal, almost_unblock: bool
) -> None:
    """The provider sees all of it, and so it blocks and clears nothing."""
    reply = twilio(around.format(said=said, ours=OURS))

    assert (reply.refusal, reply.block) == (refusal, Blocks.NO)
    assert (reply.unblock, reply.almost_unblock) == (False, almost_unblock)


@pytest.mark.parametrize("footer", FOOTERS)
def test_our_own_footer_is_cut_off(footer: str) -> None:
    assert twilio(f"Please stop\n{footer}").refusal is Refusal.PROBABLE
    assert twilio(f"What time do you open?\n{footer}").refusal is Refusal.NONE
    assert twilio(f"See you on Friday. {footer}").refusal is Refusal.NONE


def test_amazon_reads_the_beginning_of_all_that_it_saw() -> None:
    assert read_reply(f"STOP\n> {OURS}", AWS, ()).block is Blocks.YES
    assert read_reply(f"> {OURS}\nSTOP", AWS, ()).block is Blocks.NO


@pytest.mark.parametrize(
    ("reaction", "refusal"),
    [
        (f"Liked “{OURS}”", Refusal.NONE),
        (f"Disliked “{OURS}”", Refusal.NONE),
        (f"Reacted 👍 to “{OURS}”", Refusal.NONE),
        (f"A aimé « {OURS} »", Refusal.NONE),
        (f"Reacted 🛑 to “{OURS}”", Refusal.PROBABLE),
    ],
)
def test_a_reaction_says_what_its_sign_says(reaction: str, refusal: Refusal) -> None:
    assert twilio(reaction).refusal is refusal


@pytest.mark.parametrize("text", ["> STOP", "“STOP”", "| stop"])
def test_where_all_is_quoted_all_is_read(text: str) -> None:
    assert twilio(text).refusal is Refusal.KEYWORD


@pytest.mark.parametrize(
    "text",
    [
        "I replied STOP to end these and you still text me", "Reply stop to opt out does not work, remove me",
        "Leave me alone. UNSUBSCRIBE STOP", "Hi. Please STOP", "This is annoying, text stop",
    ],
)  # fmt: skip
def test_no_word_of_the_contact_is_taken_for_our_footer(text: str) -> None:
    assert twilio(text).refusal is Refusal.PROBABLE


#: Kinds that were missed once, a text or two of each in every language that is measured.
MISSED = """
STOP for the 4th time · I opted out last month · how many times do I have to say stop
leave me the hell alone · keep your deals to yourself · get the hint
how can I stop getting these · How do I make these messages stop? · what do I text to get off this list
this number belongs to somebody else now · I just got this number last week, not who you want
take me of you list · stpo textng me · dont txet me again · wrogn numbr
J'ai déjà envoyé STOP trois fois · Je me suis désabonné le mois dernier et ça continue
comment ne plus recevoir vos sms · ce numéro appartient à quelqu'un d'autre maintenant
arettez de mecrire · jveux plus de sms · desinscrivé moi · fichez-moi la paix
STOP zum vierten Mal · ich habe mich letzten Monat abgemeldet und bekomme trotzdem Werbung
wie werde ich diese Nachrichten los · diese Nummer gehört jetzt jemand anderem
bite nicht mer schreiben · kein intresse · lasst mich in Ruhe mit dem Mist
STOP por cuarta vez · me di de baja el mes pasado y siguen escribiendo
cómo hago para no recibir estos mensajes · este número ahora es de otra persona
no kiero mas mensages · kiten mi numero · ya no me molesten por favor
STOP pela quarta vez · já pedi para sair mês passado e continuam mandando
como faço para não receber mais mensagens · esse número agora é de outra pessoa
num quero mais mensagem · me tiren da lista · parem de encher o saco
"""
#: Kinds that were alarms once.
ALARMS = """
I consent · I consent to texts · third time this part broke · I don't get your texts anymore
wrong number of guests · wrong number of chairs came · the wrong number of seats is on the invoice
Remove me from my booking · please remove me from tomorrow's class · take me off the waitlist
take my name off the lease · remove us from the reservation on Friday
je donne mon accord · troisième fois que ça casse · je ne reçois plus vos sms
mauvais numéro de commande · retirez-moi du cours de demain
ich stimme zu · zum dritten Mal kaputt · ich bekomme keine Erinnerungen mehr, warum
falsche Bestellnummer, es ist die 4471 · nehmen Sie mich von der Warteliste
doy mi consentimiento · tercera vez que se rompe · ya no me llegan los recordatorios
número de pedido equivocado · sáqueme de la lista de espera
dou meu consentimento · terceira vez que quebra · não recebo mais as mensagens de vocês
número do pedido errado · me tira da lista de espera
"""


def every(texts: str) -> list[str]:
    return [text for line in texts.strip().splitlines() for text in line.split(" · ")]


@pytest.mark.parametrize("text", every(MISSED))
def test_kinds_of_refusal_that_were_missed_are_heard(text: str) -> None:
    assert twilio(text).refusal is Refusal.PROBABLE


@pytest.mark.parametrize("text", every(ALARMS))
def test_kinds_of_ordinary_texts_that_were_alarms_are_none(text: str) -> None:
    assert twilio(text).refusal is Refusal.NONE


ORDINARY = """
resubscribe · cancel it please · Yes cancel it · anmelden · Please resubscribe me
cancel my order please · stop sign · thanks · me · please
"""


@pytest.mark.parametrize("text", every(ORDINARY))
def test_fillers_make_no_opt_out_of_another_text(text: str) -> None:
    assert twilio(text, *EVERY_LANGUAGE).refusal is Refusal.NONE


def test_every_language_refuses_in_its_own_words_in_every_workspace() -> None:
    texts = [
        "Merci de ne plus m'écrire", "Bitte keine SMS mehr", "ya no me manden mensajes",
        "me tira da lista", "Lassen Sie mich in Ruhe", "número equivocado",
    ]  # fmt: skip

    assert [twilio(text).refusal for text in texts] == [Refusal.PROBABLE] * len(texts)


@pytest.mark.parametrize("text", ["HELP", "info", "Help!", "aide"])
def test_help_is_told_apart(text: str) -> None:
    reply = twilio(text, "fr")

    assert reply.help
    assert reply.refusal is Refusal.NONE


def test_the_words_that_made_it_a_refusal_are_named() -> None:
    named = twilio("Thanks for the reminder but please take me off your list, I moved").matched

    assert named == ("take me off your list",)


INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\ufe0f"
AROUND = st.text(alphabet=" .!,;:\"'…“”«»*~-()" + "🛑🙏😡👍🏽❤️✋" + INVISIBLE, max_size=6)


@st.composite
def disguised(draw: st.DrawFn) -> tuple[str, Blocks, Refusal]:
    """A row of the table in another case, with accents, invisible characters, and punctuation
    and emoji around it."""
    text, block, refusal = draw(st.sampled_from(ROWS))
    letters = []
    for letter in text:
        if draw(st.booleans()):
            letter = letter.swapcase()
        if letter.isascii() and letter.isalpha() and draw(st.integers(0, 7)) == 0:
            letter = unicodedata.normalize(
                "NFC", letter + draw(st.sampled_from("\u0301\u0308\u0302"))
            )
        if draw(st.integers(0, 7)) == 0:
            letter += draw(st.sampled_from(INVISIBLE))
        letters.append(letter)
    return draw(AROUND) + "".join(letters) + draw(AROUND), block, refusal


@given(disguised(), st.sampled_from([(), EVERY_LANGUAGE]))
def test_a_disguise_keeps_the_refusal_and_makes_the_block_at_most_unknown(
    row: tuple[str, Blocks, Refusal], languages: tuple[str, ...]
) -> None:
    text, block, refusal = row

    reply = read_reply(text, TWILIO, languages)

    assert reply.refusal is refusal
    assert reply.block is block or (block is Blocks.YES and reply.block is Blocks.UNKNOWN)


@given(st.text(max_size=200), st.sampled_from(["twilio", "telnyx", "aws", "vonage"]))
def test_any_text_is_read(text: str, provider: str) -> None:
    reply = read_reply(text, BLOCKING.get(provider), EVERY_LANGUAGE)

    assert bool(reply.matched) is (reply.refusal is not Refusal.NONE)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 10_000,
        "stop " * 2_000,
        "please do not ever send me any of these " * 250,
        "ne plus me de la liste " * 430,
        "no me quiero que nos mas " * 400,
        "! " * 5_000,
        "🙏" * 10_000,
        "\ufdfa" * 10_000,
        "e\u0301" * 5_000,
        "S T O P " * 1_250,
        "\u200b" * 10_000,
        "\n" * 10_000,
        "> " * 5_000,
        "\non wrote" * 1_000,
        "from: a\nto: b\n" * 800,
        "Reply STOP to " * 800,
        '"' * 10_000,
        "",
    ],
    ids=lambda text: repr(text[:12]),
)
def test_long_texts_and_texts_of_emoji_are_read_quickly(text: str) -> None:
    twilio("warm up")
    before = thread_time()

    twilio(text, *EVERY_LANGUAGE)

    assert thread_time() - before < 0.5


def test_a_refusal_is_found_at_both_ends_of_a_long_text() -> None:
    chat = "and then we went to the lake and it was lovely "

    assert twilio("Please stop texting me. " + chat * 300).refusal is Refusal.PROBABLE
    assert twilio(chat * 300 + " Please stop texting me.").refusal is Refusal.PROBABLE


def test_the_set_is_large_and_no_text_stands_in_both_halves() -> None:
    labelled = load()
    halves: dict[str, set[str]] = {"work": set(), "measure": set()}
    for row in labelled:
        halves[row.half].add(skeleton(row.text))

    assert len({row.text for row in labelled}) == len(labelled) >= 15_000
    for language in MEASURED:
        assert sum(row.language == language for row in labelled) >= 1_400
    assert not halves["work"] & halves["measure"]
    assert half("Stop texting me") == half("please STOP texting me!!")


def test_no_text_for_training_alone_says_what_a_labelled_text_says() -> None:
    labelled = {skeleton(row.text) for row in load()}
    training = [skeleton(text) for text, _ in load_training()]

    assert len(training) > 15_000
    assert not labelled & {*training}


def test_no_near_duplicate_of_a_measured_text_was_worked_on() -> None:
    worked = [trigrams(row.text) for row in load() if row.half == "work"]
    measured = {row.text: trigrams(row.text) for row in load() if row.half == "measure"}

    assert not list(near(measured, worked, 0.75))


def near(
    measured: Mapping[str, set[str]], worked: Sequence[set[str]], share: float
) -> Iterator[str]:
    """The texts that have this share of trigrams in common with one that was worked on."""
    common = Counter(gram for grams in [*worked, *measured.values()] for gram in grams)

    def rarest(grams: set[str]) -> list[str]:
        """Two texts that have the share in common have one of these in common."""
        return sorted(grams, key=lambda gram: (common[gram], gram))[
            : len(grams) - ceil(share * len(grams)) + 1
        ]

    having: defaultdict[str, list[set[str]]] = defaultdict(list)
    for grams in worked:
        for gram in rarest(grams):
            having[gram].append(grams)
    for text, grams in measured.items():
        if any(
            len(grams & other) >= share * len(grams | other)
            for gram in rarest(grams)
            for other in having[gram]
        ):
            yield text


def trigrams(text: str) -> set[str]:
    padded = f" {skeleton(text)} "
    return {padded[i : i + 3] for i in range(len(padded) - 2)}


def test_what_was_worked_on_is_read_well() -> None:
    for language in MEASURED:
        rows = [row for row in load() if row.half == "work" and row.language == language]
        caught = [
            twilio(r.text, *EVERY_LANGUAGE).refusal is not Refusal.NONE for r in rows if r.refusal
        ]
        alarms = [
            twilio(r.text, *EVERY_LANGUAGE).refusal is not Refusal.NONE
            for r in rows
            if not r.refusal
        ]

        assert sum(caught) / len(caught) > 0.95, language
        assert sum(alarms) / len(alarms) < 0.03, language


def test_every_english_keyword_is_one_in_every_workspace() -> None:
    assert {twilio(word).refusal for word in ENGLISH} == {Refusal.KEYWORD}
