"""Jobs that import a file, as the storage has them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.consent.records import KeyValue

JOB_KEY, OPEN_KEY, REJECTED_KEY = "import-job:", "import-jobs", "import-rejected:"


class JobState(StrEnum):
    """What is to be done next, and by whom."""

    READING = "reading"
    #: A person says what a column means.
    ASKING = "asking"
    #: A person decides.
    READY = "ready"
    IMPORTING = "importing"
    #: It is imported, and the manager does not know yet.
    TELLING = "telling"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"
    CANCELLED = "cancelled"
    FAILED = "failed"


#: Here a replica works.
RUNNING = frozenset({JobState.READING, JobState.IMPORTING, JobState.TELLING, JobState.UNDOING})


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportJob:
    """One file that a manager uploaded."""

    id: str
    state: JobState = JobState.READING
    #: Slack's ids of the manager and of the file.
    user: str
    file: str
    name: str
    made_at: datetime
    #: What the file is, and whose list, as `optin import --as` and `--provider` say it.
    kind: str = ""
    provider: str = ""
    #: What columns mean, by their titles; an empty meaning leaves the column out.
    columns: Mapping[str, str] = field(default_factory=dict)
    #: Columns that are asked about.
    unknown: Sequence[str] = ()
    sha256: str = ""
    #: Where the manager's message is.
    slack_channel: str = ""
    ts: str = ""
    #: The rows that are done, and what they did, by consequence.
    rows: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    finished_at: datetime | None = None
    #: The replica that works at it, and until when nobody else does.
    owner: str = ""
    until: datetime | None = None
    attempts: int = 0

    @property
    def import_id(self) -> str:
        """The id of its import in the log."""
        return self.id


def stored_jobs(key_value: KeyValue) -> list[ImportJob]:
    """The oldest first."""
    found = (stored_job(key_value, id) for id in sorted(open_jobs(key_value)))
    return [job for job in found if job is not None]


def open_jobs(key_value: KeyValue) -> dict[str, str]:
    """When each job was made, by its id."""
    kept: dict[str, str] = json.loads(key_value.get(OPEN_KEY) or "{}")
    return kept


def put_open_jobs(key_value: KeyValue, jobs: Mapping[str, str]) -> None:
    key_value.put(OPEN_KEY, json.dumps(dict(jobs)) if jobs else None)


_TIMES = frozenset({"made_at", "finished_at", "until"})


def stored_job(key_value: KeyValue, id: str) -> ImportJob | None:
    text = key_value.get(JOB_KEY + id)
    if text is None:
        return None
    kept: dict[str, Any] = json.loads(text)
    for name in _TIMES:
        kept[name] = datetime.fromisoformat(kept[name]) if kept[name] else None
    return ImportJob(**{**kept, "state": JobState(kept["state"])})


def put_job(key_value: KeyValue, job: ImportJob) -> None:
    kept = asdict(job)
    for name in _TIMES:
        at = kept[name]
        kept[name] = at.isoformat() if at else None
    key_value.put(JOB_KEY + job.id, json.dumps(kept))
