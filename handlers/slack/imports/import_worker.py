"""The replica's hands for imports: reads a file, imports it, undoes it, and says so in the one
message of its manager.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from slack_sdk import WebClient

from bot.consent.errors import Invalid, Refused, StorageFailed
from bot.consent.model import Actor, Role
from bot.consent.use_cases import Report, Service, import_rows, undo_import
from bot.consent.use_cases.imports.import_jobs import (
    LEASE,
    JobProgress,
    Overtaken,
    claim_job,
    keep_job,
    rejected_rows,
    release_job,
    renew_job,
)
from bot.consent.use_cases.imports.stored_jobs import ImportJob, JobState
from handlers.contacts_file import (
    Asked,
    ContactsFile,
    ListKind,
    NotUnderstood,
    open_contacts,
    write_rejected,
)
from handlers.contacts_file.columns import Column
from handlers.contacts_file.describe import describe
from handlers.slack.alerts.slack_errors import CALL_FAILED
from handlers.slack.direct_file import has_arrived, patient, share, uploaded
from handlers.slack.imports import import_blocks
from handlers.slack.imports.failed_attempts import given_up
from handlers.slack.imports.import_message import ImportMessage
from handlers.slack.uploaded_file import fetch, temporary_folder

logger = logging.getLogger(__name__)

_MOST_BYTES = 50 * 1024 * 1024
#: Seconds between two renewals of the lease.
_RENEWED = LEASE.total_seconds() / 4
#: Seconds between two looks of the manager at a running import.
_PACE = 5.0

_ANOTHER = "The file at Slack is another one now. Upload it again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """What a file would bring."""

    report: Report
    #: Why rows would not be taken, by line.
    rejected: dict[int, str]


#: Rehearses the file at this path, for this provider. Calls the last one now and then, and ends
#: when that raises.
Rehearse = Callable[[Path, Asked, str | None, Callable[[], None]], Rehearsed]


class _Stopping(Exception):
    """Ends a job's work because this replica has to stop."""


