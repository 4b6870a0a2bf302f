"""A list of addresses as people paste it, and the same list with its answers, in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from bot.consent.model import Channel
from bot.consent.use_cases import AddressVerdict, CheckedAddress
from handlers.cells import defused, line
from handlers.contacts_file import UnreadableFile, addresses_of, lines_of
from handlers.vocabulary import doer, icon_and_word

#: `Ana Gómez <ana@example.com>`, as mail programs copy it.
_IN_BRACKETS = re.compile(r"<([^<>]+)>")
_SEPARATORS = re.compile(r"[,;\t]")
_ADDRESS = re.compile(r"[\d@＠]")
_LOOKS_RIGHT = re.compile(r".[@＠].|(?:\d\D{0,3}){7}")

#: Icon and words of a line that can't be read; the others have those of their status.
UNREADABLE = ("⚠️", "Can't be read")
_HEADER = ("given", "address", "channel", "answer", "status", "reason", "next_step", "contact")


def read_addresses(lines: Iterable[str]) -> Iterator[str]:
    """The addresses of a list: one or several to a line, alone or behind a name. A line without
    any is given as it stands, so that its reader is told; but a heading in the first line is not.
    """
    for number, text in enumerate(lines):
        text = text.strip()
        pieces = [_bare(one) for piece in _SEPARATORS.split(text) for one in _mailboxes(piece)]
        addresses = [piece for piece in pieces if _ADDRESS.search(piece)]
        yield from addresses or ([text] if text and number else [])


def read_list(path: Path) -> Iterator[str]:
    """The addresses of a file: those of its columns of addresses; where it has no such columns,
    those of its lines.

    Raises `UnreadableFile` where there are neither, and `OSError`.
    """
    try:
        yield from addresses_of(path)
    except UnreadableFile:
        found = list(read_addresses(lines_of(path)))
        if not any(map(_LOOKS_RIGHT.search, found)):
            raise
        yield from found


def write_answers(answers: Iterable[CheckedAddress]) -> Iterator[str]:
    """Line by line, as CSV, with the reason and the next step of each."""
    yield line(_HEADER)
    for one in answers:
        channel = one.channel.word if one.channel else ""
        contact = one.contact.name if one.contact else ""
        given, address = one.text, one.address or ""
        status = status_of(one)[1]
        cells = (given, address, channel, one.verdict, status, reason(one), next_step(one), contact)
        yield line(map(defused, cells))


def status_of(one: CheckedAddress) -> tuple[str, str]:
    """Its icon and its words."""
    return icon_and_word(one.decision) if one.decision else UNREADABLE


def reason(one: CheckedAddress) -> str:
    """Why this is the answer, as far as anything has to be said."""
    if one.decision is None:
        return one.problem or ""
    noun = "number" if one.channel is Channel.SMS else "address"
    said = [gate.reason for gate in one.decision.gates]
    if not one.holders:
        said.insert(0, f"No contact has this {noun}.")
    elif one.holders > 1 and one.contact:
        about = f"{one.holders} contacts have this {noun}; this is about {one.contact.name}."
        said.append(about)
    said += one.decision.notes
    for sender, other in one.others.items():
        gates = " ".join(gate.reason for gate in other.gates)
        said.append(f"From {sender}: {icon_and_word(other)[1]}. {gates}".strip())
    return " ".join(said)


def next_step(one: CheckedAddress) -> str:
    """What has to happen before messages are sent, and who does it."""
    if one.decision is None:
        return "Correct it in the list."
    gates = [*one.decision.gates]
    for other in one.others.values():
        gates += (gate for gate in other.gates if gate not in gates)
    return " ".join(f"{doer(gate)}: {gate.remedy}" for gate in gates)


#: What is said of all together, in this order.
_COUNTED = {
    AddressVerdict.YES: "may be sent to",
    AddressVerdict.NO: "may not",
    AddressVerdict.UNVERIFIED: "not verified",
    AddressVerdict.UNREADABLE: "can't be read",
}


def counts(answers: Iterable[CheckedAddress]) -> str:
    """How many answers there are of each kind: "2 may be sent to · 1 may not"."""
    found = dict.fromkeys(_COUNTED, 0)
    for one in answers:
        found[one.verdict] += 1
    said = [f"{count:,} {_COUNTED[verdict]}" for verdict, count in found.items() if count]
    return " · ".join(said)


def _mailboxes(piece: str) -> list[str]:
    """Several in brackets may follow one another without a comma."""
    return _IN_BRACKETS.findall(piece) or [piece]


def _bare(piece: str) -> str:
    return piece.strip().strip('"').strip()
