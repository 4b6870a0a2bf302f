"""What schemathesis does before it sends a request (tests/api/test_api_fuzz.py)."""

from __future__ import annotations

from itertools import count
from typing import Any

import schemathesis

_KEY = "Idempotency-Key"
_sent = count()


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """Three of four valid Idempotency-Keys become new ones. Schemathesis sends few different ones,
    and a key that comes again with another body is refused before the body is looked at."""
    given = (case.headers or {}).get(_KEY)
    number = next(_sent)
    if case.meta and getattr(case.meta.phase.data, "parameter_location", None) == "header":
        return  # this request is about its headers
    if isinstance(given, str) and 0 < len(given) < 240 and number % 4:
        case.headers[_KEY] = f"{given}{number}"
