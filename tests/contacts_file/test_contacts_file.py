"""Reading contacts out of whatever calls itself CSV."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.consent.model import ConsentValue, Evidence
from bot.consent.use_cases import Row
from handlers.contacts_file import UnreadableFile, open_contacts, write_rejected

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 3, 14, 2, tzinfo=UTC)


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "contacts.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rows(folder: Path, content: str | bytes) -> list[Row]:
    with open_contacts(written(folder, content)) as contacts:
        found = list(contacts.read(NOW))
        assert contacts.rows == len(found)
        return found


def row(folder: Path, header: str, line: str) -> Row:
    (found,) = rows(folder, f"{header}\n{line}\n")
    return found


def refusal(folder: Path, content: str | bytes) -> str:
    with pytest.raises(UnreadableFile) as refused, open_contacts(written(folder, content)):
        pass
    return refused.value.at_command_line


HEADER = "name,phone,email,sms_on,email_on,sms_bounce,email_bounce,company,external_id"


def test_a_row_in_the_words_of_the_contract_is_read_whole(tmp_path: Path) -> None:
    header = f"{HEADER},consent_source,consent_at"
    line = "Ana,+14155550100,ana@example.com,yes,no,no,yes,Acme,17,Web form,2026-05-03T10:00:00Z"
    found = row(tmp_path, header, line)

    assert found.problem is None
    assert found.line == 2
    details = found.details
    assert (details.name, details.phone, details.email) == (
        "Ana",
        "+14155550100",
        "ana@example.com",
    )
    assert (details.company, details.external_id) == ("Acme", "17")
    assert (found.sms, found.email) == (ConsentValue.YES, ConsentValue.NO)
    assert (found.sms_bounce, found.email_bounce) == (False, True)
    assert found.evidence == Evidence(text="Web form", at=datetime(2026, 5, 3, 10, tzinfo=UTC))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_marks_and_line_ends_of_every_spreadsheet_are_understood(
    tmp_path: Path, separator: str, mark: str, end: str
) -> None:
    lines = (separator.join(("name", "phone")), separator.join(("Gül", "+14155550100")))
    found = rows(tmp_path, mark + end.join(lines) + end)

    assert [(row.line, row.details.name, row.details.phone) for row in found] == [
        (2, "Gül", "+14155550100")
    ]


def test_the_line_in_which_excel_names_its_separator_is_no_header(tmp_path: Path) -> None:
    (found,) = rows(tmp_path, "sep=;\r\nname;phone\r\nAna;+14155550100\r\n")

    assert (found.line, found.details.name) == (3, "Ana")


@pytest.mark.parametrize(
    "header",
    [
        "Name,Phone Number,Email Address,SMS On,Email On",
        "full name,MOBILE,E-Mail,Sms_Opt-In,email opted in",
        "Contact Name,Mobile Phone Number,Email,SMS Consent,Email Consent",
        "name,Phone 1 - Value,E-mail 1 - Value,SMS Marketing Consent,Email Marketing Consent",
        "NAME,cell phone,email_address,Accepts SMS Marketing,Accepts Email Marketing",
    ],
)
def test_the_headers_of_the_usual_exports_are_understood(tmp_path: Path, header: str) -> None:
    found = row(tmp_path, header, "Ana,+14155550100,ana@example.com,subscribed,unsubscribed")

    assert (found.details.phone, found.details.email) == ("+14155550100", "ana@example.com")
    assert (found.sms, found.email) == (ConsentValue.YES, ConsentValue.NO)


def test_first_and_last_name_are_one_name(tmp_path: Path) -> None:
    assert row(tmp_path, "Last Name,First Name,Phone", "Gómez,Ana,1").details.name == "Ana Gómez"
    assert row(tmp_path, "First Name,Last Name,Phone", "Ana,,1").details.name == "Ana"


def test_the_mobile_number_comes_before_another_one(tmp_path: Path) -> None:
    header = "Name,Phone Number,Mobile Phone Number"

    assert row(tmp_path, header, "Ana,1,2").details.phone == "2"
    assert row(tmp_path, header, "Ana,1,").details.phone == "1"


@pytest.mark.parametrize(
    ("header", "line", "sms", "email"),
    [
        ("name,phone,email,Opt-In", "A,1,a@b.c,yes", ConsentValue.YES, ConsentValue.YES),
        ("name,phone,email,Opt-In", "A,1,a@b.c,no", ConsentValue.NO, ConsentValue.NO),
        ("name,phone,email,SMS On,Opt-In", "A,1,a@b.c,,yes", ConsentValue.UNSET, ConsentValue.YES),
        ("name,phone,email,SMS On,Opt-In", "A,1,a@b.c,yes,no", ConsentValue.NO, ConsentValue.NO),
        ("name,phone,Email Opt Out", "A,1,true", ConsentValue.UNSET, ConsentValue.NO),
        ("name,phone,Email Opt Out", "A,1,false", ConsentValue.UNSET, ConsentValue.UNSET),
        ("name,phone,email,Unsubscribed", "A,1,a@b.c,yes", ConsentValue.NO, ConsentValue.NO),
        ("name,phone,SMS On,SMS Opt Out", "A,1,yes,yes", ConsentValue.NO, ConsentValue.UNSET),
    ],
)
def test_a_refusal_in_any_column_counts_and_a_yes_only_where_nothing_else_speaks(
    tmp_path: Path, header: str, line: str, sms: ConsentValue, email: ConsentValue
) -> None:
    found = row(tmp_path, header, line)

    assert (found.sms, found.email) == (sms, email)


@pytest.mark.parametrize(
    ("word", "on"),
    [
        *(
            (word, ConsentValue.YES)
            for word in ("yes", "TRUE", "1", "Opted in", "opted-in", "SUBSCRIBED")
        ),
        *((word, ConsentValue.NO) for word in ("no", "False", "0", "opted out", "Unsubscribed")),
        *(
            (word, ConsentValue.UNSET)
            for word in ("", "NEVER_SUBSCRIBED", "not_subscribed", "unset", "null")
        ),
    ],
)
def test_words_for_yes_no_and_neither(tmp_path: Path, word: str, on: ConsentValue) -> None:
    assert row(tmp_path, "name,phone,sms_on", f"Ana,1,{word}").sms is on


def test_a_word_that_is_not_understood_stops_the_file_and_is_said_with_its_column(
    tmp_path: Path,
) -> None:
    sentence = refusal(tmp_path, "name,phone,Opt In Status\nAna,1,perhaps\nBen,2,yes\n")

    assert sentence == (
        "The column “Opt In Status” holds a word that Optin does not understand: “perhaps”. Write "
        "yes, no or nothing instead, or leave the column out: "
        '--ignore "Opt In Status".\nNothing was imported.'
    )


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-05-03", datetime(2026, 5, 3, 23, 59, 59, tzinfo=UTC)),
        ("2026-05-03T10:00", datetime(2026, 5, 3, 10, tzinfo=UTC)),
        ("2026-05-03 10:00:00+02:00", datetime(2026, 5, 3, 8, tzinfo=UTC)),
        ("2026-11-03", NOW),
        ("2026-11-04", NOW),  # today already, east of here
        ("2030-01-01", datetime(2030, 1, 1, 23, 59, 59, tzinfo=UTC)),  # for the import to refuse
    ],
)
def test_a_day_ends_at_its_end_but_not_after_now(tmp_path: Path, text: str, at: datetime) -> None:
    found = row(tmp_path, "name,phone,consent_source,consent_at", f"Ana,1,Form,{text}")

    assert found.evidence == Evidence(text="Form", at=at)


@pytest.mark.parametrize("text", ["05/03/2026", "3 May 2026", "2026-13-01", "yesterday", "43952"])
def test_a_time_that_can_be_read_in_two_ways_is_said(tmp_path: Path, text: str) -> None:
    found = row(tmp_path, "name,phone,consent_source,Consent Date", f"Ana,1,Form,{text}")

    assert found.problem == "Consent Date has to be like 2026-05-31 or 2026-05-31T14:00:00Z."


def test_white_space_is_no_evidence(tmp_path: Path) -> None:
    found = row(tmp_path, "name,phone,consent_source", "Ana,1, \u200b\t ")

    assert found.evidence is None


def test_evidence_of_one_channel_is_kept_apart(tmp_path: Path) -> None:
    header = "name,phone,email,sms_consent_source,email_consent_source"
    found = row(tmp_path, header, "Ana,1,a@b.c,Form,Receipt")

    assert found.evidence is None
    assert found.sms_evidence == Evidence(text="Form")
    assert found.email_evidence == Evidence(text="Receipt")


def test_the_guard_of_an_export_and_the_formula_around_a_text_are_taken_off(tmp_path: Path) -> None:
    header = "name,phone,external_id"
    found = row(tmp_path, header, '\'=1+1,"=""+14155550100""",\'\'@x')

    assert (found.details.name, found.details.phone) == ("=1+1", "+14155550100")
    assert found.details.external_id == "'@x"


