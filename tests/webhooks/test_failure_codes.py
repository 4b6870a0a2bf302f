"""The tables of delivery errors: every published code has a row, and every row its own sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

import pytest

from bot.consent.events import Event, Failure
from bot.consent.model import Channel
from handlers.webhooks.error_codes import Codes, Meaning, at_most_soft, by_mail
from handlers.webhooks.providers import SPECS
from handlers.webhooks.providers.postmark import Postmark
from handlers.webhooks.providers.telnyx.codes import CODES as TELNYX
from handlers.webhooks.providers.twilio.codes import CODES as TWILIO
from handlers.webhooks.providers.vonage.codes import MESSAGES, RECEIPTS
from tests.support.mailgun_requests import EVENT as MAILGUN_EVENT
from tests.support.mailgun_requests import NOW
from tests.support.mailgun_requests import provider as mailgun
from tests.support.mailgun_requests import signed as mailgun_signed
from tests.support.postmark_requests import BOUNCE as POSTMARK_BOUNCE
from tests.support.postmark_requests import PATH as POSTMARK
from tests.support.resend_requests import about as resend_about
from tests.support.resend_requests import provider as resend
from tests.support.sendgrid_requests import EVENT as SENDGRID_EVENT
from tests.support.sendgrid_requests import PATH as SENDGRID
from tests.support.sendgrid_requests import provider as sendgrid
from tests.support.ses_requests import ses
from tests.support.ses_requests import told as ses_told
from tests.support.webhooks_fixtures import posted

TABLES: Mapping[str, Codes] = {
    "twilio": TWILIO,
    "telnyx": TELNYX,
    "vonage messages": MESSAGES,
    "vonage receipts": RECEIPTS,
}
#: What each provider publishes for messages.
PUBLISHED: Mapping[str, str] = {
    # https://www.twilio.com/docs/api/errors
    "twilio": (
        "11200 11205 11210 11215 11220 11237 11750 11751 12300 14101 14102 14103 14104 14105 14106 "
        "14107 14108 14109 14110 14111 20003 20429 21211 21212 21214 21217 21408 21601 21602 21603 "
        "21604 21605 21606 21607 21608 21609 21610 21611 21612 21614 21616 21617 21618 21619 21620 "
        "21621 21622 21623 21624 21626 21627 21635 21652 21653 21654 21655 21656 21657 21659 21660 "
        "21701 21702 21703 21704 21705 21709 21710 21712 21713 21714 21715 21717 21719 21720 21900 "
        "21901 21910 30001 30002 30003 30004 30005 30006 30007 30008 30009 30010 30011 30012 30013 "
        "30014 30015 30016 30017 30018 30019 30020 30021 30022 30023 30024 30026 30027 30028 30029 "
        "30030 30031 30032 30033 30034 30035 30036 30037 30038 30039 30040 30042 30100 30102 30103 "
        "30104 30105 30106 30107 30108 30109 30110 30111 30112 30113 30114 30115 30116 30117 30118 "
        "30119 30120 30121 30122 30123 30124 30125 30127 30128 30129 30130 30131 30132 30133 30400 "
        "30404 30409 30410 30440 30441 30442 30443 30444 30445 30446 30447 30448 30449 30450 30453 "
        "30500 35111 35112 35113 35114 35115 35116 35118 35119 35120 35121 35125 35126 63001 63002 "
        "63003 63005 63006 63007 63008 63009 63010 63011 63012 63013 63014 63015 63016 63017 63018 "
        "63019 63020 63021 63022 63023 63024 63025 63026 63027 63028 63029 63030 63031 63032 63033 "
        "63034 63035 63036 63037 63038 63039 63040 63041 92001 92002 92003 92004 92005 92006 92007 "
        "92008"
    ),
    # https://developers.telnyx.com/docs/messaging/messages/error-codes
    "telnyx": (
        "40001 40002 40003 40004 40005 40006 40008 40009 40010 40011 40012 40013 40014 40015 40016 "
        "40017 40018 40019 40020 40100 40150 40151 40155 40300 40301 40302 40304 40305 40306 40307 "
        "40308 40309 40310 40311 40312 40313 40314 40315 40316 40317 40318 40319 40320 40321 40322 "
        "40323 40325 40328 40329 40330 40331 40333"
    ),
    # https://developer.vonage.com/en/api-errors/messages
    "vonage messages": (
        "1000 1010 1020 1021 1022 1030 1040 1050 1060 1070 1080 1090 1100 1110 1120 1130 1140 1150 "
        "1160 1170 1180 1190 1200 1210 1220 1230 1240 1241 1250 1260 1270 1280 1290 1300 1310 1320 "
        "1330 1340 1350 1360 1370"
    ),
    # https://developer.vonage.com/en/messaging/sms/guides/delivery-receipts
    "vonage receipts": "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 50 51 52 53 54 99",
}


def test_every_sms_provider_has_its_table_here():
    sms = {name for name, spec in SPECS.items() if spec.channel is Channel.SMS}
    with_table = {name.partition(" ")[0] for name in TABLES}

    assert sms - with_table == set(), "add its CODES to TABLES, and what it publishes to PUBLISHED"
    assert TABLES.keys() == PUBLISHED.keys(), (
        "write in PUBLISHED which codes the provider publishes"
    )


@pytest.mark.parametrize("table", TABLES)
def test_every_published_code_has_a_row(table: str):
    assert set(PUBLISHED[table].split()) - set(TABLES[table]) == set()


@pytest.mark.parametrize("table", TABLES)
def test_every_row_has_a_sentence_of_its_own(table: str):
    sentences = Counter(sentence for _, sentence in TABLES[table].values())

    shared = {"The contact has opted out of this sender."}
    assert {sentence for sentence, count in sentences.items() if count > 1} <= shared
    assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in sentences)


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        ("twilio", "21610 63014"),
        ("telnyx", "40300"),
        ("vonage messages", "1240"),
        ("vonage receipts", "9"),
    ],
)
def test_nothing_else_is_an_opt_out(table: str, codes: str):
    found = {code for code, (class_, _) in TABLES[table].items() if class_ is Failure.OPT_OUT}

    assert found == set(codes.split())


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        ("twilio", "21211 21214 21217 21614 21635 30005 30006"),
        ("telnyx", "40001 40012 40310"),
        ("vonage messages", "1170 1190 1260 1280 1300"),
        ("vonage receipts", "3 4 12"),
    ],
)
def test_nothing_else_bounces_a_number_at_once(table: str, codes: str):
    found = {code for code, (class_, _) in TABLES[table].items() if class_ is Failure.HARD}

    assert found == set(codes.split())


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        ("twilio", "30003 30008 30009 30017 30036"),
        ("telnyx", "40005 40006 40014"),
        ("vonage messages", "1180 1200 1220 1230 1270 1290 1330 1360"),
        ("vonage receipts", "1 2 5 7 8 13 15 99"),
    ],
)
def test_nothing_else_counts_towards_a_bounce(table: str, codes: str):
    found = {code for code, (class_, _) in TABLES[table].items() if class_ is Failure.SOFT}

    assert found == set(codes.split())


HARD: Meaning = (Failure.HARD, "The mail system refused the address for good.")


def by_mailgun(code: str, enhanced: str, words: str) -> Event:
    told = {"code": int(code), "enhanced-code": enhanced, "message": words}
    event = MAILGUN_EVENT | {"severity": "permanent", "reason": "bounce", "delivery-status": told}
    return mailgun().parse(mailgun_signed(event), NOW).events[0]


def by_sendgrid(code: str, enhanced: str, words: str) -> Event:
    told = {"type": "bounce", "status": enhanced or "5.0.0", "reason": f"{code} {words}"}
    return sendgrid().parse(posted(SENDGRID, [SENDGRID_EVENT | told]), NOW).events[0]


def by_ses(code: str, enhanced: str, words: str) -> Event:
    recipient = {"emailAddress": "dana@example.net", "status": enhanced or "5.0.0"}
    recipient["diagnosticCode"] = f"smtp; {code} {words}"
    bounce = {
        "bounceType": "Permanent",
        "bounceSubType": "General",
        "bouncedRecipients": [recipient],
    }
    return ses().parse(ses_told(eventType="Bounce", bounce=bounce), NOW).events[0]


def by_postmark(code: str, enhanced: str, words: str) -> Event:
    told = {"Type": "HardBounce", "Details": f"smtp;{code} {enhanced} {words}"}
    provider = Postmark(user="optin", password="password")
    return provider.parse(posted(POSTMARK, POSTMARK_BOUNCE | told), NOW).events[0]


def by_resend(code: str, enhanced: str, words: str) -> Event:
    bounce = {"type": "Permanent", "subType": "General", "message": "…"}
    bounce["diagnosticCode"] = f"smtp; {code} {enhanced} {words}"
    request = resend_about("email.bounced", to=["dana@example.net"], bounce=bounce)
    return resend().parse(request, NOW).events[0]


MAIL: Mapping[str, Callable[[str, str, str], Event]] = {
    "mailgun": by_mailgun,
    "sendgrid": by_sendgrid,
    "ses": by_ses,
    "postmark": by_postmark,
    "resend": by_resend,
}


@pytest.mark.parametrize("provider", MAIL)
@pytest.mark.parametrize(
    ("code", "enhanced", "words", "class_"),
    [
        ("552", "", "Requested mail action aborted: mailbox full", Failure.SOFT),
        ("552", "", "Requested action aborted", Failure.SOFT),
        ("552", "", "Message size exceeds fixed limit", Failure.OURS),
        ("550", "", "Mailbox is full / over quota", Failure.SOFT),
        ("550", "", "bounced because the recipient's inbox was full", Failure.SOFT),
        ("550", "5.0.0", "552 5.2.2 user over quota", Failure.SOFT),
        ("550", "5.2.2", "The email account is over quota", Failure.SOFT),
        ("550", "", "The recipient has exceeded their storage allocation", Failure.SOFT),
        ("550", "", "blocked using zen.spamhaus.org", Failure.OURS),
        ("554", "", "Your host 192.0.2.10 is blacklisted. See https://x.example", Failure.OURS),
        ("550", "", "Connections not accepted from servers listed at spamcop", Failure.OURS),
        ("550", "5.0.0", "5.7.23 SPF violation", Failure.OURS),
        ("550", "5.7.23", "The message was rejected", Failure.OURS),
        ("550", "", "rejected: SPF check failed", Failure.OURS),
        ("550", "", "Message looks like spam", Failure.OURS),
        ("550", "5.1.8", "Sender address rejected: Domain not found", Failure.OURS),
        ("550", "5.1.7", "Bad sender's mailbox address syntax", Failure.OURS),
        ("550", "", "Sender address rejected: Domain does not exist", Failure.OURS),
        ("550", "", "Sender domain not found in DNS", Failure.OURS),
        ("550", "5.7.1", "relaying denied", Failure.OURS),
        ("550", "5.1.1", "no such user", Failure.HARD),
        ("550", "5.1.1", "user unknown; mailbox full", Failure.HARD),
        ("550", "", "user unknown", Failure.HARD),
        ("550", "", "no such user <spam@example.net>", Failure.HARD),
        ("550", "", "Requested action not taken: mailbox unavailable", Failure.HARD),
        ("550", "5.2.1", "The account is disabled", Failure.HARD),
        ("550", "4.4.7", "delivery time expired", Failure.SOFT),
    ],
)
def test_the_most_exact_code_wins(
    provider: str, code: str, enhanced: str, words: str, class_: Failure
):
    event = MAIL[provider](code, enhanced, words)

    assert event.failure is class_
    assert event.meaning


@pytest.mark.parametrize(
    "text", ["5.1.1", "550 5.1.1 no such user", "smtp; 550 5.1.1", "5.2.1", "5.1.10"]
)
def test_what_the_provider_calls_temporary_is_never_hard(text: str):
    soft: Meaning = (Failure.SOFT, "The mail system refused the message for now.")

    assert by_mail(text, otherwise=HARD)[0] is Failure.HARD
    assert at_most_soft(by_mail(text, otherwise=soft), soft) == soft


@pytest.mark.parametrize(
    "text", ["", "550", "550 from 10.5.7.1", "552000", "5.9.9", "see RFC 5322"]
)
def test_what_says_nothing_leaves_it_to_the_provider(text: str):
    assert by_mail(text, otherwise=HARD) == HARD
