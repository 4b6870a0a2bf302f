"""What listeners and blocks call the same things: callback, action and block ids.

A button's value is a pointer and nothing more: whose card, and the version it was drawn from. What
it may do is decided when it is pressed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from bot.consent.errors import Invalid

# Actions
EDIT = "edit"
ACTIVITY = "activity"
VIEW = "view"
MORE = "more"
FIND = "find"
SEARCH_ALL = "search_all"
ADD = "add"
UNDO = "undo"
LOG_OLDER = "log_older"
LOG_NEWER = "log_newer"
LOG_CHANNEL = "log_channel"
LOG_KIND = "log_kind"
LOG_EXPORT = "log_export"
LOG_EXPORT_AGAIN = "log_export_again"
RECENT_KIND = "recent_kind"
RECENT_OLDER = "recent_older"
RECENT_NEWEST = "recent_newest"
ALERT_VIEW = "alert_view"
HANDLED = "handled"
REVIEW_YES = "review_yes"
REVIEW_NO = "review_no"
ALERT_MENU = "alert_menu"
#: What the menu of an alert offers.
ALERT_SETTINGS = "settings"
ALERT_REQUEST = "alert_request"
REQUEST_SMS = "request_sms"
REQUEST_EMAIL = "request_email"
APPROVE = "approve"
DENY = "deny"
WITHDRAW = "withdraw"
WITHDRAW_SMS, WITHDRAW_EMAIL = f"{WITHDRAW}_sms", f"{WITHDRAW}_email"
CASE_VIEW = "case_view"
PENDING_MORE = "pending_more"
REQUESTS_BY_DM = "requests_by_dm"
REMOVED = "removed_at_provider"
IMPORT_GO = "import_go"
IMPORT_CANCEL = "import_cancel"
IMPORT_COLUMNS = "import_columns"
IMPORT_UNDO = "import_undo"
#: In front of a number: what the column of an import means.
IMPORT_MEANING = "import_meaning_"
#: A button where the menu of a card is full.
MISTAKE = "mistake"

# What the overflow menu of a card offers
REFRESH = "refresh"
DETAILS = "details"
CLEAR_SMS = "clear_sms"
CLEAR_EMAIL = "clear_email"
NOTE = "note"
WHY = "why"

# Modals
EDIT_MODAL = "edit_modal"
DETAILS_MODAL = "details_modal"
NOTE_MODAL = "note_modal"
SEARCH_MODAL = "search_modal"
PROFILE_MODAL = "profile_modal"
LOG_MODAL = "log_modal"
SAVED_MODAL = "saved_modal"
WHY_MODAL = "why_modal"
ALERT_SETTINGS_MODAL = "alert_settings_modal"
REQUEST_MODAL = "request_modal"
DENY_MODAL = "deny_modal"
MISTAKE_MODAL = "mistake_modal"
CHECK_MODAL = "check_modal"
CHECKED_MODAL = "checked_modal"
IMPORT_MODAL = "import_modal"

#: These decide something: who presses is asked for at Slack anew.
DECIDING = frozenset(
    {
        UNDO,
        MORE,
        HANDLED,
        REVIEW_YES,
        REVIEW_NO,
        ALERT_MENU,
        APPROVE,
        DENY,
        WITHDRAW_SMS,
        WITHDRAW_EMAIL,
        REQUESTS_BY_DM,
        REMOVED,
        MISTAKE,
        IMPORT_GO,
        IMPORT_CANCEL,
        IMPORT_COLUMNS,
        IMPORT_UNDO,
    }
)


#: For buttons that we do not know, or no longer.
OUTDATED = "This button is from an older version of Optin. Look the contact up again."

_ID = re.compile(r"[A-Za-z0-9]{1,64}", re.ASCII)
_LISTING = re.compile(
    r"[^ ]{1,80} ([0-9]{1,4})(\+?) ([A-Za-z0-9]{1,64}(?:,[A-Za-z0-9]{1,64}){0,19})"
)
_VERSION = re.compile(r"[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """A contact as it was drawn; or a re-opt-in, by its own id."""

    contact: str
    version: int

    def __str__(self) -> str:
        return f"{self.contact}:{self.version}"

    @classmethod
    def read(cls, text: object) -> Pointer:
        """Raises `Invalid` for what we never wrote."""
        contact, _, version = str(text or "")[:80].partition(" ")[0].partition(":")
        if not (_ID.fullmatch(contact) and _VERSION.fullmatch(version)):
            raise Invalid(OUTDATED)
        return cls(contact=contact, version=int(version))


@dataclass(frozen=True, slots=True, kw_only=True)
class ListEntry:
    """One entry of a provider's suppression list as a contact's card showed it."""

    card: Pointer
    #: As `suppressions.Listing.name` has it.
    name: str
    since: datetime

    def __str__(self) -> str:
        return f"{self.card} {self.since.isoformat()} {self.name}"

    @classmethod
    def read(cls, text: str) -> Self:
        """Raises `Invalid` for what we never wrote."""
        pointer, _, rest = text.partition(" ")
        since, _, name = rest.partition(" ")
        try:
            began = datetime.fromisoformat(since)
        except ValueError:
            raise Invalid(OUTDATED) from None
        if not name or began.tzinfo is None:
            raise Invalid(OUTDATED)
        return cls(card=Pointer.read(pointer), name=name, since=began)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownListing:
    """A list of contacts as it was drawn, so that it can be drawn anew: which ones it names, and
    how many matched. Stands behind the pointer of each of its buttons."""

    contacts: tuple[str, ...]
    count: int
    more: bool

    def __str__(self) -> str:
        return f"{self.count}{'+' if self.more else ''} {','.join(self.contacts)}"

    @classmethod
    def read(cls, text: object) -> ShownListing | None:
        """None where the button is on no list, or we never wrote it."""
        found = _LISTING.fullmatch(str(text or "")[:2_000])
        if found is None:
            return None
        contacts = tuple(found[3].split(","))
        return cls(contacts=contacts, count=int(found[1]), more=bool(found[2]))
