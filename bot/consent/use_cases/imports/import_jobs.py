"""Imports that are asked for in Slack: jobs in the storage, which any replica takes up.

A job keeps the file's id at Slack and its SHA-256, and nothing of the file: each attempt fetches it
again. How far an import came is stored in the transaction of each batch of rows, together with
them, so that whoever goes on does no row twice and counts none twice.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.consent.errors import Changed, NotAllowed, NotFound, Refused
from bot.consent.model import Actor
from bot.consent.permissions import Action, authorize
from bot.consent.records import KeyValue
from bot.consent.store import Records
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.imports.stored_jobs import (
    JOB_KEY,
    REJECTED_KEY,
    RUNNING,
    ImportJob,
    JobState,
    open_jobs,
    put_job,
    put_open_jobs,
    stored_job,
    stored_jobs,
)
from bot.consent.use_cases.record import new_id

#: How long a replica that is silent keeps a job.
LEASE = timedelta(seconds=60)
#: How long a button has its job to itself, to redraw the message before any replica does.
REDRAWN_WITHIN = timedelta(seconds=5)
#: How long an import can be undone by its button.
UNDO_WITHIN_A_DAY = timedelta(days=1)
#: How long a job is kept.
_KEPT = timedelta(days=7)


class Overtaken(Exception):
    """Another replica works at this job now, or somebody has cancelled it."""


def start_job(
    service: Service, actor: Actor, *, file: str, name: str, kind: str, provider: str
) -> ImportJob:
    """Keeps the job for the next replica that looks."""
    authorize(actor, Action.IMPORT)
    now = service.now()
    job = ImportJob(
        id=new_id(now),
        user=actor.id.removeprefix("slack:"),
        file=file,
        name=name,
        made_at=now,
        kind=kind,
        provider=provider,
    )
    with service.store.transaction() as records:
        put_job(records.key_value, job)
        put_open_jobs(records.key_value, {**open_jobs(records.key_value), job.id: now.isoformat()})
    return job


def decide_job(
    service: Service,
    actor: Actor,
    id: str,
    *,
    asked_in: Collection[JobState],
    state: JobState,
    meanings: Sequence[str] = (),
    redraws: bool = False,
) -> ImportJob:
    """What the manager pressed. `meanings` are those of the columns that were asked about, in their
    order. Whoever `redraws` the message has the job until `job_redrawn`.

    Raises `Changed` where the job is not in `asked_in` any more, and
    `Refused` for an undo that comes too late."""
    authorize(actor, Action.IMPORT)
    now = service.now()
    with service.store.transaction() as records:
        job = stored_job(records.key_value, id)
        if job is None:
            raise NotFound("This import is not kept any more.")
        if actor.id != f"slack:{job.user}":
            raise NotAllowed("Only whoever uploaded the file can do that.")
        if job.state not in asked_in:
            raise Changed("This import has gone on meanwhile. Its message says how it stands.")
        late = job.finished_at and now - job.finished_at > UNDO_WITHIN_A_DAY
        if state is JobState.UNDOING and late:
            raise Refused(
                "The button undoes an import for one day. An operator can still undo it at the "
                f"command line: optin import --undo {job.import_id}"
            )
        job = replace(
            job,
            state=state,
            columns={**job.columns, **dict(zip(job.unknown, meanings, strict=False))},
            until=now + REDRAWN_WITHIN if redraws and state in RUNNING else None,
            owner="",
            attempts=0,
        )
        put_job(records.key_value, job)
    return job


def job_redrawn(service: Service, job: ImportJob) -> None:
    """Lets a replica take up at once what `decide_job` held back."""
    if job.until is None:
        return
    with service.store.transaction() as records:
        stored = stored_job(records.key_value, job.id)
        if stored == job:
            put_job(records.key_value, replace(stored, until=None))


def claim_job(service: Service, owner: str) -> ImportJob | None:
    """A job at which nobody works, for this replica; None where there is none."""
    now = service.now()
    with service.store.reading() as records:
        if not any(_is_free(job, now) for job in stored_jobs(records.key_value)):
            return None
    with service.store.transaction() as records:
        for job in stored_jobs(records.key_value):
            if _is_free(job, now):
                job = replace(job, owner=owner, until=now + LEASE, attempts=job.attempts + 1)
                put_job(records.key_value, job)
                return job
    return None


def keep_job(service: Service, job: ImportJob) -> ImportJob:
    """Stores what the replica that has the job found, and has it a while longer. Raises
    `Overtaken`."""
    with service.store.transaction() as records:
        return _keep(service, records.key_value, job)


def renew_job(service: Service, job: ImportJob) -> None:
    """Has it a while longer, as it is stored. Raises `Overtaken`."""
    with service.store.transaction() as records:
        stored = stored_job(records.key_value, job.id)
        if stored is None or stored.owner != job.owner:
            raise Overtaken
        put_job(records.key_value, replace(stored, until=service.now() + LEASE))


def job_as_stored(service: Service, job: ImportJob) -> ImportJob:
    """With the rows that are done by now."""
    with service.store.reading() as records:
        return stored_job(records.key_value, job.id) or job


def release_job(service: Service, job: ImportJob) -> None:
    """Lets another replica go on at once. Raises `Overtaken`."""
    with service.store.transaction() as records:
        kept = _keep(service, records.key_value, job)
        put_job(records.key_value, replace(kept, owner="", until=None, attempts=0))


def rejected_rows(service: Service, job: ImportJob) -> dict[int, str]:
    """The lines of the rows that were not taken, with the reasons."""
    prefix = f"{REJECTED_KEY}{job.id}:"
    with service.store.reading() as records:
        texts = [text for name, text in records.key_value.all() if name.startswith(prefix)]
    return {int(line): reason for text in texts for line, reason in json.loads(text).items()}


def sweep_jobs(service: Service) -> int:
    """Removes old jobs at which nobody works, and the reasons of their rejected rows; how many
    jobs."""
    now = service.now()
    with service.store.reading() as records:
        known = open_jobs(records.key_value)
        working = {
            job.id
            for job in stored_jobs(records.key_value)
            if job.state in RUNNING and (job.until is None or job.until > now)
        }
        old = [
            id
            for id, at in known.items()
            if id not in working and now - datetime.fromisoformat(at) > _KEPT
        ]
        names = [
            name
            for name, _ in records.key_value.all()
            if name.startswith((JOB_KEY, REJECTED_KEY)) and name.split(":")[1] in old
        ]
    if old:
        with service.store.transaction() as records:
            for name in names:
                records.key_value.put(name, None)
            left = {id: at for id, at in open_jobs(records.key_value).items() if id not in old}
            put_open_jobs(records.key_value, left)
    return len(old)


class JobProgress:
    """How far the import of a job came: `run_import.Checkpoint`."""

    def __init__(self, service: Service, job: ImportJob) -> None:
        self._service = service
        self.job = job

    @property
    def import_id(self) -> str:
        """The import goes on under this id."""
        return self.job.import_id

    @property
    def rows(self) -> int:
        """The rows that are done."""
        return self.job.rows

    @property
    def counts(self) -> Mapping[str, int]:
        """What they did."""
        return self.job.counts

    def save(
        self, records: Records, rows: int, counts: Mapping[str, int], rejected: Mapping[int, str]
    ) -> None:
        """In the transaction of these rows. Raises `Overtaken`, and then nothing of it is
        stored."""
        job = replace(self.job, rows=rows, counts=dict(counts), attempts=1)
        self.job = _keep(self._service, records.key_value, job)
        if rejected:
            records.key_value.put(f"{REJECTED_KEY}{job.id}:{rows}", json.dumps(dict(rejected)))

    def finish(self, records: Records) -> None:
        """In the transaction of the import's end."""
        now = self._service.now()
        done = replace(self.job, state=JobState.TELLING, finished_at=now)
        self.job = _keep(self._service, records.key_value, done)


def _keep(service: Service, key_value: KeyValue, job: ImportJob) -> ImportJob:
    stored = stored_job(key_value, job.id)
    if stored is None or stored.owner != job.owner or not job.owner:
        raise Overtaken
    running = job.state in RUNNING
    job = replace(
        job,
        until=service.now() + LEASE if running else None,
        owner=job.owner if running else "",
    )
    put_job(key_value, job)
    return job


def _is_free(job: ImportJob, now: datetime) -> bool:
    return job.state in RUNNING and (job.until is None or job.until <= now)