def test_a_formula_is_no_phone_number(tmp_path: Path) -> None:
    found = row(tmp_path, "name,phone", 'Ana,"=HYPERLINK(""tel:+14155550100"")"')

    assert found.problem == "A formula stands where the phone number should be."


def test_a_quotation_mark_that_never_closes_costs_its_own_row(tmp_path: Path) -> None:
    content = 'name,phone\nAna,1\n"Ben,2\nCy,3\nDan,"4\nEva,5\n'
    found = rows(tmp_path, content)

    assert [(row.line, row.problem is None) for row in found] == [
        (2, True),
        (3, False),
        (4, True),
        (5, False),
        (6, True),
    ]
    assert "quotation mark" in (found[1].problem or "")


def test_a_quotation_mark_that_closes_in_another_row_costs_no_other(tmp_path: Path) -> None:
    content = 'name,phone\n"Ana,1\nBen,2\n"Cy",3\nDan,4\n'
    found = rows(tmp_path, content)

    assert [(row.line, row.problem is None) for row in found] == [
        (2, False),
        (3, True),
        (4, True),
        (5, True),
    ]


def test_a_value_may_have_several_lines(tmp_path: Path) -> None:
    found = rows(tmp_path, 'name,phone,company\nAna,1,"Acme\n2nd floor"\nBen,2,\n')

    assert [(row.line, row.details.company) for row in found] == [(2, "Acme\n2nd floor"), (4, None)]


