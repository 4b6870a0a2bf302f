"""Reading what contacts text back: the table of the rules word by word, the providers' tables, and
the same again under every disguise that a phone can give a word."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.consent.events import Marker
from bot.consent.replies import Blocks, Refusal, Reply, read_reply
from bot.consent.replies.keywords import ENGLISH, LANGUAGES
from tests.labelled_replies import LANGUAGES as MEASURED
from tests.labelled_replies import half, load, skeleton

#: rules.md §5: texts | block at Twilio | refusal.
TABLE = """
STOP · \u2420stop\u2420 · Revoke · OPTOUT                                 | yes     | keyword
Stop. · "STOP" · STOP!!! · 🛑 stop                                        | unknown | keyword
stop all · opt out · remove                                               | no      | keyword
STOP PLEASE · Stop. Thank you · please take me off your list              | no      | probable
don't text me · wrong number                                              | no      | probable
Stpo · stoppp · unsubcribe                                                | no      | probable
yes please stop                                                           | no      | probable
can you stop by tomorrow? · I'm at the bus stop · cancel my 3pm           | no      | none
don't stop sending these · STOP 12345                                     | no      | none
shop · step · spot                                                        | no      | none
UNSTOP · start · UNSTOP. · start!! · YES                                  | no      | none
"""
ROWS = [
    (text.replace("\u2420", " "), Blocks(block.strip()), Refusal(refusal.strip()))
    for texts, block, refusal in (line.split("|") for line in TABLE.strip().splitlines())
    for text in texts.strip().split(" · ")
]
EVERY_LANGUAGE = tuple(LANGUAGES)


def twilio(text: str, *languages: str) -> Reply:
    return read_reply(text, "twilio", languages)


@pytest.mark.parametrize(("text", "block", "refusal"), ROWS, ids=[row[0] for row in ROWS])
@pytest.mark.parametrize("languages", [(), EVERY_LANGUAGE], ids=["English", "every language"])
def test_each_row_of_the_table_is_read_so(
    text: str, block: Blocks, refusal: Refusal, languages: tuple[str, ...]
) -> None:
    reply = read_reply(text, "twilio", languages)

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
    reply = read_reply(text, "twilio", (), toll_free=toll_free, blocked=blocked)

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
        ("vonage", False, "STOP", "unknown"),
        ("vonage", False, "please stop", "no"),
    ],
)
def test_what_blocks_is_the_providers_own_list(
    provider: str, toll_free: bool, text: str, block: str
) -> None:
    assert read_reply(text, provider, (), toll_free=toll_free).block == block


@pytest.mark.parametrize("provider", ["twilio", "telnyx", "aws", "vonage"])
@pytest.mark.parametrize(
    "text", ["stop by tomorrow?", "Stop by tomorrow", "stopping by tomorrow", "stop in at 5?"]
)
def test_a_text_that_only_begins_with_the_word_is_no_refusal_at_any_provider(
    provider: str, text: str
) -> None:
    assert read_reply(text, provider, EVERY_LANGUAGE).refusal is Refusal.NONE


def test_the_providers_marker_is_believed_before_any_list() -> None:
    stop = read_reply("ALTO", "twilio", (), marker=Marker.STOP)
    start = read_reply("please stop", "twilio", (), marker=Marker.START)
    helped = read_reply("STOP", "twilio", (), marker=Marker.HELP)

    assert (stop.refusal, stop.block, stop.matched) == (Refusal.KEYWORD, Blocks.YES, ("alto",))
    assert start == Reply(unblock=True)
    assert helped == Reply(help=True)


@pytest.mark.parametrize(
    ("language", "word"),
    [(code, word) for code, pack in LANGUAGES.items() for word in sorted(pack)],
)
def test_a_language_is_heard_as_keywords_only_where_it_is_switched_on(
    language: str, word: str
) -> None:
    others = [code for code in LANGUAGES if word not in LANGUAGES[code]]

    assert twilio(word.upper(), language).refusal is Refusal.KEYWORD
    assert twilio(word.upper(), *others).refusal is not Refusal.KEYWORD


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

    reply = read_reply(text, "twilio", languages)

    assert reply.refusal is refusal
    assert reply.block is block or (block is Blocks.YES and reply.block is Blocks.UNKNOWN)


@given(st.text(max_size=200), st.sampled_from(["twilio", "telnyx", "aws", "vonage"]))
def test_any_text_is_read(text: str, provider: str) -> None:
    reply = read_reply(text, provider, EVERY_LANGUAGE)

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

    assert len({row.text for row in labelled}) == len(labelled) >= 3_000
    for language in MEASURED:
        assert sum(row.language == language for row in labelled) >= 350
    assert not halves["work"] & halves["measure"]
    assert half("Stop texting me") == half("please STOP texting me!!")


def test_no_near_duplicate_of_a_measured_text_was_worked_on() -> None:
    worked = [trigrams(row.text) for row in load() if row.half == "work"]
    having: defaultdict[str, list[int]] = defaultdict(list)
    for i, grams in enumerate(worked):
        for gram in grams:
            having[gram].append(i)
    near = []
    for row in load():
        if row.half == "measure":
            grams = trigrams(row.text)
            shared = Counter(i for gram in grams for i in having[gram])
            near += [
                row.text
                for i, count in shared.items()
                if count / (len(grams) + len(worked[i]) - count) >= 0.75
            ]

    assert not near


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
