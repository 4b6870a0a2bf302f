"""One key per address, however it is spelled (rules.md §2a).

An address has a shown form, which is displayed, exported and sent to providers, and a key, under
which it is compared, indexed and hashed. Every input makes the key here: webhooks, files, look-up,
command line, unsubscribe links and the hashes that erasure leaves.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import idna

#: How an address begins that a provider, a link or a log wrote for another channel.
WHATSAPP = "whatsapp:"
_SCHEMES = ("rcs:", "sms:", "tel:", WHATSAPP)
_SCHEME = re.compile("(?:rcs|sms|tel|whatsapp|mailto):", re.IGNORECASE)
#: The digit that stands behind these calling codes in one form of a mobile number and not in the
#: other: Mexico until 2019, Argentina from abroad. Both forms are one subscriber.
_OPTIONAL_DIGIT = {"+52": "1", "+54": "9"}
#: Characters of such a number with its digit: two of the calling code, the digit, ten.
_WITH_DIGIT = 14
#: How the keyed hash of an address begins, which erasure leaves.
HASH = "hash:"


@lru_cache(maxsize=4_096)
def key_of(address: str) -> str:
    """The key of a phone number in E.164 or a mailbox; of a keyed hash, itself."""
    if "@" in address:
        return mailbox_key(address)
    if address.startswith(HASH):
        return address
    return phone_key(address)


def phone_key(number: str) -> str:
    """The key of a phone number: E.164, without the prefixes of other channels."""
    number = without_scheme(number)
    digit = _OPTIONAL_DIGIT.get(number[:3])
    if digit and len(number) == _WITH_DIGIT and number[3] == digit:
        return number[:3] + number[4:]
    return number


def mailbox_key(mailbox: str) -> str:
    """The key of a mailbox: lower case, with the domain as IDNA 2008 (UTS 46) writes it in ASCII.
    The dot of DNS's root is left out. Plus-tags and other dots stay: only the mailbox's host knows
    what they mean."""
    mailbox = mailbox.lower().rstrip(".")
    if mailbox.isascii():
        return mailbox
    local, _, domain = unicodedata.normalize("NFC", mailbox).rpartition("@")
    return f"{local}@{_ascii(domain)}"


def without_scheme(address: str) -> str:
    """`tel:+1…`, `whatsapp:+1…`, `mailto:a@b.c` without what stands before the colon."""
    return _SCHEME.sub("", address, count=1) if ":" in address[:9] else address


def spellings(key: str) -> tuple[str, ...]:
    """Under which versions before 0.2 may have kept what they knew of this address."""
    if "@" in key:
        local, _, domain = key.rpartition("@")
        return tuple(dict.fromkeys((key, f"{local}@{_unicode(domain)}")))
    forms = [key]
    if digit := _OPTIONAL_DIGIT.get(key[:3]):
        forms.append(key[:3] + digit + key[3:])
    forms += [form.removeprefix("+") for form in forms]
    return (*forms, *(scheme + form for form in forms for scheme in _SCHEMES))


@lru_cache(maxsize=1_024)
def _ascii(domain: str) -> str:
    try:
        return idna.encode(domain, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return domain


@lru_cache(maxsize=1_024)
def _unicode(domain: str) -> str:
    try:
        return idna.decode(domain, uts46=True)
    except (idna.IDNAError, UnicodeError):
        return domain
