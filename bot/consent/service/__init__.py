"""The use cases: each is one function, one transaction, asked by every surface alike.

A function takes the `Service`, which holds what lasts (storage, clock, our senders), and the
`Actor`, whose role was read at this moment.
"""

from bot.consent.service.activity import activity, recent
from bot.consent.service.cases.ask import Ask, check_request, request
from bot.consent.service.cases.clock import look_after_cases
from bot.consent.service.cases.decide import Decided, approve, cancel, deny
from bot.consent.service.cases.matter import (
    Matter,
    completed_by_another,
    matter,
    matter_of,
    matters,
)
from bot.consent.service.cases.wanted import no_more_requests, want_requests, wants_requests
from bot.consent.service.change import change
from bot.consent.service.contacts import Details, add, edit, note
from bot.consent.service.erase import erase
from bot.consent.service.imports import (
    Report,
    Row,
    export,
    import_rows,
    undo_import,
)
from bot.consent.service.known_senders import senders
from bot.consent.service.look_up import Found, Profile, find, others_gates, profile, suggest
from bot.consent.service.merge import merge
from bot.consent.service.removed import removed_at_provider
from bot.consent.service.retire import Retired, restore, retire, retired
from bot.consent.service.service import Service
from bot.consent.service.take import take
from bot.consent.service.undo import take_back, undo
from bot.consent.service.verify import Verdict, verify
from bot.consent.service.wish import Change, Outcome, Wish

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
