"""What the title of a column means: whole titles by `NAMES`, those about consent by their words."""

from __future__ import annotations

import re
from typing import NamedTuple

from handlers.contacts_file.column_names import NAMES
from handlers.contacts_file.columns import Column
from handlers.contacts_file.value_words import words


class Meaning(NamedTuple):
    """What a title says of its column."""

    column: Column
    #: Among the titles that mean the same, from the best.
    rank: int = 0
    #: Whatever stands there says it.
    filled: bool = False
    #: A yes in a word without a channel is one to texts, too.
    general: bool = False


_BY_NAME = {
    name: Meaning(column, rank, general=True)
    for column, names in NAMES.items()
    for rank, name in enumerate(names.split())
}


def _rule(listed: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(listed.split())})\b".replace("_", " ?"))


_OPT_OUT = _rule(
    r"opt(ed)?_outs? unsub\w* do_not(_\w+)? dnc suppress\w* block(ed|ing|lists?|listed)? "
    r"black_list\w* no_(bulk|mass) no_(emails?|sms|texts?|mailings?) stop(ped)? revoked withdrawn "
    r"mute[ds]? marketing_suspended"
)
_OPT_IN = _rule(
    r"opt(ed)?_in subscri(be|bed|ption|ptions) consent\w* accepts? accepted permissions? "
    r"allow(s|ed)? agree[ds]? newsletters? mailing_list receives? preferences? marketing_stat(us|e)"
)
_BOUNCE = _rule(
    r"bounc\w+ undeliver\w+ non_deliver\w+ deliverab\w+ "
    r"invalid_(e?mail|phone|mobile|address|number)\w* (e?mail|phone|number)_invalid "
    r"bad_(address|e?mail|phone|number) cleaned clean_(time|date|campaign) on_hold quarantin\w+ "
    r"unreachable email_suspended"
)
_COMPLAINT = _rule(r"spam\w* complain\w* abuse junk\w*")
_ACTIVE = _rule(r"active enabled reachable")
_STATUS = _rule(r"status state marketing")
_SMS = _rule(r"sms text texts texting mms mobile cell phones?")
_EMAIL = _rule(r"e?mails? emailing newsletters? mailing")
_CALL = _rule(r"calls? calling phone_calls? voice telemarketing do_not_phones?")
_ELSEWHERE = _rule(
    r"fax\w* post postal direct_mail letters? push web_push whatsapp messenger facebook instagram "
    r"in_app print trade legal gdpr privacy terms cookies? tracking processing policy basis "
    r"confirmation address_subscription third_party partners? profiling geo"
)
_POST = _rule(r"do_not(_allow)?_mails?")
_LEGAL = _rule(r"legal_basis gdpr lawful_basis")
_TIME = _rule(r"time date at timestamp datetime since when on utc")
_SOURCE = _rule(r"source method channel origin via form keyword medium referrer mode campaign")
#: Of an opt-in: neither the answer nor what shows it.
_DETAIL = _rule(r"ip ids? latitude longitude browser agent version")
#: The same of an opt-out or a bounce.
_MORE = _rule(r"ip ids? title type names? user browser agent")
#: A reason, or anything else that stands there only with an opt-out or a bounce.
_REASON = _rule(
    r"reasons? errors? cause message messages details? comments? notes? explanation "
    r"description diagnostic codes? reason_enum enum other"
)
_SOFT = _rule(r"soft transient temporary suspended")
#: About messages in general, and no answer of one person.
_NO_ANSWER = _rule(r"rates? percent\w* scores? probability tokens? hash uuid")
#: About what a customer pays for.
_PRODUCT = _rule(
    r"plans? price amount renew\w* products? billing mrr revenue tier level quantity interval"
)
#: Asks for an answer, where it names a channel.
_ASKED = _rule(
    r"bulk ok(ay)?_to can may wants? would send sign(ed)?_up reminders? alerts? notif\w+ updates? "
    r"offers? promo\w*"
)
#: Before the title of a detail, in the exports of several kinds of things.
_OWNER = re.compile(r"^(person|contact|profile|customer|subscriber|member|lead|user) ")
_JOINED = re.compile(
    r"sms|emails?(?!ub)|mobile|phones?(?!ub)|text|has|is|opt(?:ed)?out|opt(?:ed)?in|unsub(?:scribed?)?|"
    r"subscriber|subscription|subscribed?|bounced?|consent|marketing|do|not|status|accepts?|"
    r"permission|from|into|to|of|all|date|time|reason|hard|soft|invalid|black|block|list(?:ed)?"
)
_SUSPICIOUS = re.compile(
    r"opt ?(ed ?)?(in|out)|subscri(?!ber)|consent|bounc|suppress|dnc|do ?not|spam|complain|"
    r"black ?list|block ?list|undeliver"
)


