"""What the failure of an import's step means: another attempt, or the end."""

from __future__ import annotations

import logging

from bot.consent.errors import OptinError
from bot.consent.use_cases.imports.stored_jobs import ImportJob, JobState
from handlers.slack.alerts.slack_errors import CALL_FAILED, slack_failure
from handlers.slack.response_url import SLACK_FAILED
from handlers.slack.slack_faults import lasting, passes
from handlers.slack.uploaded_file import Unfetched

logger = logging.getLogger(__name__)

#: Attempts of one step, a minute apart, before it is given up.
MOST_ATTEMPTS = 5
#: … where Import was pressed already, and Slack's fault passes by itself: a day of them.
_MOST_WHILE_IT_PASSES = 24 * 60

_BROKEN = "Something broke on our side."
_FILE_NOT_GIVEN = ("Slack did not give the file.", "Upload it again.")
#: By what was to be done; the second where nobody has to mend Slack first.
_NOT_GIVEN = {
    JobState.READING: _FILE_NOT_GIVEN,
    JobState.IMPORTING: _FILE_NOT_GIVEN,
    JobState.TELLING: ("Slack did not take the file.", ""),
    JobState.UNDOING: ("Slack did not answer.", "Press the button again."),
}


def given_up(job: ImportJob, error: Exception) -> str:
    """What the manager reads where the step is given up; empty where it is tried again."""
    if isinstance(error, (Unfetched, *CALL_FAILED)):
        failed = None if isinstance(error, Unfetched) else error
        word = "the file was not given" if failed is None else slack_failure(failed).word
        logger.warning("import %s has to wait for Slack: %s", job.id, word)
        fault = lasting(failed) if failed else None
        waits = job.state is not JobState.READING and isinstance(failed, SLACK_FAILED)
        most = _MOST_WHILE_IT_PASSES if waits and passes(error) else MOST_ATTEMPTS
        if fault or job.attempts >= most:
            sentence, usual = _NOT_GIVEN[job.state]
            return f"{sentence} {fault or usual}".strip()
        return ""
    if isinstance(error, OptinError):
        return error.public_sentence
    logger.error("import %s failed: %s", job.id, type(error).__name__)
    return _BROKEN if job.attempts >= MOST_ATTEMPTS else ""
