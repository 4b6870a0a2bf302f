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
from bot.consent.model import Channel

# Actions
EDIT = "edit"
ACTIVITY = "activity"
VIEW = "view"
MORE = "more"
FIND = "find"
SEARCH_ALL = "search_all"
LIST_PREVIOUS = "list_previous"
LIST_NEXT = "list_next"
ADD = "add"
FOUND_PREVIOUS = "found_previous"
FOUND_NEXT = "found_next"
#: Of the Home.
HOME_SETTINGS = "home_settings"
TEST_ALERT = "test_alert"
#: Of the digests in the settings. The value of the last two is a Slack channel.
DIGEST_ADD = "digest_add"
DIGEST_EDIT = "digest_edit"
DIGEST_REMOVE = "digest_remove"
UNDO = "undo"
#: On the card, where both channels may have one.
UNDOES = {Channel.SMS: "undo_sms", Channel.EMAIL: "undo_email"}
LOG_OLDER = "log_older"
LOG_NEWER = "log_newer"
LOG_CHANNEL = "log_channel"
LOG_KIND = "log_kind"
LOG_EXPORT = "log_export"
LOG_EXPORT_AGAIN = "log_export_again"
EVIDENCE_AGAIN = "evidence_again"
#: A day, for the status on it.
LOG_PAST = "log_past"
PAST_AT = "past_at"
PAST_BY = "past_by"
PAST_BACK = "past_back"
STATS_FILE = "stats_file"
#: A link: Slack opens it, and tells us of the click.
OPEN_IN_CRM = "open_in_crm"
#: Under a link to a contact's page in the CRM.
CHECK_LINK = "check_link"
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
REQUEST = {Channel.SMS: "request_sms", Channel.EMAIL: "request_email"}
APPROVE = "approve"
DENY = "deny"
WITHDRAW = "withdraw"
WITHDRAWS = {Channel.SMS: f"{WITHDRAW}_sms", Channel.EMAIL: f"{WITHDRAW}_email"}
#: Opens the request, for whoever may decide it.
DECIDE = "decide"
CASE_VIEW = "case_view"
PENDING_MORE = "pending_more"
REQUESTS_BY_DM = "requests_by_dm"
REMOVED = "removed_at_provider"
#: Lets Optin write to a provider's suppression lists; its value is the provider's id.
LISTS_CONFIRM = "lists_confirm"
IMPORT_GO = "import_go"
IMPORT_CANCEL = "import_cancel"
IMPORT_COLUMNS = "import_columns"
IMPORT_UNDO = "import_undo"
#: In front of a number: what the column of an import means.
IMPORT_MEANING = "import_meaning_"
#: A button where the menu of a card is full.
MISTAKE = "mistake"

# The steps of a card
CLEAR = {Channel.SMS: "clear_sms", Channel.EMAIL: "clear_email"}
RECORD = {Channel.SMS: "record_sms", Channel.EMAIL: "record_email"}
#: An address, where there is none that works.
PUT_IN = "put_in"
HOLD_YES = "hold_yes"
HOLD_NO = "hold_no"
#: Takes Do not contact off.
LIFT = "lift_do_not_contact"
OPT_OUT = "opt_out"

#: Fields of the edit modal whose choice changes what it asks for.
EDIT_DROPDOWNS = ("sms_on", "email_on", "sms_bounce", "email_bounce", "reason")

# What the overflow menu of a card offers
REFRESH = "refresh"
DETAILS = "details"
NOTE = "note"
WHY = "why"
EVIDENCE = "evidence"
#: Sets Do not contact.
FORBID = "do_not_contact"

# Modals
EDIT_MODAL = "edit_modal"
DETAILS_MODAL = "details_modal"
NOTE_MODAL = "note_modal"
SEARCH_MODAL = "search_modal"
PROFILE_MODAL = "profile_modal"
LOG_MODAL = "log_modal"
PAST_MODAL = "past_modal"
SAVED_MODAL = "saved_modal"
WHY_MODAL = "why_modal"
ALERT_SETTINGS_MODAL = "alert_settings_modal"
REQUEST_MODAL = "request_modal"
DENY_MODAL = "deny_modal"
MISTAKE_MODAL = "mistake_modal"
CLEAR_MODAL = "clear_modal"
FORBID_MODAL = "forbid_modal"
CASE_MODAL = "case_modal"
CHECK_MODAL = "check_modal"
CHECKED_MODAL = "checked_modal"
IMPORT_MODAL = "import_modal"
FOUND_MODAL = "found_modal"
HOME_SETTINGS_MODAL = "home_settings_modal"
DIGEST_MODAL = "digest_modal"

