"""Every statement that the records need, each compiled once for a database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Dialect,
    LargeBinary,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from bot.consent.alerts import REVIEW_KEYS
from bot.consent.storage_behind import BEHIND
from storage.sql.compiler import MOST_OPEN_CASES, PAGE, Compiler, Keyed, Put, flag
from storage.sql.schema import (
    WORKSPACE,
    addresses,
    alerts,
    cases,
    contacts,
    entries,
    events,
    heads,
    imports,
    marks,
    write_backs,
)

#: Compiling takes 60 ms, and depends on these values alone.
_made: dict[tuple[object, ...], Statements] = {}


def statements(dialect: Dialect, *, pg_trgm: bool = False) -> Statements:
    """All statements for databases of this kind, compiled once in a process. `dialect` has been
    connected. `pg_trgm`: the database has pg_trgm's index of names."""
    key = (dialect.name, dialect.driver, dialect.server_version_info, pg_trgm)
    if key not in _made:
        _made[key] = Statements(dialect, pg_trgm=pg_trgm)
    return _made[key]


class Statements(Compiler):
    """The texts of all statements for one database, made once when it is opened."""

    def __init__(self, dialect: Dialect, *, pg_trgm: bool = False) -> None:
        """`pg_trgm`: the database has pg_trgm's index of names."""
        super().__init__(dialect)
        self.pg_trgm = pg_trgm
        #: Searches, put together when the first of their kind is made.
        self.searches: dict[tuple[str, int, str], str] = {}
        #: Reads of the log, by what they are asked for: made once, since each card reads it.
        self._entries: dict[frozenset[str], str] = {}
        self.contacts = Keyed(self, contacts, "id")
        self.addresses = Keyed(self, addresses, "address")
        self.alerts = Keyed(self, alerts, "id")
        self.cases = Keyed(self, cases, "id")
        self.write_backs = Keyed(self, write_backs, "id")
        self.marks = Keyed(self, marks, "name")
        self.imports = Keyed(self, imports, "id")
        self._find_contacts()
        self._log()
        self._events()
        self._alerts()
        self._cases()
        self._write_backs()

    def _find_contacts(self) -> None:
        c = contacts.c
        mine = c.workspace == WORKSPACE
        self.by_phone = self.text(select(c.document).where(mine, c.phone == bindparam("key")))
        self.by_email = self.text(select(c.document).where(mine, c.email == bindparam("key")))
        self.by_external_id = self.text(
            select(c.document).where(mine, c.external_id == bindparam("key"))
        )
        open_cases = and_(
            cases.c.workspace == WORKSPACE, cases.c.open == flag(1), cases.c.contact == c.id
        )
        #: With an open case, as often as there are some.
        self.by_phones, self.by_emails, self.by_external_ids, self.by_ids = (
            self.text(
                select(c.document, cases.c.document)
                .outerjoin_from(contacts, cases, open_cases)
                .where(mine, self.among(column, "keys"))
            )
            for column in (c.phone, c.email, c.external_id, c.id)
        )
        self.contacts_of = self.text(select(c.document).where(mine, self.among(c.id, "keys")))
        self.facts_of = self.text(
            select(addresses.c.address, addresses.c.document).where(
                addresses.c.workspace == WORKSPACE, self.among(addresses.c.address, "keys")
            )
        )
        self.marks_of = self.text(
            select(marks.c.name, marks.c.document).where(
                marks.c.workspace == WORKSPACE, self.among(marks.c.name, "keys")
            )
        )
        self.count_contacts = self.text(
            select(func.count()).select_from(contacts).where(mine, c.erased == flag(0))
        )
        limit = bindparam("limit", type_=BigInteger)
        self.phones_from, self.phones_back = (
            self.text(
                select(c.document)
                .where(mine, column >= bindparam("low"), column < bindparam("high"))
                .order_by(column)
                .limit(limit)
            )
            for column in (c.phone, c.phone_back)
        )

    def _log(self) -> None:
        e = entries.c
        mine = e.workspace == WORKSPACE
        if self.postgresql:
            lock = select(heads.c.seq, heads.c.hash).where(heads.c.workspace == WORKSPACE)
            self.lock = self.text(lock.with_for_update())
        behind = select(marks.c.document).where(
            marks.c.workspace == WORKSPACE, marks.c.name == literal_column(f"'{BEHIND}'")
        )
        #: The log's end, and what the storage says of being behind.
        self.look = self.text(
            select(heads.c.seq, heads.c.hash, behind.scalar_subquery()).where(
                heads.c.workspace == WORKSPACE
            )
        )
        self.put_head = self.text(
            update(heads)
            .where(heads.c.workspace == WORKSPACE)
            .values(seq=bindparam("seq"), hash=bindparam("hash"))
        )
        given = [c.name for c in e if c.name != "workspace"]
        insert = entries.insert().inline()
        self.append = Put(
            self.text(insert.values({name: bindparam(name) for name in given})),
            self.text(insert.from_select(given, self.rows({name: e[name].type for name in given})))
            if self.postgresql
            else None,
        )
        self.redact = self.text(
            update(entries)
            .where(mine, e.contact == bindparam("key"), e.personal.is_not(None))
            .values(personal=null(), address=null())
        )
        columns = (e.seq, e.document, e.personal) if self.postgresql else self._entry_columns()
        of_address = select(*columns).where(mine, e.address == bindparam("address"))
        self.entries_of_address = self._by_index(self.text(of_address.order_by(e.seq)), "address")
        self.log = self.text(
            select(*columns).where(mine, e.seq > bindparam("key")).order_by(e.seq).limit(PAGE)
        )
        #: The hash is the last field of each document.
        hash = func.substr(e.document, func.length(e.document) - 65, 64)
        self.hashes = self.text(
            select(e.seq, hash)
            .where(mine, e.seq > bindparam("key"))
            .order_by(e.seq)
            .limit(bindparam("limit", type_=BigInteger))
        )

    def _entry_columns(self) -> tuple[ColumnElement[Any], ...]:
        """For SQLite, as bytes: a text that is none can't be read as one."""
        e = entries.c
        return e.seq, cast(e.document, LargeBinary), cast(e.personal, LargeBinary)

    def entries(self, asked: frozenset[str]) -> str:
        """Those that fit what is asked for: `contact`, `actor`, `channel`, `kinds`."""
        if asked not in self._entries:
            self._entries[asked] = self._made_entries(asked)
        return self._entries[asked]

    def _made_entries(self, asked: frozenset[str]) -> str:
        e = entries.c
        # PostgreSQL is asked several questions at once, and each answers with two texts.
        columns = (e.document, e.personal) if self.postgresql else self._entry_columns()
        query = select(*columns).where(e.workspace == WORKSPACE, e.seq < bindparam("before"))
        for name in ("contact", "actor", "channel"):
            if name in asked:
                query = query.where(e[name] == bindparam(name))
        if "kinds" in asked:
            query = query.where(self.among(e.kind, "kinds"))
        limit = bindparam("limit", type_=BigInteger)
        statement = self.text(query.order_by(e.seq.desc()).limit(limit))
        narrow = next((name for name in ("contact", "actor") if name in asked), None)
        return self._by_index(statement, narrow) if narrow else statement

    def _by_index(self, statement: str, column: str) -> str:
        """The statement by the index of this column: without being told, SQLite goes through the
        whole log."""
        if self.postgresql:
            return statement
        return statement.replace("FROM entries", f"FROM entries INDEXED BY entries_{column}")

    def _events(self) -> None:
        e = events.c
        insert = postgresql_insert if self.postgresql else sqlite_insert
        self.seen = self.text(
            select(WORKSPACE).where(
                e.workspace == WORKSPACE,
                e.fingerprint.in_([bindparam("fingerprint"), bindparam("former")]),
            )
        )
        self.seen_of = self.text(
            select(func.encode(e.fingerprint, literal_column("'hex'")), null()).where(
                e.workspace == WORKSPACE, self.among(e.fingerprint, "fingerprints")
            )
        )
        remember = insert(events).inline()
        one = remember.values(fingerprint=bindparam("fingerprint"))
        self.remember = self.text(one.on_conflict_do_nothing())
        if self.postgresql:
            all_of_them = select(self.listed("fingerprints", e.fingerprint.type).c.value)
            many = remember.from_select([e.fingerprint.name], all_of_them)
            self.remember_all = self.text(many.on_conflict_do_nothing())
        self.events = self.text(
            select(e.fingerprint)
            .where(e.workspace == WORKSPACE, e.fingerprint > bindparam("key"))
            .order_by(e.fingerprint)
            .limit(PAGE)
        )

    def _alerts(self) -> None:
        a = alerts.c
        mine = a.workspace == WORKSPACE
        newest = (
            select(a.document)
            .where(mine, a.key == bindparam("key"))
            .order_by(a.number.desc())
            .limit(1)
        )
        self.alert_for, self.alert_for_locked = self.text(newest), self.locking(newest)
        other = alerts.alias()
        listed = self.listed("keys", a.key.type)
        last = (
            select(func.max(other.c.number))
            .where(other.c.workspace == WORKSPACE, other.c.key == listed.c.value)
            .correlate_except(other)
            .scalar_subquery()
        )
        #: One for each key, and not locked; and those of them that nobody else has locked.
        is_newest = a.number.in_(select(last).select_from(listed))
        self.newest_of = self.text(select(a.key, a.id).where(is_newest))
        self.newest_locked = self.locking(select(a.key, a.document).where(is_newest), skip=True)
        every = (
            select(a.number, a.document)
            .where(mine, a.number > bindparam("key"))
            .order_by(a.number)
            .limit(PAGE)
        )
        self.all_alerts, self.all_alerts_locked = self.text(every), self.locking(every)
        #: Keys of reviews sort before this one, and keys that sort behind them do not.
        end = literal_column(f"'{REVIEW_KEYS[:-1]}{chr(ord(REVIEW_KEYS[-1]) + 1)}'", a.key.type)
        reviews = (
            select(a.key, a.document)
            .where(mine, a.key > bindparam("key"), a.key < end)
            .order_by(a.key)
            .limit(PAGE)
        )
        self.reviews, self.reviews_locked = self.text(reviews), self.locking(reviews)
        due = and_(mine, a.due == flag(1))
        elsewhere = ~self.among(a.slack_channel, "channels")
        first = (
            select(a.document)
            .where(due, a.not_before <= bindparam("now"), elsewhere)
            .order_by(a.rank, a.first_at, a.number)
            .limit(bindparam("limit", type_=BigInteger))
        )
        self.due_alerts, self.due_alerts_claimed = self.text(first), self.locking(first, skip=True)
        self.outbox = self.text(
            select(
                func.count(),
                func.min(case((elsewhere, a.waits_since))),
                select(func.count())
                .select_from(alerts)
                .where(mine, a.dead == flag(1))
                .correlate(None)
                .scalar_subquery(),
            ).where(due)
        )

    def _cases(self) -> None:
        c = cases.c
        mine = c.workspace == WORKSPACE
        mine_open = and_(mine, c.open == flag(1))
        limit = bindparam("limit", type_=BigInteger)
        of_contact = c.contact == bindparam("contact")
        self.open_case = self.text(
            select(c.document).where(mine_open, of_contact, c.channel == bindparam("channel"))
        )
        #: So many as fit into memory at once, and their number into a transaction's time.
        self.some_open_cases = self.text(
            select(c.document).where(mine_open).limit(MOST_OPEN_CASES + 1)
        )
        self.cases_of = self.text(
            select(c.document).where(mine, of_contact).order_by(c.requested_at.desc(), c.id.desc())
        )
        self.open_cases = self.text(
            select(c.document)
            .where(
                mine_open,
                or_(
                    c.requested_at > bindparam("at"),
                    and_(c.requested_at == bindparam("at"), c.id > bindparam("id")),
                ),
            )
            .order_by(c.requested_at, c.id)
            .limit(limit)
        )
        self.due_cases = self.text(
            select(c.document)
            .where(mine_open, c.next_at <= bindparam("now"))
            .order_by(c.next_at, c.id)
            .limit(limit)
        )
        i = imports.c
        self.all_imports = self.text(
            select(i.document)
            .where(i.workspace == WORKSPACE)
            .order_by(i.started_at.desc(), i.id.desc())
        )

    def _write_backs(self) -> None:
        w = write_backs.c
        mine = w.workspace == WORKSPACE
        of_provider = and_(mine, w.open == flag(1), w.provider == bindparam("provider"))
        #: Not in any order, or SQLite would go through all of them by their ids.
        self.writes_of = self.text(select(w.document).where(mine, w.key == bindparam("key")))
        self.due_writes = self.text(
            select(w.document)
            .where(of_provider, w.not_before <= bindparam("now"))
            .order_by(w.wished_at, w.id)
            .limit(bindparam("limit", type_=BigInteger))
        )
        self.oldest_write = self.text(
            select(w.wished_at).where(of_provider).order_by(w.wished_at, w.id).limit(1)
        )
        self.count_writes = self.text(
            select(w.provider, w.state, func.count()).where(mine).group_by(w.provider, w.state)
        )
