"""Whether a file is text at all, and how large: what can be told without reading rows."""

from __future__ import annotations

import codecs
import os
from io import FileIO

from handlers.contacts_file.csv_records import UnreadableFile

MOST_BYTES = 512 * 1024 * 1024

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


def check_shape(file: FileIO) -> None:
    """Raises `UnreadableFile` for what is no text, empty, or too large."""
    start = file.read(4096)
    if not start.removeprefix(codecs.BOM_UTF8).strip(b"\r\n\t ,;"):
        raise UnreadableFile("The file is empty.")
    for magic, what in _MAGIC.items():
        if start.startswith(magic):
            raise UnreadableFile(f"This is {what}, not CSV: export the contacts as CSV (UTF-8).")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or _every_other_is_nul(start):
        raise UnreadableFile("The file is UTF-16: export the contacts as CSV (UTF-8).")
    if os.fstat(file.fileno()).st_size > MOST_BYTES:
        raise UnreadableFile(f"The file is larger than {MOST_BYTES // 1024**2} MB: split it.")


def undecodable(file: FileIO) -> UnreadableFile:
    """Says in which line the file stops being UTF-8."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = 1
    while block := file.read(65536):
        try:
            decoder.decode(block)
        except UnicodeDecodeError as error:
            line += error.object.count(b"\n", 0, error.start)
            break
        line += block.count(b"\n")
    return UnreadableFile(
        f"Line {line:,} is not UTF-8, but an older encoding perhaps: export the contacts as CSV "
        "(UTF-8)."
    )


def _every_other_is_nul(start: bytes) -> bool:
    return start.count(0) > len(start) // 5
