"""The modal for a file, and the one message that says how its import stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from bot.consent.known_providers import KnownProviders
from bot.consent.use_cases.imports.rows import Consequence, counted
from bot.consent.use_cases.imports.stored_jobs import ImportJob
from handlers.contacts_file import ListKind
from handlers.contacts_file.columns import Column
from handlers.slack import ids
from handlers.slack.blocks.elements import button, option
from handlers.slack.blocks.formatting import (
    SENTENCE,
    Block,
    context,
    escape,
    inert,
    plain,
    section,
)
from handlers.slack.blocks.modal_frame import Metadata, View, modal, select

FILE, KIND, PROVIDER = "file", "kind", "provider"
LEAVE_OUT = "leave_out"
#: Columns that are asked about in one message, and rejected rows that are told there.
MOST_ASKED = 20
_TOLD = 5
_LONGEST_TABLE = 2_800
#: Of what is said of a column: twenty fit into a message.
_LONGEST_COLUMN = 300
_LONGEST_CONFIRM = 300
#: What a cut leaves of `&amp;`.
_HALF_ESCAPED = re.compile("&[a-z]*$")

_KINDS = {
    ListKind.CONTACTS: "Contacts",
    ListKind.OPT_OUTS: "A list of opt-outs",
    ListKind.BOUNCES: "A list of bounces",
    ListKind.COMPLAINTS: "A list of spam complaints",
    ListKind.SUPPRESSIONS: "A suppression list with reasons",
}
_MEANINGS = {
    Column.SMS_ON: "SMS On: yes or no",
    Column.EMAIL_ON: "Email On: yes or no",
    Column.OPT_IN: "Opt-in, no channel named",
    Column.SMS_OPT_OUT: "Opt-out of texts",
    Column.EMAIL_OPT_OUT: "Opt-out of e-mail",
    Column.OPT_OUT: "Opt-out of everything",
    Column.SMS_BOUNCE: "SMS Bounce",
    Column.EMAIL_BOUNCE: "Email Bounce",
    Column.COMPLAINT: "Spam complaint",
}


def import_modal(providers: KnownProviders) -> View:
    """Where a file is uploaded."""
    names = sorted((one.label, id) for id, one in providers.by_id.items() if not one.ours)
    kinds = [option(words, kind) for kind, words in _KINDS.items()]
    blocks: list[Block] = [
        {
            "type": "input",
            "block_id": FILE,
            "label": plain("File", 100),
            "hint": plain("A CSV, up to 50 MB. Nothing changes before you press Import.", 150),
            "element": {
                "type": "file_input",
                "action_id": FILE,
                "filetypes": ["csv", "tsv", "txt", "text", "json"],
                "max_files": 1,
            },
        },
        select(KIND, "What the file is", kinds, ListKind.CONTACTS) | {"optional": False},
        select(
            PROVIDER,
            "Whose suppression list it is",
            [option(label, id) for label, id in names],
            "",
            placeholder="Nobody's",
        ),
    ]
    return modal(ids.IMPORT_MODAL, "Import", blocks, Metadata(), submit="Read the file")


def being_read(job: ImportJob) -> list[Block]:
    return [section(f"{_title(job)}\nThe file is being read. Nothing changes meanwhile.")]


def asking(job: ImportJob, columns: Mapping[str, str]) -> list[Block]:
    """What is not understood, with a select for each column."""
    blocks: list[Block] = [
        section(f"{_title(job)}\n🔴 Nothing was imported: Optin does not understand the file yet.")
    ]
    options = [option(words, column) for column, words in _MEANINGS.items()]
    for number, said in enumerate(columns.values()):
        element: Block = {
            "type": "static_select",
            "action_id": f"{ids.IMPORT_MEANING}{number}",
            "placeholder": plain("Means …", 100),
            "options": [*options, option("Leave this column out", LEAVE_OUT)],
        }
        said_of_it = section(inert(said, _LONGEST_COLUMN), accessory=element)
        # Slack may remember by this id what was chosen for the columns asked about before.
        blocks.append(said_of_it | {"block_id": f"column.{number}.{len(job.columns)}"})
    blocks.append(
        _buttons(
            button("Go on", ids.IMPORT_COLUMNS, job.id, style="primary"),
            button("Cancel", ids.IMPORT_CANCEL, job.id),
        )
    )
    return blocks


def ready(
    job: ImportJob, table: Iterable[str], counts: Mapping[str, int], rejected: Mapping[int, str]
) -> list[Block]:
    """What the file would bring, and the buttons."""
    would = list(_counted(counts))
    go = button("Import", ids.IMPORT_GO, job.id, style="primary")
    go["confirm"] = {
        "title": plain("Import this file?", 100),
        "text": plain(_shortened(" · ".join(would), _LONGEST_CONFIRM), _LONGEST_CONFIRM),
        "confirm": plain("Import", 30),
        "deny": plain("Not yet", 30),
    }
    return [
        section(f"{_title(job)}\nNothing was changed. The import would bring:", *would),
        *_table(table),
        *_rejected(rejected),
        _buttons(go, button("Cancel", ids.IMPORT_CANCEL, job.id)),
    ]


def importing(job: ImportJob, rows: int | None = None) -> list[Block]:
    of = f" of {rows:,}" if rows else ""
    return [section(f"{_title(job)}\nImporting: {job.rows:,}{of} rows are done.")]


def done(job: ImportJob, rejected: int, *, problem: str = "", note: str = "") -> list[Block]:
    """What the import did, with its undo: all of it, or up to a `problem`; `note` is of what failed
    afterwards."""
    said = [f"{_title(job)}\n✅ Imported."]
    if problem:
        said = [f"{_title(job)}\n🔴 {_sentence(problem)} The rows so far are imported:"]
    if note:
        said.append(f"⚠️ {_sentence(note)}")
    if rejected:
        said.append("The rejected rows are in a file below. Correct them there and import it.")
    undo = button("Undo this import", ids.IMPORT_UNDO, job.id, style="danger")
    undo["confirm"] = {
        "title": plain("Undo this import?", 100),
        "text": plain(
            "Contacts that it brought and nobody has changed go, and everything else becomes what "
            "it was. Its opt-outs stay.",
            _LONGEST_CONFIRM,
        ),
        "confirm": plain("Undo", 30),
        "deny": plain("Keep it", 30),
    }
    about = f"Import {job.import_id}. The button works for one day."
    return [section(said[0], *_counted(job.counts), *said[1:]), _buttons(undo), context(about)]


def undoing(job: ImportJob) -> list[Block]:
    return [section(f"{_title(job)}\nThe import is being undone.")]


def undone(job: ImportJob, counts: Mapping[str, int]) -> list[Block]:
    """What the undo did. Opt-outs stay (rules.md §6)."""
    said = [f"{count:,} {escape(what)}" for what, count in counts.items()]
    stay = (
        "Opt-outs stay. If they were a mistake, an operator takes them back at the command line: "
        f"`optin import --undo {job.import_id} --opt-outs --reason TEXT`"
    )
    return [section(f"{_title(job)}\nThe import is undone.", *said), context(stay)]


def ended(job: ImportJob, sentence: str) -> list[Block]:
    """One sentence, and nothing to press."""
    return [section(_title(job), _sentence(sentence))]


def _sentence(said: str) -> str:
    """Ours, with what the file holds in it."""
    return inert(said, SENTENCE)


def _title(job: ImportJob) -> str:
    return f"*Import of {inert(job.name, 100)}*"


def _counted(counts: Mapping[str, int]) -> Iterable[str]:
    for consequence in Consequence:
        if count := counts.get(consequence):
            yield f"{count:,} {counted(consequence, count)}"


def _table(lines: Iterable[str]) -> list[Block]:
    """In Slack's fixed font, so that the columns stand one below the other."""
    text = escape("\n".join(lines).replace("`", "'"))
    if len(text) > _LONGEST_TABLE:
        text = f"{_HALF_ESCAPED.sub('', text[:_LONGEST_TABLE])}…"
    return [section(f"```{text}```")] if text else []


def _rejected(rejected: Mapping[int, str]) -> list[Block]:
    if not rejected:
        return []
    said = [f"Line {line:,}: {inert(rejected[line], 200)}" for line in sorted(rejected)[:_TOLD]]
    if len(rejected) > _TOLD:
        said.append(f"… and {len(rejected) - _TOLD:,} more. All come as a file.")
    return [section("*Rows that would be rejected*", *said)]


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _buttons(*elements: Block) -> Block:
    held: Sequence[Block] = elements
    return {"type": "actions", "elements": list(held)}
