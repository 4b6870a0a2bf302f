"""Whether a file is text at all, and in which encoding: what can be told without reading rows."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator
from io import FileIO

from handlers.contacts_file.csv_records import UnreadableFile

MOST_BYTES = 512 * 1024 * 1024
_BLOCK = 65_536

#: How other files begin.
_MAGIC = {
    b"PK\x03\x04": "an Excel workbook or another zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\xfd7zXZ": "an xz archive",
    b"Rar!": "a RAR archive",
    b"%PDF": "a PDF",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"GIF8": "an image",
    b"SQLite format 3": "a database",
}
#: By Python's names.
LABELS = {
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "cp1252": "Windows-1252",
}


def encoding_of(file: FileIO, named: str | None) -> str:
    """The file's encoding: as `named`, else UTF-16 by its byte order mark or its NULs, else UTF-8,
    else Windows-1252. Raises `UnreadableFile` for what is no text, empty, or too large."""
    start = file.read(4096)
    if not start.removeprefix(codecs.BOM_UTF8).strip(b"\r\n\t ,;"):
        raise UnreadableFile("The file is empty.")
    for magic, what in _MAGIC.items():
        if start.startswith(magic):
            raise UnreadableFile(f"This is {what}, not CSV: export the contacts as CSV (UTF-8).")
    if os.fstat(file.fileno()).st_size > MOST_BYTES:
        raise UnreadableFile(f"The file is larger than {MOST_BYTES // 1024**2} MB: split it.")
    if named is not None:
        return _checked(file, named)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _checked(file, "utf-16")
    if start.count(0) > len(start) // 5:
        return _checked(file, "utf-16-be" if start[:1] == b"\0" else "utf-16-le")
    return "utf-8-sig" if _undecodable(file, "utf-8") is None else _checked(file, "cp1252")


def _checked(file: FileIO, encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
        line = _undecodable(file, name)
    except (LookupError, UnicodeError):
        raise UnreadableFile(
            f"There is no encoding “{encoding}”. Usual ones are utf-8, utf-16, windows-1252, "
            "latin-1 and mac-roman."
        ) from None
    if line is not None:
        said = f"Line {line:,} is not {LABELS.get(name, encoding)}."
        raise UnreadableFile(
            f"{said} Export the contacts as CSV (UTF-8).",
            at_command_line=f"{said} Export the contacts as CSV (UTF-8), or name the file's "
            "encoding: --encoding NAME.",
        )
    return "utf-8-sig" if name == "utf-8" else name


def _undecodable(file: FileIO, encoding: str) -> int | None:
    """The line in which the file stops being in this encoding; None where it is throughout."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    try:
        for block in _blocks(file):
            line += decoder.decode(block).count("\n")
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return line + error.object.count(b"\n", 0, error.start)
    return None


def _blocks(file: FileIO) -> Iterator[bytes]:
    while block := file.read(_BLOCK):
        yield block
