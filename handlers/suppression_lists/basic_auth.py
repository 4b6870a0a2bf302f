"""HTTP Basic authentication."""

from __future__ import annotations

import base64
from collections.abc import Mapping


def basic_auth(user: str, password: str) -> Mapping[str, str]:
    """The header that proves who calls."""
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}