# Shortcuts, as the manifest names them
CHECK_MESSAGE = "check_message"
FIND_CONTACT = "find_contact"

# Steps of Workflow Builder, as the manifest names them
CHECK_STATUS = "check_status"
RECORD_OPT_OUT = "record_opt_out"
REQUEST_RE_OPT_IN = "request_re_opt_in"
WAIT_FOR_OUTCOME = "wait_for_outcome"

#: These decide something: who presses is asked for at Slack anew.
DECIDING = frozenset(
    {
        UNDO,
        *UNDOES.values(),
        MORE,
        HANDLED,
        REVIEW_YES,
        REVIEW_NO,
        ALERT_MENU,
        HOME_SETTINGS,
        TEST_ALERT,
        DIGEST_ADD,
        DIGEST_EDIT,
        DIGEST_REMOVE,
        APPROVE,
        DENY,
        *WITHDRAWS.values(),
        *CLEAR.values(),
        HOLD_YES,
        HOLD_NO,
        LIFT,
        OPT_OUT,
        DECIDE,
        REQUESTS_BY_DM,
        REMOVED,
        LISTS_CONFIRM,
        MISTAKE,
        IMPORT_GO,
        IMPORT_CANCEL,
        IMPORT_COLUMNS,
        IMPORT_UNDO,
        EVIDENCE_AGAIN,
    }
)


#: For buttons that we do not know, or no longer.
OUTDATED = "This button is from an older version of Optin. Look the contact up again."

_ID = re.compile(r"[A-Za-z0-9]{1,64}", re.ASCII)
_LISTING = re.compile(
    r"[^ ]{1,80} ([0-9]{1,4})(\+?) ([A-Za-z0-9]{1,64}(?:,[A-Za-z0-9]{1,64}){0,19})"
    r"(?: ([0-9]{1,3}) ([A-Za-z0-9_=-]{1,600}))?"
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
class HoldPointer:
    """A reply that waits to be read, as a contact's card showed it."""

    card: Pointer
    channel: Channel
    since: datetime

    def __str__(self) -> str:
        return f"{self.card} {self.since.isoformat()} {self.channel}"

    @classmethod
    def read(cls, text: str) -> Self:
        """Raises `Invalid` for what we never wrote."""
        pointer, since, channel = [*text[:200].split(" "), "", "", ""][:3]
        try:
            began = datetime.fromisoformat(since)
        except ValueError:
            raise Invalid(OUTDATED) from None
        if channel not in list(Channel) or began.tzinfo is None:
            raise Invalid(OUTDATED)
        return cls(card=Pointer.read(pointer), channel=Channel(channel), since=began)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownListing:
    """A list of contacts as it was drawn, so that it can be drawn anew: which ones it names, and
    how many matched. Stands behind the pointer of each of its buttons."""

    contacts: tuple[str, ...]
    count: int
    more: bool
    #: How many matches stand on the pages before.
    skip: int = 0
    #: What was searched for, sealed. Empty where nothing was.
    query: str = ""

    def __str__(self) -> str:
        listed = f"{self.count}{'+' if self.more else ''} {','.join(self.contacts)}"
        return f"{listed} {self.skip} {self.query}" if self.query else listed

    @classmethod
    def read(cls, text: object) -> ShownListing | None:
        """None where the button is on no list, or we never wrote it."""
        found = _LISTING.fullmatch(str(text or "")[:2_000])
        if found is None:
            return None
        contacts = tuple(found[3].split(","))
        return cls(
            contacts=contacts,
            count=int(found[1]),
            more=bool(found[2]),
            skip=int(found[4] or 0),
            query=found[5] or "",
        )
