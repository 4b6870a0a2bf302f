"""Contacts out, and in again: nothing is lost, and no cell is a formula."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.consent.model import Channel, ConsentValue, Contact
from bot.consent.store import Store
from bot.consent.use_cases import Details, Service, StatusUpdate, add, change, export, import_rows
from bot.runtime.clock import Stopped
from handlers.cells import defused, line, plain
from handlers.contacts_file import open_contacts, write_csv, write_json
from tests.support.consent_fixtures import NOW, OPERATOR, open_service

pytestmark = pytest.mark.every_storage

DANGEROUS = "=+-@\t\r\n\x00\x1b＝＋－＠"


def exported(service: Service) -> str:
    return "".join(write_csv(export(service)))


def imported(service: Service, path: Path) -> None:
    with open_contacts(path) as contacts:
        report = import_rows(service, contacts.read(NOW), file=path.name, actor=OPERATOR)
    assert not report.rejected


@given(st.text(alphabet=st.one_of(st.sampled_from(DANGEROUS + "'\",;ab1"), st.characters())))
def test_every_text_comes_back_from_its_defused_cell(text: str) -> None:
    cell = defused(text)

    assert plain(cell) == text
    assert cell[:1] not in DANGEROUS or cell == "" or (cell[0] == "+" and cell[1:].isdigit())


@pytest.mark.parametrize(
    "cell",
    [
        "Acme;=HYPERLINK(A1);Ltd",
        "Acme;=1+1",
        "Acme; =1+1",
        'Acme;"=1+1"',
        "Acme;'=1+1",
        "Acme\t@SUM(A1)",
        "Acme\n=1+1",
        "Acme;+1+1;-1",
    ],
)
@pytest.mark.parametrize("separator", [";", "\t"])
def test_no_cell_is_a_formula_where_the_file_is_opened_with_another_separator(
    cell: str, separator: str
) -> None:
    """Quotes around the whole cell don't help: there, they stand in the middle of one."""
    written = line([defused("7"), defused(cell), defused("end")])
    read = list(csv.reader(io.StringIO(written, newline=""), delimiter=separator))

    assert plain(defused(cell)) == cell
    for one in (one.strip(" \"'\t") for row in read for one in row if not one.startswith("'")):
        assert one[:1] not in ("=", "+", "-", "@"), read


@given(
    st.lists(
        st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"])), min_size=1
    )
)
def test_a_line_is_read_as_the_cells_that_were_written(cells: list[str]) -> None:
    read = next(csv.reader(io.StringIO(line([*cells, "end"]), newline=""), strict=True))

    assert read == [*cells, "end"]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_cell_does_not_fall_apart_where_another_separator_rules(separator: str) -> None:
    written = line(["a", f"b{separator}=1+1"])

    assert f'"b{separator}=1+1"' in written


def test_an_export_imported_elsewhere_is_the_same_export(
    service: Service, clock: Stopped, tmp_path: Path
) -> None:
    names = [
        "Ana Gómez",
        "=cmd|' /C calc'!A0",
        "'=Ben",
        "@Cy, Jr.",
        '"Dan"',
        "−Eva",
        "'Finn",
        "גיל",
    ]
    for number, name in enumerate(names):
        details = Details(
            name=name,
            phone=f"+1415555{number:04}",
            email=f"a{number}@example.com" if number % 2 else None,
            company='-Acme; "Sons"' if number % 3 else None,
            external_id=f"+{number}" if number % 4 else None,
        )
        contact = add(service, details, OPERATOR)
        clock.advance(timedelta(seconds=61))
        sms = StatusUpdate(
            sms=ConsentValue.YES if number % 2 else ConsentValue.NO, evidence=f"=Form {number}"
        )
        change(service, contact.id, sms, OPERATOR)
        if number % 2:
            clock.advance(timedelta(hours=1))
            email = StatusUpdate(email=ConsentValue.YES, evidence=f"Receipt {number % 3}")
            change(service, contact.id, email, OPERATOR)
    first = exported(service)
    path = tmp_path / "contacts.csv"
    path.write_text(first, "utf-8")
    other = open_service(tmp_path / "other" / "optin.json", clock)
    clock.advance(timedelta(days=1))
    imported(other, path)
    second = exported(other)
    imported(service, path)
    third = exported(service)
    evidence = [
        [contact.consent(channel).evidence for channel in Channel]
        for store in (service.store, other.store)
        for contact in _contacts(store)
    ]
    other.store.close()

    assert second == first
    assert third == first
    assert evidence[: len(names)] == evidence[len(names) :]


def _contacts(store: Store) -> list[Contact]:
    with store.reading() as records:
        return list(records.contacts.all())


def test_no_cell_of_an_export_is_a_formula_and_numbers_stay_as_they_are(service: Service) -> None:
    for number, sign in enumerate("=+-@＝＋－＠"):
        details = Details(name=f"{sign}1+1", phone=f"+1415555{number:04}", company=f"{sign}x")
        add(service, details, OPERATOR)
    rows = list(csv.DictReader(io.StringIO(exported(service), newline="")))

    assert [row["phone"] for row in rows] == [f"+1415555{number:04}" for number in range(8)]
    assert all(row["name"][0] == row["company"][0] == "'" for row in rows)


def test_evidence_of_one_channel_is_not_exported_as_that_of_the_other(service: Service) -> None:
    details = Details(name="Ana", phone="+14155550100", email="ana@example.com")
    contact = add(service, details, OPERATOR)
    change(service, contact.id, StatusUpdate(sms=ConsentValue.YES, evidence="Form"), OPERATOR)
    (one,) = csv.DictReader(io.StringIO(exported(service), newline=""))
    change(service, contact.id, StatusUpdate(email=ConsentValue.YES, evidence="Receipt"), OPERATOR)
    (two,) = csv.DictReader(io.StringIO(exported(service), newline=""))

    assert (one["consent_source"], one["sms_consent_source"]) == ("Form", "")
    assert (two["consent_source"], two["sms_consent_source"], two["email_consent_source"]) == (
        "",
        "Form",
        "Receipt",
    )
    assert (one["sms_answer"], one["email_answer"]) == ("yes", "no")


def test_json_is_one_list_however_many_there_are(service: Service) -> None:
    def dumped() -> object:
        return json.loads("".join(write_json(export(service), lambda p: {"id": p.contact.id})))

    none = dumped()
    ids = [
        add(service, Details(name=f"A{i}", phone=f"+1415555010{i}"), OPERATOR).id for i in range(3)
    ]

    assert none == []
    assert dumped() == [{"id": id} for id in ids]
