"""README.txt of an evidence pack: what it shows, what it does not, and how to check it."""

from __future__ import annotations

from datetime import UTC

from bot.consent.log.heads import head_text
from bot.consent.use_cases.evidence import ContactEvidence
from handlers.evidence_pack.pack_reader import PackReader

_TEXT = """\
EVIDENCE PACK

Optin {version} made this folder on {made} UTC.
It holds what Optin knew of one contact then: whether messages might be sent,
and each change that led there.
{personal}
START HERE

  report.html     The report, for people. Open it in a browser. It prints on A4.

HOW TO CHECK IT

  python verify.py

in this folder, with Python 3.8 or newer. Nothing else is needed, and nothing is
sent or fetched. Instead, `python verify.py PACK.zip` checks a pack that was not
unpacked. The program prints what it checked. It ends with "Everything holds.",
or with the first thing that does not hold.

You need not trust the verify.py in this pack. It is the same for all packs of
one version, and the source of Optin has it as
handlers/evidence_pack/pack_verifier.py.

WHAT THAT SHOWS

  1. No file but verify.py was changed, not by one bit, since the pack was made.
  2. Each entry in entries.json is in Optin's Activity Log, as it was written,
     at the place that it names. Entries are never changed or taken out. An
     erasure takes the personal part out of an entry, and nothing else: such an
     entry still holds.
  3. The log recorded that this pack was made.
  4. The log begins with what each published head in heads.json says.

WHAT IT DOES NOT SHOW

Whoever holds the storage could write another log from its beginning, and a pack
that fits it. A head of the log that somebody else kept excludes that. Optin's
operator chooses such witnesses, and Optin gives them its head every day, and
that of each pack when it is made. Ask a witness for its heads, save them to a
file, and compare:

  python verify.py --head FILE

The head that vouches for this pack is in seal.json. The head before it, which
the proofs in proofs.json lead to:

{head}
THE OTHER FILES

  entries.json    The entries of the Activity Log, with everything that their
                  hashes are made of.
  proofs.json     For each entry, its inclusion proof (RFC 6962).
  heads.json      The head of the log, and published heads before it, each with
                  a consistency proof (RFC 6962). Published heads that were lost
                  with the end of the log, each with the number of the entry
                  that says who accepted that.
  manifest.json   The SHA-256 of each of the files above.
  seal.json       The entry of the log that has the SHA-256 of manifest.json,
                  with its proofs.
  verify.py       The program that checks all this.
"""
_PERSONAL = """
It holds personal data. Give it to nobody who need not have it.
"""
_ERASED = """
The person was erased. It holds no name and no address of theirs.
"""


def readme(evidence: ContactEvidence, reader: PackReader) -> str:
    """The whole file."""
    at = evidence.made_at.astimezone(UTC)
    head = "".join(f"  {line}\n" for line in head_text(evidence.head).splitlines())
    return _TEXT.format(
        made=f"{at.day} {at:%B %Y, %H:%M:%S}",
        version=reader.version,
        personal=_ERASED if evidence.contact.erased else _PERSONAL,
        head=head,
    )
