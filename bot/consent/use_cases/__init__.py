"""The use cases: each is one function, one transaction, asked by every surface alike.

A function takes the `Service`, which holds what lasts (storage, clock, our senders), and the
`Actor`, whose role was read at this moment.
"""

from bot.consent.use_cases.activity import activity, recent
from bot.consent.use_cases.cases.decide import Decided, approve, cancel, deny
from bot.consent.use_cases.cases.details import (
    Matter,
    completed_by_another,
    matter,
    matter_of,
    matters,
)
from bot.consent.use_cases.cases.request import Ask, check_request, request
from bot.consent.use_cases.cases.subscriptions import (
    no_more_requests,
    want_requests,
    wants_requests,
)
from bot.consent.use_cases.cases.timers import look_after_cases
from bot.consent.use_cases.contacts import Details, add, edit, note
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.erase import erase
from bot.consent.use_cases.imports import (
    Report,
    Row,
    export,
    import_rows,
    undo_import,
)
from bot.consent.use_cases.ingest import take
from bot.consent.use_cases.known_senders import senders
from bot.consent.use_cases.look_up import Found, Profile, find, others_gates, profile, suggest
from bot.consent.use_cases.merge import merge
from bot.consent.use_cases.removed_at_provider import removed_at_provider
from bot.consent.use_cases.retire import Retired, restore, retire, retired
from bot.consent.use_cases.set_consent import change
from bot.consent.use_cases.undo import take_back, undo
from bot.consent.use_cases.update import Change, Outcome, Wish
from bot.consent.use_cases.verify import Verdict, verify

__all__ = [
    "Ask",
    "Change",
    "Decided",
    "Details",
    "Found",
    "Matter",
    "Outcome",
    "Profile",
    "Report",
    "Retired",
    "Row",
    "Service",
    "Verdict",
    "Wish",
    "activity",
    "add",
    "approve",
    "cancel",
    "change",
    "check_request",
    "completed_by_another",
    "deny",
    "edit",
    "erase",
    "export",
    "find",
    "import_rows",
    "look_after_cases",
    "matter",
    "matter_of",
    "matters",
    "merge",
    "no_more_requests",
    "note",
    "others_gates",
    "profile",
    "recent",
    "removed_at_provider",
    "request",
    "restore",
    "retire",
    "retired",
    "senders",
    "suggest",
    "take",
    "take_back",
    "undo",
    "undo_import",
    "verify",
    "want_requests",
    "wants_requests",
]