def test_a_separator_that_is_not_quoted_costs_its_row(tmp_path: Path) -> None:
    found = rows(tmp_path, "name,phone\nGómez, Ana,1\nBen,2\nCy\n")

    assert [row.problem is None for row in found] == [False, True, True]
    assert "more than 2 cells" in (found[0].problem or "")


def test_a_nul_costs_its_row(tmp_path: Path) -> None:
    found = rows(tmp_path, "name,phone\nA\0na,1\nBen,2\n")

    assert [row.problem for row in found] == ["There is a NUL character in this row.", None]


def test_empty_lines_are_passed_over_and_counted(tmp_path: Path) -> None:
    found = rows(tmp_path, "\n\nname,phone\n\n,\nAna,1\n\n")

    assert [row.line for row in found] == [6]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty."),
        (b"\xef\xbb\xbf\n\n", "The file is empty."),
        (b"name,phone\nAna,1\nG\x81mez,2\n", "Line 3 is not Windows-1252"),
        ("name,phone\n".encode("utf-16"), "no rows"),
        (b"name,phone\n \t,\n", "no rows"),
        (b"PK\x03\x04" + bytes(range(256)), "Excel workbook or another zip"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "an image"),
        (b"\xd0\xcf\x11\xe0" + bytes(range(256)), "old Excel workbook"),
        (b"%PDF-1.7\nname,phone\n", "a PDF"),
        (b"Ana,+14155550100,yes\n", "The first line has to name the columns"),
        (b"name,sms_on\nAna,yes\n", "no column for an address"),
        (b"phone\n1\n", "no column for the name"),
        (b"phone,Created\n+14155550100,1\n", "--as opt-outs"),
        (b"+14155550100\n", "--as opt-outs"),
        (b"name,phone" + b",x" * 2_000 + b"\n", "more than 2,000 columns"),
        (b"," * 5_000_000, "empty"),
        (b"name,phone," + b"x," * 5_000_000, "Line 1: The line is longer"),
    ],
)
def test_what_is_wrong_with_a_whole_file_is_said_before_anything_is_read(
    tmp_path: Path, content: bytes, said: str
) -> None:
    sentence = refusal(tmp_path, content)

    assert said in sentence
    assert "14155550100" not in sentence


