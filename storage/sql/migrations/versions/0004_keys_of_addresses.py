"""Contacts are found by the key of an address, however it is spelled (rules.md §2a).

The columns held the address as it was shown: they differ from the key for Argentina's mobile
numbers and for mail domains with other letters than ASCII. What is known of addresses is brought
together by `optin migrate`, which asks first.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import update

from bot.consent.addresses import key_of
from storage.sql.schema import contacts

revision = "0004"
down_revision = "0003"

_OTHER_LETTERS = {"sqlite": "email GLOB '*[^ -~]*'", "postgresql": "email ~ '[^ -~]'"}


def upgrade() -> None:
    connection = op.get_bind()
    letters = _OTHER_LETTERS[connection.dialect.name]
    rows = connection.exec_driver_sql(
        "SELECT number, phone, email FROM contacts "  # noqa: S608 - the dialect's letters, above
        f"WHERE phone LIKE '+52%%' OR phone LIKE '+54%%' OR {letters}"
    ).fetchall()
    for number, phone, email in rows:
        key = key_of(phone) if phone else None
        connection.execute(
            update(contacts)
            .where(contacts.c.number == number)
            .values(
                phone=key,
                phone_back=key[:0:-1] if key else None,
                email=key_of(email) if email else None,
            )
        )
