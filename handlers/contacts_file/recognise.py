"""Which column of a file means what: by its title, by what was asked for, and by its values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from bot.consent.model import Channel
from handlers.contacts_file.asked import Asked
from handlers.contacts_file.column_names import (
    BY_VALUES,
    CODES,
    LABELS,
    MAILERS,
    NOT_SUBSCRIBED,
    ONLY_IN_LISTS,
    VAGUE_TIMES,
)
from handlers.contacts_file.column_values import (
    about_consent,
    address_in,
    all_numbers,
    reasons_in,
    values_of,
)
from handlers.contacts_file.column_words import (
    POST,
    Meaning,
    is_suspicious,
    key,
    meaning_in_contacts,
    meaning_of,
)
from handlers.contacts_file.columns import (
    FOR_ADDRESS,
    FOR_NAME,
    FOR_PHONE,
    KINDS,
    Column,
    Columns,
    Kind,
    Use,
)
from handlers.contacts_file.csv_records import UnreadableFile

#: Rows by whose values columns are recognised.
SAMPLED = 1_000


def recognise(header: Sequence[str], sample: Sequence[Sequence[str]], asked: Asked) -> Columns:
    """What the columns mean. Raises `UnreadableFile` where there is no address, or nothing that the
    rows could say, and for a column that was named and is not there."""
    _check_named(header, asked)
    meant = [_meaning(place, title, sample, asked) for place, title in enumerate(header)]
    _settle(meant, header, sample)
    _check(header, meant, asked)
    email = any(one and one.column is Column.EMAIL for one in meant)
    phone = any(one and one.column in FOR_PHONE for one in meant)
    places: dict[Column, list[tuple[int, int]]] = defaultdict(list)
    consent, elsewhere, details = [], [], []
    for place, (title, one) in enumerate(zip(header, meant, strict=True)):
        if one is None:
            continue
        if one.column is Column.ELSEWHERE:
            elsewhere.append(title.strip())
        elif one.column is Column.DETAIL:
            details.append(title.strip())
        elif one.column in KINDS:
            consent.append(_use(place, title.strip(), one, header, email=email, phone=phone))
        else:
            places[one.column].append((one.rank, place))
    ignored = {key(title) for title in asked.ignored}
    return Columns(
        header=header,
        places={column: [place for _, place in sorted(found)] for column, found in places.items()},
        consent=_without_times(consent),
        elsewhere=elsewhere,
        details=details,
        ignored=[title for title in header if key(title) in ignored],
        unused=[
            title.strip()
            for title, one in zip(header, meant, strict=True)
            if one is None and title.strip() and key(title) not in ignored
        ],
        filled=frozenset(place for row in sample for place, cell in enumerate(row) if cell.strip()),
        labels=_labels(header),
    )


def known_titles(header: Iterable[str]) -> int:
    """How many of these are titles of columns that we know."""
    return sum(meaning_of(title) is not None or key(title) in BY_VALUES for title in header)


def _meaning(  # noqa: PLR0911 - a table of meanings
    place: int, title: str, sample: Sequence[Sequence[str]], asked: Asked
) -> Meaning | None:
    titled = key(title)
    for theirs, column in asked.meanings.items():
        if key(theirs) == titled:
            return Meaning(column, rank=-1, general=True)
    if titled in map(key, asked.ignored):
        return None
    if titled in BY_VALUES and (found := address_in(values_of(place, sample))):
        return found
    meaning = meaning_of(title)
    # "Opted out number" of a list.
    if asked.is_list and (meaning is None or meaning.column in KINDS):
        meaning = address_in(values_of(place, sample)) or meaning
    if meaning and meaning.column is Column.EXTERNAL_ID and all_numbers(values_of(place, sample)):
        return Meaning(Column.MOBILE, rank=1)
    vague = titled in VAGUE_TIMES and asked.provider is None
    if meaning and meaning.column in ONLY_IN_LISTS and (vague or not asked.is_list):
        meaning = meaning_in_contacts(title)
    if meaning is None and about_consent(values_of(place, sample)):
        return _BY_WORDS
    if meaning is None:
        return Meaning(Column.UNKNOWN) if is_suspicious(title) else None
    return meaning


#: A column that is about consent by its words alone.
_BY_WORDS = Meaning(Column.STATUS, rank=1)


def _settle(
    meant: list[Meaning | None], header: Sequence[str], sample: Sequence[Sequence[str]]
) -> None:
    """What depends on the other columns: whether "Do not mail" is about letters, and which column
    has the reasons of a list."""
    mails = any(one and one.column is Column.EMAIL_OPT_OUT and one.rank != POST for one in meant)
    reasons = {}
    for place, one in enumerate(meant):
        if one and one.rank == POST and mails:
            meant[place] = Meaning(Column.ELSEWHERE)
        elif one and one.column is Column.LIST_REASON:
            values = values_of(place, sample)
            read = reasons_in(values)
            named = "reason" in key(header[place]) or one.rank < 0
            if read or named:
                reasons[place] = (read, named, -one.rank)
            meant[place] = None
    if reasons:
        best = max(reasons, key=lambda place: reasons[place])
        meant[best] = Meaning(Column.LIST_REASON)


def _use(
    place: int, title: str, one: Meaning, header: Sequence[str], *, email: bool, phone: bool
) -> Use:
    kind, channels = KINDS[one.column]
    if not channels:
        channels = _channels_of(title, header, kind, email=email, phone=phone)
    return Use(
        place=place,
        title=title,
        column=one.column,
        filled=one.filled,
        channels=channels,
        agreed=channels if one.general or len(channels) == 1 else (Channel.EMAIL,),
        maker=NOT_SUBSCRIBED.get(key(title)),
        codes=CODES.get(key(title), {}),
    )


def _channels_of(
    title: str, header: Sequence[str], kind: Kind, *, email: bool, phone: bool
) -> tuple[Channel, ...]:
    """What a word speaks of that names no channel. A bounce is of the mailbox, and so is what a
    system says that only sends e-mail."""
    titles = {key(title) for title in header}
    mailing = any(
        titles.issuperset(signature.split()) and key(title) in columns.split()
        for signature, columns in MAILERS.values()
    )
    if email and (mailing or kind is Kind.BOUNCE or not phone):
        return (Channel.EMAIL,)
    return (Channel.SMS, Channel.EMAIL) if email else (Channel.SMS,)


def _without_times(consent: list[Use]) -> list[Use]:
    """A date of an opt-in is an answer only where no other column has one; else it dates that."""
    answered = {
        channel
        for use in consent
        if use.kind in (Kind.OPT_IN, Kind.STATUS) and not use.filled
        for channel in use.channels
    }
    return [
        replace(use, agreed=())
        if use.kind is Kind.OPT_IN and use.filled and answered.issuperset(use.agreed)
        else use
        for use in consent
    ]


def _labels(header: Sequence[str]) -> dict[int, int]:
    """The columns that name the kind of a number: "Phone 1 - Label" of "Phone 1 - Value"."""
    places = {key(title): place for place, title in enumerate(header)}
    return {
        place: places[title.removesuffix("value") + label]
        for title, place in places.items()
        for label in LABELS
        if title.startswith("phone") and title.endswith("value")
        if title.removesuffix("value") + label in places
    }


def _check_named(header: Sequence[str], asked: Asked) -> None:
    titles = {key(title) for title in header}
    for named in (*asked.meanings, *asked.ignored):
        if key(named) not in titles:
            raise UnreadableFile(f"There is no column “{named}” in the file.")


def _check(header: Sequence[str], meant: Sequence[Meaning | None], asked: Asked) -> None:
    found = {one.column for one in meant if one}
    # What stands there is not said: without a header it is somebody's number.
    if asked.is_list and not found & FOR_ADDRESS:
        raise UnreadableFile(_NO_ADDRESS, at_command_line=_WHICH_ADDRESS)
    if not found & (FOR_NAME | FOR_ADDRESS):
        raise _no_contacts(_NO_TITLES)
    if not found & FOR_ADDRESS:
        raise _no_contacts(_NO_ADDRESS)
    if asked.is_list or found & FOR_NAME:
        return
    # Words that stand under a title such as "Reason" do not say what the whole file is.
    if not any(one and one.column in KINDS and one is not _BY_WORDS for one in meant):
        raise _no_contacts(_NO_NAMES)


def _no_contacts(problem: str) -> UnreadableFile:
    """It may be a list."""
    return UnreadableFile(
        f"{problem} If it is a suppression list, say which one.",
        at_command_line=f"{problem} If it is a suppression list, say which: --as opt-outs, "
        "--as bounces, --as complaints or --as suppressions.",
    )


_NO_ADDRESS = "There is no column for an address: call it phone or email."
_WHICH_ADDRESS = (
    'There is no column for an address. Say which one it is: --column "THEIRS=phone" or '
    '--column "THEIRS=email".'
)
_NO_TITLES = "The first line has to name the columns, such as: name,phone,email,sms_on,email_on."
_NO_NAMES = (
    "There is no column for the name (call it name, or first name and last name), and none "
    "that says yes or no, such as sms_on or email_on."
)
