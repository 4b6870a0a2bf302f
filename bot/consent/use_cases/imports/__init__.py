"""Contacts in from a file, undone as one; contacts out with their answers.

A file goes in by batches, each a transaction of its own, so that a STOP never waits for a long
import and memory stays flat. A killed import leaves whole rows behind: the same file again does the
rest, and the import can be undone as far as it came.
"""

from bot.consent.use_cases.imports.export import export
from bot.consent.use_cases.imports.rows import Consequence, Report, Row
from bot.consent.use_cases.imports.run_import import import_rows
from bot.consent.use_cases.imports.undo_import import undo_import

__all__ = ["Consequence", "Report", "Row", "export", "import_rows", "undo_import"]
