"""The words that stand in columns about consent, by what they say.

Collected from the exports of contact and messaging systems. A word is compared without regard to
case, accents, punctuation and the way it is joined: `HARD_BOUNCE`, `HardBounce` and "hard bounce"
are one word.
"""

from __future__ import annotations

import re

from bot.consent.parsing import fold

#: Yes and no: what they say depends on the column ("Opted in" or "Opted out").
AFFIRM = """
yes, y, true, t, 1, 1 0, on, x, checked, ticked, selected, si, ja, oui, sim, enabled, granted
"""
DENY = """
no, n, false, f, 0, 0 0, off, unchecked, unticked, nein, non, nao, disabled, inactive, not granted
"""
#: Agreed, whatever the column.
YES = """
opted in, opt in, optin, optedin, subscribed, subscribe, confirmed opt in, double opt in,
single opt in, express, express consent, explicit, explicit consent, consented, consent given,
agreed, opted into, active subscriber
"""
#: Nothing against it: a yes where the column asks who agreed.
ALLOWED = "allow, allowed, permitted, permit, accepts, accepted, not blocked"
#: Refused, whatever the column.
NO = """
opted out, opt out, optout, optedout, unsubscribed, unsubscribe, unsub, global unsubscribe,
globally unsubscribed, unsubscribed via email, unsubscribed via api, unsubscribed via ma,
manually unsubscribed, blocklisted, blocklist, blacklisted, blacklist, blocked, suppressed,
suppression, do not contact, dnc, stop, stopped, stopall, revoked, withdrawn, consent withdrawn,
declined, refused, rejected, do not allow, disallow, disallowed,
unsubscribe link, denied, removed, cancelled, canceled, not allowed, no messages,
on hold opt out, opt out on hold, recipient unsubscribed, contact unsubscribed, list unsubscribe,
unsubscribed by recipient, unsubscribed by contact, no mass emails, none please, inactive opt out,
group unsubscribe, group unsubscribed
"""
#: Of these, the ones that say so even under a title that may be about anything, such as "Status".
STRONG = """
subscribed, unsubscribed, opted in, opted out, optin, optout, opt out, unsub, cleaned, bounced,
hard bounce, hard bounced, soft bounced, blocklisted, blacklisted, suppressed, complained, spam,
spam complaint, marked as spam, undeliverable, do not contact, do not email, do not sms, do not text
"""
#: Our own side refused it.
STAFF_NO = """
manually suppressed, manual suppression, user suppressed, suppressed by user, admin blocked,
admin unsubscribed, unsubscribed by admin, suppressed by admin, manually blocked, manual block,
manually unsubscribed by admin, deleted, transactional only, lockdown
"""
#: The same, and what else the reasons of a suppression list say.
LIST_STAFF_NO = """
manual, manually, manually added, customer, admin, administrator, user, imported, import, api,
compliance, custom, rule
"""
LIST_NO = "recipient, user request, keyword, contact, subscriber, link"
#: Of one channel, whatever the column.
SMS_NO = """
do not sms, do not text, no sms, no text, no texts, do not send sms, sms opt out, sms opted out,
sms unsubscribed, text opt out
"""
EMAIL_NO = """
do not email, do not e mail, no email, no emails, do not bulk email, no bulk email, no bulk emails,
email opt out, email opted out, email unsubscribed, do not mass email, unsubscribed from email
"""
#: Nobody has asked, or the answer is still open.
UNSET = """
unset, unknown, null, none, nil, nan, n a, na, undefined, not set, not specified, blank, empty,
pending, unconfirmed, not confirmed, awaiting confirmation, pending confirmation, waiting,
never asked, never subscribed, not subscribed, nonsubscribed, non subscribed, no permissions set,
no permission set, no consent, transactional, no choice, not asked, not opted in, undecided,
no preference, email allowed, sms allowed, can email, can sms, archived, implied, implied consent,
temporary hold, neutral, no status, not applicable, confirmed,
marketable, non marketable, unengaged marketable, unengaged non marketable
"""
#: Messages arrive, which is no permission.
ALIVE = """
ok, valid, deliverable, delivered, verified, good, healthy, reachable, sendable, mailable,
emailable, textable, not bounced, no bounce, probation, clean
"""
#: Yes where the column is about one channel; elsewhere a customer may be active as well.
ACTIVE = "active"
#: Nothing stands there, also where whatever stands there counts.
EMPTY = "null, none, nil, nan, n a, na, undefined, not set, blank, empty, never"
#: Messages are rejected for good.
BOUNCED = """
bounce, bounced, hard, hard bounce, hard bounced, hardbounce, hardbounced, permanent,
permanent bounce, permanent failure, cleaned, invalid, invalid email, invalid address,
invalid email address, invalid number, invalid phone number, invalid mailbox, mailbox not found,
undeliverable, undelivered, unreachable, not deliverable, nondeliverable, non deliverable,
unknown user, user unknown, bad address, bad mailbox, bad number, dead, held, on hold,
on hold bounce, bounce on hold, email bounced, sms bounced, does not exist, mailbox does not exist,
landline, disconnected, bounced hard, bounce rule, bad email, failed, not valid, dead email
"""
#: A failure that passes.
SOFT = """
soft, soft bounce, soft bounced, softbounce, softbounced, bounced soft, transient,
transient bounce, temporary, temporary failure, temporarily undeliverable, mailbox full, deferred,
delayed
"""
#: Reported as spam.
COMPLAINED = """
complaint, complaints, complained, complain, spam, spam complaint, spam complaints, spam report,
spam reported, reported spam, marked as spam, marked spam, report spam, reported as spam, abuse,
abuse report, abuse complaint, junk, junked, contact flagged as spam, flagged as spam, feedback loop
"""
#: Symbols, before anything else; ours are the card's icons. A red circle is a no even where the
#: column asks for the contrary: to refuse once too often does less harm.
AFFIRM_SIGNS = "✓✔☑✅🗸🟢👍"
DENY_SIGNS = "✗✘❌❎☒☐✖👎"
NO_SIGNS = "🔴🚫⛔🛑"
UNSET_SIGNS = "⚪🟡-–—−"

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SELECTOR = "\ufe0f"


def words(text: str) -> str:
    """The words of a title or a value: in lower case, one space between them, also where capitals
    alone tell them apart."""
    return fold(_WORD.sub(" ", text)).replace("e mail", "email")


def table(listed: str) -> frozenset[str]:
    """The words of one of the lists."""
    return frozenset(" ".join(word.split()) for word in listed.split(","))


def sign(text: str) -> str:
    """The symbol that is all of a cell; empty where it is none."""
    bare = text.strip().replace(_SELECTOR, "")
    return bare if len(bare) == 1 and not bare.isalnum() else ""
