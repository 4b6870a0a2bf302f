"""The one message that says to its manager how an import stands, to the end of the job."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from slack_sdk import WebClient

from bot.consent.use_cases import Service
from bot.consent.use_cases.imports.import_jobs import Overtaken, job_as_stored, keep_job
from bot.consent.use_cases.imports.stored_jobs import ImportJob, JobState
from handlers.slack.alerts.slack_errors import CALL_FAILED, ErrorKind, slack_failure
from handlers.slack.blocks.formatting import Block
from handlers.slack.direct_file import direct_messages
from handlers.slack.imports import import_blocks
from handlers.slack.imports.failed_attempts import MOST_ATTEMPTS

logger = logging.getLogger(__name__)


class ImportMessage:
    """Draws it, and keeps with the job where it is."""

    def __init__(self, service: Service, client: WebClient) -> None:
        self._service = service
        self._client = client

    def say(self, job: ImportJob, blocks: Sequence[Block]) -> ImportJob:
        """Draws the job's message anew; the first time, and where it was deleted, it is posted."""
        text = "Import"
        if job.ts:
            try:
                self._client.chat_update(
                    channel=job.slack_channel, ts=job.ts, text=text, blocks=blocks
                )
                return job
            except CALL_FAILED as error:
                if slack_failure(error).trouble is not ErrorKind.GONE:
                    raise
        channel = direct_messages(self._client, job.user)
        posted = self._client.chat_postMessage(channel=channel, text=text, blocks=blocks)
        return keep_job(self._service, replace(job, slack_channel=channel, ts=str(posted["ts"])))

    def show(self, job: ImportJob, blocks: Sequence[Block]) -> ImportJob:
        """The same of how far it came, for which no import stops."""
        try:
            return self.say(job, blocks)
        except CALL_FAILED as error:
            logger.warning("import %s is not shown: %s", job.id, slack_failure(error).word)
            return job

    def _fail(self, job: ImportJob, sentence: str) -> None:
        """Says what was done all the same, and ends the job."""
        stored = replace(job_as_stored(self._service, job), owner=job.owner)
        if stored.state is JobState.IMPORTING and stored.rows:
            stored = replace(stored, finished_at=self._service.now())
            stored = self.say(stored, import_blocks.done(stored, 0, problem=sentence))
        elif stored.state is JobState.TELLING:
            note = f"The rejected rows could not be sent. {sentence}"
            stored = self.say(stored, import_blocks.done(stored, 0, note=note))
        elif stored.state is JobState.UNDOING:
            note = f"The import could not be undone. {sentence}"
            stored = self.say(stored, import_blocks.done(stored, 0, note=note))
        else:
            said = import_blocks.ended(stored, f"Nothing was imported. {sentence}")
            stored = self.say(stored, said)
        self._keep_ended(stored)

    def _keep_ended(self, job: ImportJob) -> None:
        """What is imported can be undone, whatever failed after it."""
        imported = job.state in (JobState.TELLING, JobState.UNDOING)
        finished = job.finished_at or (self._service.now() if job.rows else None)
        state = JobState.DONE if imported else JobState.FAILED
        keep_job(self._service, replace(job, state=state, finished_at=finished))

    def end(self, job: ImportJob, state: JobState, sentence: str) -> None:
        job = self.say(job, import_blocks.ended(job, sentence))
        keep_job(self._service, replace(job, state=state))

    def give_up(self, job: ImportJob, sentence: str) -> None:
        """Ends the job. Where Slack does not take its message, the next attempt tries again; the
        last one ends the job without."""
        try:
            self._fail(job, sentence)
        except Overtaken:
            logger.info("import %s goes on elsewhere", job.id)
        except CALL_FAILED as error:
            word = slack_failure(error).word
            logger.warning("the end of import %s could not be told: %s", job.id, word)
            if job.attempts >= MOST_ATTEMPTS:
                stored = job_as_stored(self._service, job)
                with suppress(Overtaken):
                    self._keep_ended(replace(stored, owner=job.owner))