def test_a_file_that_is_not_there_and_a_folder_are_said(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="No such file"), open_contacts(tmp_path / "no.csv"):
        pass
    with pytest.raises(UnreadableFile, match="is no file"), open_contacts(tmp_path):
        pass


def test_a_line_of_200_megabytes_is_never_held_and_costs_itself_alone(tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    with path.open("wb") as file:
        file.write(b"name,phone\nAna,1\n")
        for _ in range(200):
            file.write(b"x" * 1_000_000)
        file.write(b"\nBen,2\n")
    probe = (
        "import re, sys, pathlib\n"
        "from handlers.contacts_file import open_contacts\n"
        "with open_contacts(pathlib.Path(sys.argv[1])) as contacts:\n"
        "    for one in contacts.records(): print(one.line, len(str(one.cells)), one.problem)\n"
        "status = pathlib.Path('/proc/self/status').read_text()\n"
        "print(int(re.search('VmHWM: *(.*) kB', status.replace(chr(9), ' '))[1]) // 1024)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe, str(path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    *records, megabytes = done.stdout.splitlines()

    assert records == [
        "2 12 None",
        "3 204 The line is longer than 100,000 characters.",
        "4 12 None",
    ]
    assert int(megabytes) < 64


def test_rejected_rows_keep_their_columns_and_can_be_imported_again(tmp_path: Path) -> None:
    content = '\ufeffname;phone;note\nAna;1;x\n=Ben;2;"a;b"\nCy, C;3\nDan;4;5;6\n'
    with open_contacts(written(tmp_path, content)) as contacts:
        path = write_rejected(
            contacts,
            tmp_path / "contacts.csv",
            {3: "wrong", 4: "=bad", 5: "too many"},
        )
    file = path.read_bytes()

    assert file.decode() == (
        "\ufeffname;phone;note;line;reason\n"
        '\'=Ben;2;"a;b";3;wrong\n'
        '"Cy, C";3;;4;\'=bad\n'
        'Dan;4;"5;6";5;too many\n'
    )

    mended = rows(tmp_path, file)

    assert [row.details.name for row in mended] == ["=Ben", "Cy, C", "Dan"]

    with open_contacts(path) as contacts:
        again = write_rejected(contacts, path, {2: "still wrong"})

    assert (path.name, again.name) == ("contacts.rejected.csv", "contacts.rejected.rejected.csv")
    assert again.read_text("utf-8").splitlines() == [
        "\ufeffname;phone;note;line;reason",
        '\'=Ben;2;"a;b";2;still wrong',
    ]


def test_the_rejected_rows_never_replace_a_file_that_somebody_may_be_correcting(
    tmp_path: Path,
) -> None:
    source = written(tmp_path, "name,phone\nAna,1\n")
    mended = tmp_path / "contacts.rejected.csv"
    mended.write_text("mended", "utf-8")
    mended.chmod(0o644)
    with open_contacts(source) as contacts:
        found = [write_rejected(contacts, source, {2: "wrong"}) for _ in range(2)]

    assert [path.name for path in found] == ["contacts.rejected-2.csv", "contacts.rejected-3.csv"]
    assert {path.stat().st_mode & 0o777 for path in found} == {0o600}
    assert mended.read_text("utf-8") == "mended"
