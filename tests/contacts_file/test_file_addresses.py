"""The addresses in a file that is checked and not imported."""

from __future__ import annotations

from pathlib import Path

import pytest

from handlers.contacts_file import UnreadableFile, addresses_of


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (
            "Name,Phone,Email,Order\nAna,+1 415 555 0100,ana@example.com,17\n",
            {"+1 415 555 0100", "ana@example.com"},
        ),
        ("+14155550100\n+14155550101\n", {"+14155550100", "+14155550101"}),
        ("ana@example.com\n", {"ana@example.com"}),
        ("Phone;Status\n'+14155550100;whatever\n", {"+14155550100"}),
        ("Phone,SMS consent\n+14155550100,perhaps\n", {"+14155550100"}),
        ("Phone,Email\n,\nnonsense,ana@example.com\n", {"nonsense", "ana@example.com"}),
    ],
)
def test_addresses_are_found_by_the_meaning_of_their_columns(
    tmp_path: Path, content: str, found: set[str]
) -> None:
    path = tmp_path / "list.csv"
    path.write_text(content)

    assert set(addresses_of(path)) == found


def test_utf_16_is_read(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes("E-mail\nana@example.com\n".encode("utf-16"))

    assert list(addresses_of(path)) == ["ana@example.com"]


@pytest.mark.parametrize("content", ["", "Name\nAna\n"])
def test_a_file_without_addresses_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "list.csv"
    path.write_text(content)

    with pytest.raises(UnreadableFile):
        list(addresses_of(path))
