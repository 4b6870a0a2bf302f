"""A suppression list as a provider's API or command line prints it: JSON with one object for each
address."""

from __future__ import annotations

import json
from io import FileIO

from handlers.contacts_file.csv_records import UnreadableFile

#: It is read as a whole.
_MOST_BYTES = 64 * 1024 * 1024


def is_json(text: str) -> bool:
    """Whether a file that begins so is JSON."""
    return text.lstrip()[:1] in ("{", "[")


def json_records(file: FileIO, encoding: str) -> list[list[str]]:
    """The titles, and the values of each object. Raises `UnreadableFile`."""
    file.seek(0)
    data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise UnreadableFile(f"The JSON is larger than {_MOST_BYTES // 1024**2} MB: split it.")
    try:
        found = _objects(json.loads(data.decode(encoding)))
    except (ValueError, RecursionError):
        found = _lines(data.decode(encoding))
    if not found:
        raise UnreadableFile('This is JSON without a list of objects, such as [{"email": …}, …].')
    titles = list(dict.fromkeys(title for one in found for title in one))
    return [titles, *([_text(one.get(title)) for title in titles] for one in found)]


def _objects(found: object) -> list[dict[str, object]]:
    """The first list of objects, however deep."""
    if isinstance(found, list) and found and all(isinstance(one, dict) for one in found):
        return found
    inside = found.values() if isinstance(found, dict) else ()
    return next((objects for one in inside if (objects := _objects(one))), [])


def _lines(text: str) -> list[dict[str, object]]:
    """One object a line."""
    try:
        found = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        return []
    return found if all(isinstance(one, dict) for one in found) else []


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
