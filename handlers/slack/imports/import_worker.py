"""The replica's hands for imports: reads a file, imports it, undoes it, and says so in the one
message of its manager.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from slack_sdk import WebClient

from bot.consent.errors import Invalid, OptinError, Refused, StorageFailed
from bot.consent.model import Actor, Role
from bot.consent.use_cases import Report, Service, import_rows, undo_import
from bot.consent.use_cases.imports.import_jobs import (
    ImportJob,
    JobProgress,
    JobState,
    Overtaken,
    claim_job,
    job_as_stored,
    keep_job,
    rejected_rows,
    release_job,
)
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
from handlers.slack.alerts.slack_errors import CALL_FAILED, slack_failure
from handlers.slack.blocks.formatting import Block
from handlers.slack.direct_file import direct_messages, patient, share, uploaded
from handlers.slack.imports import import_blocks
from handlers.slack.slack_faults import lasting
from handlers.slack.uploaded_file import Unfetched, fetch

logger = logging.getLogger(__name__)

_MOST_BYTES = 50 * 1024 * 1024
#: Attempts of one step, a minute apart, before it is given up.
_MOST_ATTEMPTS = 5
#: Seconds between two looks of the manager at a running import.
_PACE = 5.0

_ANOTHER = "The file at Slack is another one now. Upload it again."
_BROKEN = "Something broke on our side."


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
        self._owner = secrets.token_hex(8)

    def run(self, stopping: threading.Event) -> None:
        """All jobs that wait, until the flag is set."""
        while not stopping.is_set():
            job = claim_job(self._service, self._owner)
            if job is None:
                return
            self._take_up(job, stopping)

    def _take_up(self, job: ImportJob, stopping: threading.Event) -> None:
        work = {
            JobState.READING: self._read,
            JobState.IMPORTING: self._import,
            JobState.TELLING: self._tell,
            JobState.UNDOING: self._undo,
        }[job.state]
        try:
            work(job, stopping)
        except Overtaken:
            logger.info("import %s goes on elsewhere", job.id)
        except _Stopping:
            release_job(self._service, job)
        except StorageFailed:
            raise
        except (Unfetched, *CALL_FAILED) as error:
            failed = None if isinstance(error, Unfetched) else error
            word = "the file was not given" if failed is None else slack_failure(failed).word
            logger.warning("import %s has to wait for Slack: %s", job.id, word)
            fault = lasting(failed) if failed else None
            if fault or job.attempts >= _MOST_ATTEMPTS:
                self._fail(job, f"Slack did not give the file. {fault or 'Upload it again.'}")
        except OptinError as error:
            self._fail(job, error.sentence)
        except Exception as error:  # noqa: BLE001 - a thread has nobody above it
            logger.error("import %s failed: %s", job.id, type(error).__name__)
            if job.attempts >= _MOST_ATTEMPTS:
                self._fail(job, _BROKEN)

    # The three kinds of work

    def _read(self, job: ImportJob, stopping: threading.Event) -> None:
        job = self._say(job, import_blocks.being_read(job))
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
            self._end(job, JobState.CANCELLED, "The file changes nothing.")
            return
        counts, rejected = rehearsed.report.counts, rehearsed.rejected
        self._say(job, import_blocks.ready(job, table, counts, rejected))
        keep_job(self._service, replace(job, state=JobState.READY, sha256=digest))

    def _ask(self, job: ImportJob, unknown: NotUnderstood) -> None:
        columns = dict([*unknown.columns.items()][: import_blocks.MOST_ASKED])
        self._say(job, import_blocks.asking(job, columns))
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
                        self._say(checkpoint.job, blocks)

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
        with self._fetched(job) as (path, _), open_contacts(path, _asked(job)) as contacts:
            self._tell_done(job, contacts, path)

    def _tell_done(self, job: ImportJob, contacts: ContactsFile, path: Path) -> None:
        rejected = rejected_rows(self._service, job)
        self._say(job, import_blocks.done(job, len(rejected)))
        if rejected:
            content = write_rejected(contacts, path, rejected).read_bytes()
            file = uploaded(self._client, f"{Path(job.name).stem}.rejected.csv", content)
            comment = "The rejected rows, with the line and the reason of each."
            share(self._client, file, job.slack_channel, title="Rejected rows", comment=comment)
        keep_job(self._service, replace(job, state=JobState.DONE))

    def _undo(self, job: ImportJob, stopping: threading.Event) -> None:
        def progress(_: int) -> None:
            keep_job(self._service, job)
            if stopping.is_set():
                raise _Stopping

        try:
            counts = undo_import(self._service, job.import_id, _manager(job), progress=progress)
        except Refused as refused:
            self._end(job, JobState.UNDONE, refused.sentence)
            return
        self._say(job, import_blocks.undone(job, counts))
        keep_job(self._service, replace(job, state=JobState.UNDONE))

    # What they share

    @contextmanager
    def _fetched(self, job: ImportJob) -> Iterator[tuple[Path, str]]:
        """The file, for as long as the block runs, and its SHA-256."""
        with TemporaryDirectory(prefix="optin-") as folder:
            path = Path(folder) / "import.csv"
            now = None if job.sha256 else self._service.now()
            with path.open("wb") as file:
                fetch(self._client, job.file, job.user, file, most=_MOST_BYTES, now=now)
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            yield path, digest

    def _say(self, job: ImportJob, blocks: Sequence[Block]) -> ImportJob:
        """Draws the job's message anew; the first time it is posted."""
        text = "Import"
        if job.ts:
            self._client.chat_update(channel=job.slack_channel, ts=job.ts, text=text, blocks=blocks)
            return job
        channel = direct_messages(self._client, job.user)
        posted = self._client.chat_postMessage(channel=channel, text=text, blocks=blocks)
        return keep_job(self._service, replace(job, slack_channel=channel, ts=str(posted["ts"])))

    def _fail(self, job: ImportJob, sentence: str) -> None:
        if job.state is JobState.IMPORTING:
            with_rows = job_as_stored(self._service, job)
            if with_rows.rows:
                ended = replace(with_rows, state=JobState.FAILED, finished_at=self._service.now())
                self._say(ended, import_blocks.done(ended, 0, problem=sentence))
                keep_job(self._service, ended)
                return
        self._end(job, JobState.FAILED, f"Nothing was imported. {sentence}")

    def _end(self, job: ImportJob, state: JobState, sentence: str) -> None:
        self._say(job, import_blocks.ended(job, sentence))
        keep_job(self._service, replace(job, state=state))


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
