"""Reading what people type for an e-mail address. By syntax alone: nothing is looked up."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from bot.consent.errors import Invalid
from bot.consent.parsing import visible

if TYPE_CHECKING:  # loaded with the first address: most commands read none
    from email_validator import ValidatedEmail

#: A local part in which there is nothing to judge (RFC 5321, Dot-string; 64 octets at most).
_PLAIN = re.compile(r"(?=.{1,64}\Z)[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*", re.ASCII)
#: Characters in a whole address (RFC 5321, less its angle brackets).
_LONGEST = 254


def read_email(text: str) -> str:
    """A mailbox, as it is written. `example.com` and the reserved `.test` are taken, since demos
    and tests live there.

    Raises `Invalid` with a sentence that says what is wrong with it.
    """
    text = visible(text).strip()
    if not text:
        raise Invalid("There is no e-mail address.", field="email")
    # An import meets a few domains again and again: each is judged once.
    local, _, domain = text.partition("@")
    known = _plain_domain(domain) if _PLAIN.fullmatch(local) else None
    if known and len(local) + 1 + len(known) <= _LONGEST:
        return text
    from email_validator import EmailNotValidError

    try:
        _validated(text)
        return unicodedata.normalize("NFC", text)
    except EmailNotValidError as error:
        raise Invalid(f"That is no e-mail address. {error}", field="email") from None


@lru_cache(maxsize=16_384)
def _plain_domain(domain: str) -> str | None:
    """The domain in lower case; None where it needs a closer look, or is wrong."""
    if not domain.isascii():
        return None
    from email_validator import EmailNotValidError

    try:
        return _validated(f"a@{domain}").domain.lower()
    except EmailNotValidError:
        return None


def _validated(text: str) -> ValidatedEmail:
    from email_validator import validate_email

    return validate_email(text, check_deliverability=False, test_environment=True)
