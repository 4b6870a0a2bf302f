"""A file of contacts as an export has them, and processes of their own that take it in."""

from __future__ import annotations

import csv
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_FIRST = ("Ana", "Ben", "Carla", "Dan", "Eva", "Gül", "Hugo", "Inés", "Jan", "Léa", "Mia", "Noah")
_LAST = ("Gómez", "Ruiz", "Smith", "Weber", "Moreau", "Rossi", "Novák", "Silva", "Kaya", "Okafor")
_MAIL = ("gmail.com", "outlook.com", "yahoo.com", "icloud.com", "example.com", "mail.example.org")
#: Of the United States and of Canada.
_AREAS = (212, 213, 305, 312, 415, 416, 512, 604, 617, 917)
_FORMS = ("+1 {} {} {}", "({}) {}-{}", "+1{}{}{}", "{}-{}-{}")
_HEADER = (
    "name",
    "phone",
    "email",
    "sms_on",
    "email_on",
    "company",
    "consent_source",
    "consent_at",
)

#: Runs a command: its standard output goes nowhere, and its seconds and its largest size in KB are
#: told. In a process that is small itself: a new one is as large as the one that began it.
_MEASURE = """
import resource, subprocess, sys, time
begun = time.perf_counter()
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
lasted = time.perf_counter() - begun
print(lasted, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


def write(path: Path, rows: int) -> None:
    """Numbers in national and international form, each once; half a dozen e-mail domains and a
    long tail of others; answers for two channels in two of three rows."""
    chance = random.Random(20_261_103)
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(_HEADER)
        for number in range(rows):
            phone = chance.choice(_FORMS).format(*_number(number))
            tail = f"shop{number % 5_000}.example"
            host = chance.choice(_MAIL) if chance.random() < 0.8 else tail
            lines.writerow(
                (
                    f"{chance.choice(_FIRST)} {chance.choice(_LAST)}",
                    phone,
                    f"customer.{number}@{host}",
                    chance.choice(("yes", "no", "")),
                    chance.choice(("yes", "no", "")),
                    chance.choice(("Acme", "Globex", "")),
                    "Web form",
                    "2026-05-03",
                )
            )


def _number(number: int) -> tuple[int, int, str]:
    """The parts of a number: 80 million of them, in no order."""
    within, area = divmod(number, len(_AREAS))
    exchange, line = divmod(within * 7_919 % 8_000_000, 10_000)
    return _AREAS[area], 200 + exchange, f"{line:04}"


def imported(path: Path, storage: str) -> tuple[float, float]:
    """Seconds of `optin import`, from its start to its end, and the megabytes that it had at most.
    Raises `AssertionError` unless all rows are taken."""
    command = [sys.executable, "-c", _MEASURE, sys.executable, "-m", "bot", "import", str(path)]
    seconds, kilobytes = _said(command, {"OPTIN_STORAGE": storage}).split()
    return float(seconds), float(kilobytes) / 1024


def loaded(script: str, path: Path, storage: str) -> float:
    """Seconds that a script of ours says it took to load the file."""
    return float(_said([sys.executable, "-P", script, str(path), storage], {}))


def _said(command: list[str], settings: dict[str, str]) -> str:
    with tempfile.TemporaryDirectory() as home:
        env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(_ROOT), "HOME": home} | settings
        done = subprocess.run(command, cwd=home, env=env, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise AssertionError(f"it ended with {done.returncode}")
    return done.stdout