class ImportWorker:
    """Takes up one job after the other."""

    def __init__(self, service: Service, client: WebClient, rehearse: Rehearse) -> None:
        self._service = service
        self._client = patient(client)
        self._rehearse = rehearse
        self._message = ImportMessage(service, self._client)
        self._owner = secrets.token_hex(8)

    def run(self, stopping: threading.Event) -> None:
        """All jobs that wait, until the flag is set."""
        while not stopping.is_set():
            job = claim_job(self._service, self._owner)
            if job is None:
                return
            self._take_up(job, stopping)

    def _take_up(self, job: ImportJob, stopping: threading.Event) -> None:
        """Nothing but `StorageFailed` gets out: it would end the bot."""
        try:
            with self._leased(job):
                self._work(job, stopping)
        except Overtaken:
            logger.info("import %s goes on elsewhere", job.id)
        except _Stopping:
            with suppress(Overtaken):
                release_job(self._service, job)
        except StorageFailed:
            raise
        except Exception as error:  # noqa: BLE001 - a thread has nobody above it
            sentence = given_up(job, error)
            if sentence:
                self._message.give_up(job, sentence)

    def _work(self, job: ImportJob, stopping: threading.Event) -> None:
        work = {
            JobState.READING: self._read,
            JobState.IMPORTING: self._import,
            JobState.TELLING: self._tell,
            JobState.UNDOING: self._undo,
        }[job.state]
        work(job, stopping)

    @contextmanager
    def _leased(self, job: ImportJob) -> Iterator[None]:
        """No other replica takes the job up while the block runs, however long a step takes."""
        ended = threading.Event()

        def renew() -> None:
            while not ended.wait(_RENEWED):
                try:
                    renew_job(self._service, job)
                except Overtaken:
                    return
                except StorageFailed as error:
                    logger.warning("the lease of import %s waits: %s", job.id, error.sentence)

        thread = threading.Thread(target=renew, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    # The three kinds of work

    def _read(self, job: ImportJob, stopping: threading.Event) -> None:
        job = self._message.say(job, import_blocks.being_read(job))
        asked = _asked(job)
        with self._fetched(job) as (path, digest):
            try:
                with open_contacts(path, asked) as contacts:
                    table = list(describe(contacts))
            except NotUnderstood as unknown:
                self._ask(job, unknown)
                return
            last = time.monotonic()

            def beat() -> None:
                nonlocal last
                if stopping.is_set():
                    raise _Stopping
                if time.monotonic() - last >= _PACE:
                    last = time.monotonic()
                    keep_job(self._service, job)

            rehearsed = self._rehearse(path, asked, job.provider or None, beat)
        if rehearsed.report.changes_nothing:
            self._message.end(job, JobState.CANCELLED, "The file changes nothing.")
            return
        counts, rejected = rehearsed.report.counts, rehearsed.rejected
        job = self._message.say(job, import_blocks.ready(job, table, counts, rejected))
        keep_job(self._service, replace(job, state=JobState.READY, sha256=digest))

    def _ask(self, job: ImportJob, unknown: NotUnderstood) -> None:
        columns = dict([*unknown.columns.items()][: import_blocks.MOST_ASKED])
        job = self._message.say(job, import_blocks.asking(job, columns))
        keep_job(self._service, replace(job, state=JobState.ASKING, unknown=tuple(columns)))

    def _import(self, job: ImportJob, stopping: threading.Event) -> None:
        checkpoint = JobProgress(self._service, job)
        with self._fetched(job) as (path, digest):
            if digest != job.sha256:
                raise Invalid(_ANOTHER)
            with open_contacts(path, _asked(job)) as contacts:
                said = time.monotonic()

                def progress(rows: int) -> None:
                    nonlocal said
                    if stopping.is_set():
                        raise _Stopping
                    if time.monotonic() - said >= _PACE:
                        said = time.monotonic()
                        blocks = import_blocks.importing(checkpoint.job, contacts.rows)
                        checkpoint.job = self._message.show(checkpoint.job, blocks)

                import_rows(
                    self._service,
                    contacts.read(self._service.now()),
                    file=job.name,
                    actor=_manager(job),
                    provider=job.provider or None,
                    titles=contacts.columns.titles,
                    checkpoint=checkpoint,
                    progress=progress,
                )
                self._tell_done(checkpoint.job, contacts, path)

    def _tell(self, job: ImportJob, stopping: threading.Event) -> None:
        """Goes on where a replica ended between its import and its message."""
        with self._fetched(job) as (path, digest):
            if digest != job.sha256:
                raise Invalid(_ANOTHER)
            with open_contacts(path, _asked(job)) as contacts:
                self._tell_done(job, contacts, path)

    def _tell_done(self, job: ImportJob, contacts: ContactsFile, path: Path) -> None:
        rejected = rejected_rows(self._service, job)
        job = self._message.say(job, import_blocks.done(job, len(rejected)))
        if rejected:
            content = write_rejected(contacts, path, rejected).read_bytes()
            file = uploaded(self._client, f"{Path(job.name).stem}.rejected.csv", content)
            comment = "The rejected rows, with the line and the reason of each."
            try:
                share(self._client, file, job.slack_channel, title="Rejected rows", comment=comment)
            except CALL_FAILED:
                if not has_arrived(self._client, file):
                    raise
        keep_job(self._service, replace(job, state=JobState.DONE))

    def _undo(self, job: ImportJob, stopping: threading.Event) -> None:
        def progress(_: int) -> None:
            keep_job(self._service, job)
            if stopping.is_set():
                raise _Stopping

        try:
            counts = undo_import(self._service, job.import_id, _manager(job), progress=progress)
        except Refused as refused:
            self._message.end(job, JobState.UNDONE, refused.sentence)
            return
        job = self._message.say(job, import_blocks.undone(job, counts))
        keep_job(self._service, replace(job, state=JobState.UNDONE))

    # What they share

    @contextmanager
    def _fetched(self, job: ImportJob) -> Iterator[tuple[Path, str]]:
        """The file, for as long as the block runs, and its SHA-256."""
        with temporary_folder() as folder:
            path = folder / "import.csv"
            with path.open("wb") as file:
                fetch(self._client, job.file, job.user, file, most=_MOST_BYTES, now=job.made_at)
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            yield path, digest


def _asked(job: ImportJob) -> Asked:
    meanings = {title: Column(meaning) for title, meaning in job.columns.items() if meaning}
    return Asked(
        kind=ListKind(job.kind) if job.kind else None,
        meanings=meanings,
        ignored=[title for title, meaning in job.columns.items() if not meaning],
        provider=job.provider or None,
    )


def _manager(job: ImportJob) -> Actor:
    """Whoever pressed: that they may was asked then."""
    return Actor(id=f"slack:{job.user}", role=Role.MANAGER, source="slack")
