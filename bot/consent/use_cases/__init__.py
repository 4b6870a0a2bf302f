"""The use cases: each is one function, one transaction, asked by every surface alike.

A function takes the `Service`, which holds what lasts (storage, clock, our senders), and the
`Actor`, whose role was read at this moment.
"""

from bot.consent.use_cases.activity import activity, recent
from bot.consent.use_cases.cases.decide import Decided, approve, cancel, deny
from bot.consent.use_cases.cases.details import (
    CaseDetails,
    all_case_details,
    case_details,
    completed_by_another,
    find_case,
    find_case_details,
)
from bot.consent.use_cases.cases.present_state import (
    NOTHING_SINCE,
    PresentState,
    present_state,
)
from bot.consent.use_cases.cases.refused_tries import check_decider
from bot.consent.use_cases.cases.request import CaseRequest, check_request, request
from bot.consent.use_cases.cases.subscriptions import (
    is_subscribed_to_requests,
    request_subscribers,
    subscribe_to_requests,
    unsubscribe_from_requests,
)
from bot.consent.use_cases.cases.timers import run_case_timers
from bot.consent.use_cases.check_addresses import (
    AddressVerdict,
    CheckedAddress,
    Recipient,
    check_addresses,
    check_recipients,
)
from bot.consent.use_cases.contact_profile import Found, Profile
from bot.consent.use_cases.contacts import Details, add, edit, note
from bot.consent.use_cases.context import COMMAND, Service
from bot.consent.use_cases.erase import erase
from bot.consent.use_cases.former_mailboxes import Mailboxes, find_mailboxes
from bot.consent.use_cases.imports import (
    Report,
    Row,
    export,
    import_rows,
    undo_import,
)
from bot.consent.use_cases.ingest import ingest
from bot.consent.use_cases.key_values import read_value, read_values, update_values, write_value
from bot.consent.use_cases.known_senders import senders
from bot.consent.use_cases.log_pages import LogLine, LogPage, contact_log, recent_log
from bot.consent.use_cases.look_up import (
    find,
    others_gates,
    profile,
    profile_by_external_id,
    suggest,
)
from bot.consent.use_cases.merge import merge
from bot.consent.use_cases.removed_at_provider import removed_at_provider
from bot.consent.use_cases.retire import Retired, restore, retire, retired
from bot.consent.use_cases.rollback import accept_rollback
from bot.consent.use_cases.set_consent import change, check_clear_bounce
from bot.consent.use_cases.undo import take_back, undo
from bot.consent.use_cases.update import StatusChange, StatusUpdate, UpdateResult
from bot.consent.use_cases.verify import Verdict, verify
from bot.consent.use_cases.who_has import UnheldAddress, WhoHas, who_has

__all__ = [
    "COMMAND",
    "NOTHING_SINCE",
    "AddressVerdict",
    "CaseDetails",
    "CaseRequest",
    "CheckedAddress",
    "Decided",
    "Details",
    "Found",
    "LogLine",
    "LogPage",
    "Mailboxes",
    "PresentState",
    "Profile",
    "Recipient",
    "Report",
    "Retired",
    "Row",
    "Service",
    "StatusChange",
    "StatusUpdate",
    "UnheldAddress",
    "UpdateResult",
    "Verdict",
    "WhoHas",
    "accept_rollback",
    "activity",
    "add",
    "all_case_details",
    "approve",
    "cancel",
    "case_details",
    "change",
    "check_addresses",
    "check_clear_bounce",
    "check_decider",
    "check_recipients",
    "check_request",
    "completed_by_another",
    "contact_log",
    "deny",
    "edit",
    "erase",
    "export",
    "find",
    "find_case",
    "find_case_details",
    "find_mailboxes",
    "import_rows",
    "ingest",
    "is_subscribed_to_requests",
    "merge",
    "note",
    "others_gates",
    "present_state",
    "profile",
    "profile_by_external_id",
    "read_value",
    "read_values",
    "recent",
    "recent_log",
    "removed_at_provider",
    "request",
    "request_subscribers",
    "restore",
    "retire",
    "retired",
    "run_case_timers",
    "senders",
    "subscribe_to_requests",
    "suggest",
    "take_back",
    "undo",
    "undo_import",
    "unsubscribe_from_requests",
    "update_values",
    "verify",
    "who_has",
    "write_value",
]
