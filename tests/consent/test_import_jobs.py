"""Imports as jobs: taken up by any replica, and gone on with after a kill."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot.consent.errors import Changed, NotAllowed, Refused
from bot.consent.model import ConsentValue
from bot.consent.use_cases import Details, Row, Service, import_rows, undo_import
from bot.consent.use_cases.imports.import_jobs import (
    LEASE,
    REDRAWN_WITHIN,
    JobProgress,
    Overtaken,
    claim_job,
    decide_job,
    job_redrawn,
    keep_job,
    rejected_rows,
    renew_job,
    start_job,
    sweep_jobs,
)
from bot.consent.use_cases.imports.stored_jobs import ImportJob, JobState
from bot.runtime.clock import Stopped
from tests.support.consent_fixtures import AGENT, MANAGER, OPERATOR, told

pytestmark = pytest.mark.every_storage

OTHER = "slack:U0MANAGER2"


def started(service: Service) -> ImportJob:
    return start_job(service, MANAGER, file="F1", name="list.csv", kind="", provider="")


def claimed(service: Service, owner: str = "a") -> ImportJob:
    job = claim_job(service, owner)
    assert job is not None
    return job


def importing(service: Service) -> ImportJob:
    """A job whose rows are to be imported now."""
    started(service)
    job = claimed(service)
    keep_job(service, ImportJob(**{**_fields(job), "state": JobState.READY}))
    decide_job(service, MANAGER, job.id, asked_in={JobState.READY}, state=JobState.IMPORTING)
    return claimed(service)


def _fields(job: ImportJob) -> dict[str, object]:
    return {name: getattr(job, name) for name in ImportJob.__dataclass_fields__}


def rows(count: int) -> Iterator[Row]:
    """Every tenth is no address, and every seventh says NO to what the row before has, too."""
    for n in range(count):
        phone = "nonsense" if n % 10 == 3 else f"+1415555{n - n % 2:04}"
        on = ConsentValue.NO if n % 7 == 0 else ConsentValue.YES
        yield Row(line=n + 2, details=Details(name=f"Ana {n}", phone=phone), sms=on)


class Killed(BaseException):
    """Stands for a kill: nothing after it is stored."""


def run(service: Service, job: ImportJob, count: int, *, killed_after: int | None = None) -> None:
    def progress(done: int) -> None:
        if killed_after is not None and done >= killed_after:
            raise Killed

    import_rows(
        service,
        rows(count),
        file=job.name,
        actor=MANAGER,
        checkpoint=JobProgress(service, job),
        progress=progress,
    )


@pytest.mark.parametrize("killed_after", [1, 300, 600])
def test_a_killed_import_ends_as_one_that_was_not(
    service: Service, clock: Stopped, killed_after: int
) -> None:
    plain: dict[int, str] = {}
    report = import_rows(
        service,
        rows(1_000),
        file="list.csv",
        actor=MANAGER,
        dry_run=True,
        reject=lambda row, reason: plain.update({row.line: reason}),
    )
    job = importing(service)
    with pytest.raises(Killed):
        run(service, job, 1_000, killed_after=killed_after)
    assert claim_job(service, "b") is None

    clock.advance(LEASE)
    again = claimed(service, "b")
    run(service, again, 1_000)

    job = decide_job(service, MANAGER, job.id, asked_in={JobState.TELLING}, state=JobState.UNDOING)
    assert job.rows == 1_000
    assert dict(job.counts) == dict(report.counts)
    assert rejected_rows(service, job) == plain
    kinds = [entry.after for entry in told(service) if entry.kind == "import"]
    assert kinds == ["started", "finished"]


def test_one_undo_takes_back_both_parts(service: Service, clock: Stopped) -> None:
    job = importing(service)
    with pytest.raises(Killed):
        run(service, job, 700, killed_after=300)
    clock.advance(LEASE)
    run(service, claimed(service, "b"), 700)

    undo_import(service, job.import_id, OPERATOR, opt_outs=True, reason="Wrong file")

    with service.store.reading() as records:
        assert records.contacts.count() == 0


def test_a_replica_that_was_frozen_writes_nothing_more(service: Service, clock: Stopped) -> None:
    frozen = importing(service)
    clock.advance(LEASE)
    claimed(service, "b")

    with pytest.raises(Overtaken):
        run(service, frozen, 300)

    with service.store.reading() as records:
        assert records.contacts.count() == 0


def test_two_replicas_never_have_one_job(service: Service) -> None:
    started(service)

    assert claim_job(service, "a") is not None
    assert claim_job(service, "b") is None


def test_the_oldest_job_is_first(service: Service, clock: Stopped) -> None:
    first = started(service)
    clock.advance(timedelta(seconds=1))
    second = started(service)

    assert [claimed(service).id, claimed(service).id] == [first.id, second.id]


def test_only_managers_import(service: Service) -> None:
    with pytest.raises(NotAllowed):
        start_job(service, AGENT, file="F1", name="list.csv", kind="", provider="")


def test_a_press_upon_an_old_message_changes_nothing(service: Service) -> None:
    job = started(service)
    decide_job(service, MANAGER, job.id, asked_in={JobState.READING}, state=JobState.CANCELLED)

    with pytest.raises(Changed):
        decide_job(service, MANAGER, job.id, asked_in={JobState.READY}, state=JobState.IMPORTING)
    assert claim_job(service, "a") is None


def test_the_button_undoes_for_one_day(service: Service, clock: Stopped) -> None:
    job = importing(service)
    run(service, job, 10)
    clock.advance(timedelta(days=1, minutes=1))

    with pytest.raises(Refused, match="optin import --undo"):
        decide_job(service, MANAGER, job.id, asked_in={JobState.TELLING}, state=JobState.UNDOING)


def test_old_jobs_go_with_all_that_they_kept(service: Service, clock: Stopped) -> None:
    job = importing(service)
    run(service, job, 30)
    clock.advance(timedelta(days=8))
    kept = started(service)

    assert sweep_jobs(service) == 1
    assert rejected_rows(service, job) == {}
    with service.store.reading() as records:
        names = [name for name, _ in records.key_value.all()]
    assert sorted(names) == [f"import-job:{kept.id}", "import-jobs"]


def test_a_job_that_is_worked_at_is_not_removed_however_old_it_is(
    service: Service, clock: Stopped
) -> None:
    started(service)
    job = claimed(service)
    keep_job(service, ImportJob(**{**_fields(job), "state": JobState.READY}))
    clock.advance(timedelta(days=6, hours=23))
    decide_job(service, MANAGER, job.id, asked_in={JobState.READY}, state=JobState.IMPORTING)
    clock.advance(timedelta(hours=2))
    assert sweep_jobs(service) == 0
    job = claimed(service)

    assert sweep_jobs(service) == 0
    run(service, job, 30)


def test_a_renewed_job_is_nobody_elses_and_keeps_what_was_stored(
    service: Service, clock: Stopped
) -> None:
    job = importing(service)
    with pytest.raises(Killed):
        run(service, job, 700, killed_after=300)
    clock.advance(LEASE / 2)
    renew_job(service, job)
    clock.advance(LEASE / 2)

    assert claim_job(service, "b") is None
    clock.advance(LEASE)
    assert claimed(service, "b").rows == 300
    with pytest.raises(Overtaken):
        renew_job(service, job)


def test_an_import_that_gets_on_has_all_its_attempts_before_it(
    service: Service, clock: Stopped
) -> None:
    job = importing(service)
    for killed_after in (300, 600, 900):
        with pytest.raises(Killed):
            run(service, job, 1_000, killed_after=killed_after)
        clock.advance(LEASE)
        job = claimed(service)

    assert job.attempts == 2


def test_no_replica_begins_before_the_button_has_redrawn_its_message(
    service: Service, clock: Stopped
) -> None:
    started(service)
    job = claimed(service)
    keep_job(service, ImportJob(**{**_fields(job), "state": JobState.READY}))
    asked_in, state = {JobState.READY}, JobState.IMPORTING
    job = decide_job(service, MANAGER, job.id, asked_in=asked_in, state=state, redraws=True)
    assert claim_job(service, "a") is None

    job_redrawn(service, job)
    claimed(service, "a")
    job_redrawn(service, job)
    assert claim_job(service, "b") is None


def test_a_button_that_never_ends_holds_nobody_up_for_long(
    service: Service, clock: Stopped
) -> None:
    started(service)
    job = claimed(service)
    keep_job(service, ImportJob(**{**_fields(job), "state": JobState.READY}))
    asked_in, state = {JobState.READY}, JobState.IMPORTING
    decide_job(service, MANAGER, job.id, asked_in=asked_in, state=state, redraws=True)
    clock.advance(REDRAWN_WITHIN)

    claimed(service, "a")
