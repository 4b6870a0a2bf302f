"""Describe how Optin read a file's columns, in lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bot.consent.model import Channel
from handlers.contacts_file.columns import KINDS, Column, Columns, Kind, Use
from handlers.contacts_file.read_file import ContactsFile

_HEADS = ("Column", "means", "yes", "no", "bounced", "unset")
#: Longer titles are cut.
_WIDEST = 40
_MEANS = {
    Column.SMS_ON: "SMS On",
    Column.EMAIL_ON: "Email On",
    Column.OPT_IN: "opt-in",
    Column.SMS_OPT_OUT: "opt-out of texts",
    Column.EMAIL_OPT_OUT: "opt-out of e-mail",
    Column.OPT_OUT: "opt-out",
    Column.SMS_ACTIVE: "a no opts out of texts",
    Column.EMAIL_ACTIVE: "a no opts out of e-mail",
    Column.SMS_BOUNCE: "SMS Bounce",
    Column.EMAIL_BOUNCE: "Email Bounce",
    Column.BOUNCE: "bounce",
    Column.COMPLAINT: "spam complaint",
    Column.STATUS: "status",
    Column.LIST_REASON: "reason of the suppression",
    Column.DO_NOT_CALL: "Do Not Call: a note, and no SMS YES",
}
#: The meaning of a title without a channel, if only one channel is possible.
_OF_CHANNEL: Mapping[tuple[Kind, tuple[Channel, ...]], Column] = {
    (kind, channels): column
    for column, (kind, channels) in KINDS.items()
    if kind in (Kind.OPT_IN, Kind.OPT_OUT, Kind.BOUNCE) and channels
}
_SEVERAL = {
    Column.NAME: "The name",
    Column.MOBILE: "The phone number",
    Column.EMAIL: "The e-mail address",
    Column.COMPANY: "The company",
    Column.EXTERNAL_ID: "The external id",
}


def describe(contacts: ContactsFile) -> Iterator[str]:
    """The encoding if it is not UTF-8, the columns about consent with their counts, the column that
    wins over others with the same meaning, and the columns that are not used."""
    columns = contacts.columns
    if contacts.encoding != "UTF-8":
        yield f"The file is read as {contacts.encoding}."
    yield from _table(contacts)
    for use in columns.consent:
        general = len(use.channels) > 1 or use.kind is Kind.OPT_IN
        if use.column in (Column.OPT_IN, Column.OPT_OUT) and general and not use.filled:
            yield f"Column {use.title} is read as {_read_as(use, columns)}."
    yield from _winners(columns)
    if columns.elsewhere:
        yield f"Not about texts or e-mail: {', '.join(columns.elsewhere)}."
    if columns.details:
        yield f"Details, not answers: {', '.join(columns.details)}."
    if columns.ignored:
        yield f"Left out as you asked: {', '.join(columns.ignored)}."
    if columns.unused:
        yield f"Not used: {', '.join(columns.unused)}."


def _table(contacts: ContactsFile) -> Iterator[str]:
    rows = [
        (
            one.use.title[:_WIDEST],
            _means(one.use),
            *(f"{count:,}" for count in (one.yes, one.no, one.bounced, one.unset)),
        )
        for one in contacts.tallies
    ]
    if rows:
        yield from _aligned([_HEADS, *rows])


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for title, means, *counts in rows:
        numbers = (f"{count:>{width}}" for count, width in zip(counts, widths[2:], strict=True))
        yield f"  {title:<{widths[0]}}  {means:<{widths[1]}}  {'  '.join(numbers)}"


def _means(use: Use) -> str:
    said = _MEANS[_OF_CHANNEL.get((use.kind, use.channels), use.column)]
    if not use.agreed:
        return "date of the opt-in"
    if not use.filled:
        return said
    return f"{said}, where filled"


def _read_as(use: Use, columns: Columns) -> str:
    own = {
        Column.SMS_ON if one.column is Column.SMS_ON else Column.EMAIL_ON
        for one in columns.consent
        if one.column in (Column.SMS_ON, Column.EMAIL_ON)
    }
    words = {Column.SMS_ON: "SMS On", Column.EMAIL_ON: "Email On"}
    of_channels = {channel: f"{channel}_on" for channel in use.agreed}
    without = [words[c] for c in words if c in of_channels.values() and c not in own]
    both = len(use.channels) > 1
    no = "a no to both channels where it says so" if both else "a no where it says so"
    if use.kind is Kind.OPT_OUT or not without:
        return no
    alone = both and len(without) == 1
    return " and ".join(without) + (", and a no as one to both" if alone else "")


def _winners(columns: Columns) -> Iterator[str]:
    """Which column wins if several have the same meaning."""
    for column, what in _SEVERAL.items():
        places = [*columns.places.get(column, ())]
        if column is Column.MOBILE:
            places += columns.places.get(Column.PHONE, ())
        places = [place for place in places if place in columns.filled]
        if len(places) > 1:
            titles = [f"“{columns.header[place].strip()}”" for place in places]
            if column is Column.EXTERNAL_ID:
                yield f"{what} is that of {titles[0]}, not of {', '.join(titles[1:])}."
            else:
                yield f"{what} is that of {', else '.join(titles)}."
