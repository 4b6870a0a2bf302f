"""Contacts as files: contacts and suppression lists in, with every row taken or rejected for a
reason; CSV and JSON out."""

from handlers.contacts_file.asked import Asked, ListKind
from handlers.contacts_file.columns import Columns
from handlers.contacts_file.csv_records import UnreadableFile
from handlers.contacts_file.file_addresses import addresses_of, lines_of
from handlers.contacts_file.read_file import ContactsFile, open_contacts
from handlers.contacts_file.rejected import write_rejected
from handlers.contacts_file.tally import NotUnderstood
from handlers.contacts_file.write_file import write_csv, write_json

__all__ = [
    "Asked",
    "Columns",
    "ContactsFile",
    "ListKind",
    "NotUnderstood",
    "UnreadableFile",
    "addresses_of",
    "lines_of",
    "open_contacts",
    "write_csv",
    "write_json",
    "write_rejected",
]
