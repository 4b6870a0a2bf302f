"""Requests as Postmark posts them."""

from __future__ import annotations

from handlers.webhooks.providers.postmark import Postmark

PATH = Postmark.routes[0].path
BOUNCE = {"RecordType": "Bounce", "ID": 7, "Email": "dana@example.net"}