#: "Do not mail" is about letters where another column is about e-mail.
POST = 99


def meaning_of(title: str) -> Meaning | None:
    """What a title means; None where that is nothing about a contact."""
    said = _apart(words(title))
    for whole in (said, _OWNER.sub("", said)):
        if known := _BY_NAME.get(whole.replace(" ", "")):
            return known
    return _about_consent(said)


def meaning_in_contacts(title: str) -> Meaning | None:
    """The same for a title that `NAMES` has for lists alone."""
    return _about_consent(_apart(words(title)))


def is_suspicious(title: str) -> bool:
    """Whether a column may be about consent all the same."""
    said = _apart(words(title))
    return _SUSPICIOUS.search(said) is not None and not _no_answer(said)


def key(title: str) -> str:
    """A title as `NAMES` has it."""
    return words(title).replace(" ", "")


def _apart(said: str) -> str:
    """Titles that are written as one word, such as `smsoptin`, as several."""
    parts: list[str] = []
    for word in said.split():
        found = _JOINED.findall(word)
        parts += found if "".join(found) == word else [word]
    return " ".join(parts)


def _about_consent(said: str) -> Meaning | None:  # noqa: C901, PLR0911 - a table of meanings
    if _no_answer(said):
        return None
    sms, email = _SMS.search(said), _EMAIL.search(said)
    refused, agreed = _OPT_OUT.search(said), _OPT_IN.search(said)
    bounced, complained = _BOUNCE.search(said), _COMPLAINT.search(said)
    answer = _ASKED.search(said) or (_STATUS.search(said) and not _TIME.search(said))
    status = (sms or email) and answer
    if not (refused or agreed or bounced or complained or status):
        if _LEGAL.search(said):
            return Meaning(Column.ELSEWHERE)
        if (sms or email) and _ACTIVE.search(said) and not _TIME.search(said):
            return Meaning(Column.SMS_ACTIVE if sms and not email else Column.EMAIL_ACTIVE)
        return Meaning(Column.STATUS) if " status" in f" {said}" else None
    if refused and _CALL.search(said) and not email:
        return Meaning(Column.DO_NOT_CALL)
    if _ELSEWHERE.search(said) or _CALL.search(said):
        return Meaning(Column.ELSEWHERE)
    if refused and _POST.search(said):
        return Meaning(Column.EMAIL_OPT_OUT, rank=POST)
    about = _EMAIL_ONLY if email and not sms else _SMS_ONLY if sms and not email else _BOTH
    if complained:
        return Meaning(Column.COMPLAINT, filled=bool(_TIME.search(said)))
    filled = bool(_TIME.search(said) or _REASON.search(said))
    if bounced:
        if _SOFT.search(said):
            return Meaning(Column.DETAIL)
        return Meaning(about[2], filled=filled or bool(_MORE.search(said)))
    if refused:
        detail = _SOURCE.search(said) or _MORE.search(said)
        return Meaning(about[1], filled=filled or bool(detail))
    return _agreed(said, about)


def _no_answer(said: str) -> bool:
    if _NO_ANSWER.search(said):
        return True
    return "subscription" in said and _PRODUCT.search(said) is not None


_SMS_ONLY = (Column.SMS_ON, Column.SMS_OPT_OUT, Column.SMS_BOUNCE)
_EMAIL_ONLY = (Column.EMAIL_ON, Column.EMAIL_OPT_OUT, Column.EMAIL_BOUNCE)
_BOTH = (Column.OPT_IN, Column.OPT_OUT, Column.BOUNCE)


def _agreed(said: str, about: tuple[Column, ...]) -> Meaning | None:
    """Of a column about an opt-in: the answer, when it was given, or where."""
    on = about[0]
    if _SOURCE.search(said):
        return Meaning(_SOURCES[on], rank=1)
    if _DETAIL.search(said):
        return Meaning(Column.DETAIL)
    return Meaning(on, filled=bool(_TIME.search(said)))


_SOURCES = {
    Column.SMS_ON: Column.SMS_CONSENT_SOURCE,
    Column.EMAIL_ON: Column.EMAIL_CONSENT_SOURCE,
    Column.OPT_IN: Column.CONSENT_SOURCE,
}
