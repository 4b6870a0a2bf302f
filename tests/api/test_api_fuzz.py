"""Schemathesis sends the API what its document allows, and what it does not, in any order.

It fails on an answer 5xx, on one that the document does not describe, and on bad data that is
taken. `OPTIN_FUZZ_MINUTES` lets it search for so long, with other data each time (`make api-fuzz`
does 20). Without that, the same small number of requests is sent each time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.consent.model import ConsentValue
from bot.consent.use_cases import Details, StatusUpdate, add, change
from bot.runtime.clock import Stopped
from tests.support.api_fixtures import ApiClient
from tests.support.consent_fixtures import AGENT, stop

ROOT = Path(__file__).resolve().parents[2]
MINUTES = int(os.environ.get("OPTIN_FUZZ_MINUTES", "0"))
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
#: What `make test` does: the same each time. Coverage sends each value at its limits.
BOUNDED = ("--max-examples", "8", "--seed", "14")
#: Many values are those of contacts, cases and webhooks that exist, or hardly any request would
#: find one.
CONFIG = """
hooks = "tests.support.fuzz_hooks"

[dictionaries]
contacts.values = {contacts}
things.values = {things}
phones.values = ["+14155550100", "(415) 555-0101", "+14155550102", "+14155550149", "+14155550150"]
mailboxes.values = ["c1@example.com", "C3@EXAMPLE.com", "new@example.com", "bücher@example.de"]
external_ids.values = ["crm-0", "crm-1", "new", "newer"]
moments.values = ["2026-11-03T14:30:00Z", "2026-11-03T15:40:00+01:00", "2025-01-01T00:00:00Z"]
endpoints.values = ["https://example.com/optin", "https://example.com/other"]
versions.values = {versions}

[parameters]
"path.id" = {{dictionary = "things", probability = 0.7}}
"path.token" = {{dictionary = "things", probability = 0.7}}
"path.external_id" = {{dictionary = "external_ids", probability = 0.5}}
"query.contact" = {{dictionary = "contacts", probability = 0.5}}
"header.If-Match" = {{dictionary = "versions", probability = 0.8}}
"body.contact" = {{dictionary = "contacts", probability = 0.8}}
"body.phone" = {{dictionary = "phones", probability = 0.7}}
"body.email" = {{dictionary = "mailboxes", probability = 0.7}}
"body.external_id" = {{dictionary = "external_ids", probability = 0.5}}
"body.to" = {{dictionary = "phones", probability = 0.7}}
"body.url" = {{dictionary = "endpoints", probability = 0.7}}
"body.evidence.occurred_at" = {{dictionary = "moments", probability = 0.8}}
"body.recipients[*].to" = {{dictionary = "mailboxes", probability = 0.5}}
"body.[*].address" = {{dictionary = "phones", probability = 0.7}}
"body.[*].occurred_at" = {{dictionary = "moments", probability = 0.7}}

# The document can't say which numbers and addresses exist.
[checks.positive_data_acceptance]
enabled = false

# RFC 6585 has a status of its own for a request without If-Match.
[checks.missing_required_header]
expected-statuses = [400, 401, 403, 415, 428]

# A wrong event has an error in its place, and the others are taken.
[[operations]]
include-operation-id = "take_stated_events"
checks.negative_data_rejection.enabled = false

# A no counts, whatever its evidence.
[[operations]]
include-operation-id = "state_a_consent"
checks.negative_data_rejection.enabled = false
"""


@dataclass(frozen=True)
class Fuzzed:
    """What schemathesis found: its report, and what it says of each failure."""

    report: dict[str, Any]
    said: str

    @property
    def summary(self) -> str:
        cases, seconds = self.report["test_cases"], self.report["running_time"]
        return (
            f"{cases['generated']:,} requests in {seconds:.0f} s "
            f"({60 * cases['generated'] / seconds:,.0f} a minute), seed {self.report['seed']}: "
            f"{cases['unique_failures']} failures"
        )


def contacts(api: ApiClient, clock: Stopped) -> list[str]:
    """Ids: nine contacts who said yes, opted out, or were never asked, an hour ago."""
    ids = []
    for n in range(9):
        phone, email = f"+1415555010{n}", f"c{n}@example.com"
        details = Details(name=f"C{n}", phone=phone, email=email, external_id=f"crm-{n}")
        ids.append(add(api.service, details, AGENT).id)
        if n % 3 == 0:
            yes = StatusUpdate(sms=ConsentValue.YES, email=ConsentValue.YES, evidence="Web form")
            change(api.service, ids[-1], yes, AGENT)
        if n % 3 == 1:
            stop(api.service, phone)
    clock.advance(timedelta(hours=1))
    return ids


def made(api: ApiClient, contacts: Sequence[str]) -> Iterator[str]:
    """Ids of requests and webhooks, and tokens of pending consents."""
    evidence = {"source": "form", "text": "Signed up", "occurred_at": "2026-11-03T14:30:00Z"}
    for contact in contacts[1::3]:
        asked = {"contact": contact, "channel": "sms", "evidence": evidence}
        yield api.post("/cases", asked).json()["id"]
    for contact in contacts[2::3]:
        asked = {"channel": "email", "status": "pending", "evidence": evidence}
        yield api.post(f"/contacts/{contact}/consents", asked).json()["token"]
    for n in range(5):
        yield api.post("/webhooks", {"url": f"https://example.com/{n}"}).json()["id"]


def config(api: ApiClient, clock: Stopped) -> str:
    people = contacts(api, clock)
    return CONFIG.format(
        contacts=json.dumps(people),
        things=json.dumps([*people, *made(api, people)]),
        versions=json.dumps([f'"{n}"' for n in range(1, 8)]),
    )


def fuzz(api: ApiClient, clock: Stopped, folder: Path, *amount: str) -> Fuzzed:
    """Runs schemathesis in this folder against the real server."""
    (folder / "schemathesis.toml").write_text(config(api, clock), encoding="utf-8")
    command = [SCHEMATHESIS, "--no-color", "run", f"{api.url}/api/v1/openapi.json", *amount]
    command += ["--header", f"Authorization: Bearer {api.key}", "--continue-on-failure"]
    command += ["--generation-database", "none", "--report", "json"]
    command += ["--report-json-path", "report.json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    report = folder / "report.json"
    assert report.exists(), done.stdout + done.stderr
    return Fuzzed(json.loads(report.read_text("utf-8")), done.stdout)


@pytest.mark.timeout(MINUTES * 60 + 300)
def test_no_request_finds_a_fault_or_an_answer_that_the_document_does_not_describe(
    api: ApiClient, clock: Stopped, tmp_path: Path
) -> None:
    amount = ("--max-time", str(MINUTES * 60)) if MINUTES else BOUNDED
    found = fuzz(api, clock, tmp_path, *amount)
    sys.stdout.write(f"\n{found.summary}\n")

    assert not found.report["failures"], found.said
    assert not found.report["errors"], found.said
    assert found.report["operations"]["tested"] == found.report["operations"]["total"]
    assert found.report["test_cases"]["generated"] > 500
    assert found.report["complete"]
