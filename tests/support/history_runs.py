"""Random histories: made from a seed, carried out, and shortened where Optin and the rules disagree.

    python -m tests.support.history_runs --seed 1 --runs 3000 [--storage sqlite] [--only sms]

prints the shortest form of each history that disagrees, as lines like `day 9: c1 texts STOP from A
to S`. The same seed makes the same histories.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.consent import use_cases as use
from bot.runtime.clock import Stopped
from tests.support.consent_fixtures import NOW, open_service
from tests.support.histories import FREE_TEXT, Disagreement, World
from tests.support.storages import forget, path_in

minute, day = timedelta(minutes=1), timedelta(days=1)

PHONES, MAILBOXES = ["A", "A", "A", "A'", "B", "M", "M'", "R", "R'"], ["E", "E", "E'", "F"]
TO = ["S", "S", "S", "S-", "T", "T", "U", "U", "U+", "MG1", "MG2", "X", "X-", "Y", "Z"]
WHO = ["c0", "c0", "c1", "c1", "c2"]
AGENTS = ["agent", "agent", "other agent", "manager"]
FILES = ["f1", "f2", "f3"]
#: How long ago something happened; None where nobody says.
AGES = [None, None, None, 0 * minute, minute, 6 * minute, day, 3 * day, 8 * day]
PAUSES = [0 * minute, 0 * minute, minute, 4 * minute, 20 * minute, day, day, 3 * day, 8 * day]

#: What may happen, with the values of each argument. Ages become times.
CHOICES: dict[str, dict[str, list[Any]]] = {
    "adds": {"who": WHO, "phone": PHONES, "email": MAILBOXES},
    "moves": {"who": WHO, "phone": [*PHONES, None]},
    "moves ": {"who": WHO, "email": [*MAILBOXES, None]},
    "says_no": {
        "who": WHO, "channel": ["sms", "email"], "by": AGENTS,
        "reason": ["Asked by phone", "Asked by phone", "Wrong person"],
    },
    "says_yes": {
        "who": WHO, "channel": ["sms", "email"], "by": AGENTS,
        "evidence": ["a form", "a form", "a form", None],
    },
    "undoes": {"who": WHO, "channel": ["sms", "email"], "by": AGENTS},
    "clears": {"who": WHO, "channel": ["sms", "email"], "by": AGENTS},
    "marks": {"who": WHO, "do_not_contact": [True, True, False]},
    "erases": {"who": WHO},
    "imports_file": {"file": FILES},
    "undoes_import": {"file": FILES, "opt_outs": [False, True]},
    "takes_back": {"who": WHO, "channel": ["sms", "email"]},
    "texts": {
        "address": PHONES, "to": TO, "at": AGES,
        "words": ["STOP", "STOP", "UNSTOP", "UNSTOP", "stop all", "STOP!!!", "YES", FREE_TEXT],
    },
    "is_rejected": {"address": PHONES, "to": TO, "at": AGES, "sent": AGES},
    "fails": {
        "address": [*PHONES, "E"], "to": TO, "at": AGES,
        "failure": ["hard", "soft", "soft", "soft", "ambiguous", "ours"],
    },
    "is_delivered": {"address": PHONES, "to": TO, "at": AGES, "sent": AGES},
    "clicks": {
        "address": MAILBOXES, "by": ["sendgrid", "sendgrid", "postmark"],
        "scope": [None, None, "news"], "at": AGES,
        "what": [
            "unsubscribed", "unsubscribed", "complaint", "resubscribed", "suppressed",
            "unsuppressed",
        ],
    },
    "whatsapps": {"address": PHONES, "words": ["STOP"]},
    "merges": {"kept": WHO, "merged": WHO},
    "removes": {
        "who": WHO,
        "entry": ["sendgrid/unsubscribe", "sendgrid/complaint", "sendgrid/unsubscribe/news"],
    },
    "retires": {"name": ["sales", "support", "sendgrid", "MG3"]},
    "is_told_again": {"step": list(range(2, 30))},
    "asks": {"who": WHO, "channel": ["sms", "email"], "agreed": AGES, "by": AGENTS},
    "decides": {
        "who": WHO, "channel": ["sms", "email"],
        "word": ["approved", "approved", "approved", "denied", "cancelled"],
        "by": ["manager", "manager", "other manager", "agent"],
    },
    "reads": {"address": PHONES, "refusal": [True, False]},
}  # fmt: skip
ROWS: dict[str, list[Any]] = {
    "phone": PHONES, "email": MAILBOXES, "sms": ["YES", "NO", "UNSET"],
    "mail": ["YES", "NO", "UNSET"], "agreed": [None, 0 * minute, 3 * day, 8 * day],
    "proof": [True, True, False], "bounced": ["", "", "", "sms", "email"],
}  # fmt: skip
#: How often each happens.
WEIGHTS = {
    "adds": 4, "moves": 4, "moves ": 3, "says_no": 5, "says_yes": 4, "undoes": 2, "clears": 2,
    "marks": 1, "erases": 2, "imports_file": 4, "undoes_import": 3, "takes_back": 2,
    "whatsapps": 1, "merges": 2, "removes": 3, "retires": 0.3, "texts": 10, "is_rejected": 4,
    "fails": 3, "is_delivered": 4, "clicks": 6, "is_told_again": 1, "asks": 6, "decides": 6,
    "reads": 2,
}  # fmt: skip
#: Some histories are about few things, which then meet more often.
FOCUSES: list[dict[str, float]] = [
    WEIGHTS,
    WEIGHTS,
    {
        "adds": 3, "moves": 4, "moves ": 4, "says_no": 5, "says_yes": 3, "undoes": 1, "erases": 2,
        "imports_file": 4, "undoes_import": 3, "takes_back": 6, "merges": 3, "texts": 2,
        "is_rejected": 2, "clicks": 2, "asks": 2, "decides": 2, "marks": 0.5,
    },
    {
        "adds": 3, "moves": 4, "moves ": 4, "clears": 2, "erases": 3, "imports_file": 5,
        "undoes_import": 4, "merges": 2, "fails": 10, "is_delivered": 3, "clicks": 1,
    },
]  # fmt: skip
#: Without these a history is about texts alone, or about e-mails alone.
BY_TEXT = {"moves", "whatsapps", "texts", "is_rejected", "is_delivered", "reads"}
BY_MAIL = {"moves ", "removes", "clicks"}


@dataclass(frozen=True)
class Step:
    """What happens, and when."""

    after: timedelta
    do: str
    args: dict[str, Any] = field(hash=False)
    rows: tuple[dict[str, Any], ...] = ()

    def __str__(self) -> str:
        days, rest = divmod(self.after, day)
        clock = f" {rest // timedelta(hours=1)}:{rest // minute % 60:02}" if rest else ""
        return f"day {days}{clock}: {_sentence(self.do.strip(), self.args, self.rows)}"


def a_history(rng: random.Random, only: str | None = None) -> list[Step]:
    """Somebody who agreed, and then anything."""
    about = only or rng.choice(["sms", "sms", "email", "both"])
    without = BY_MAIL if about == "sms" else BY_TEXT if about == "email" else set()
    focus = rng.choice(FOCUSES)
    kinds = [kind for kind in CHOICES if kind in focus and kind not in without]
    weights = [focus[kind] for kind in kinds]
    now = timedelta(0)
    known = rng.choice(["groups", "groups", "groups", "one number", "nothing"])
    steps = [Step(now, "knows", {"senders": known})]
    steps += [_beginning(rng, who, about) for who in ("c0", "c1")[: rng.choice([1, 2, 2])]]
    if rng.random() < 0.8:
        channel = "email" if about == "email" else "sms"
        steps.append(Step(now, "says_yes", {"who": "c0", "channel": channel}))
    for _ in range(rng.randint(3, 14)):
        now += rng.choice(PAUSES)
        steps.append(_a_step(rng, rng.choices(kinds, weights)[0], now, about))
    return steps


def _beginning(rng: random.Random, who: str, about: str) -> Step:
    phone = rng.choice(PHONES) if about != "email" else None
    email = rng.choice(MAILBOXES) if about != "sms" else None
    return Step(timedelta(0), "adds", {"who": who, "phone": phone, "email": email})


def _a_step(rng: random.Random, kind: str, now: timedelta, about: str) -> Step:
    args = _drawn(rng, CHOICES[kind], now)
    if "channel" in args and about != "both":
        args["channel"] = about
    if kind == "adds":
        return replace(_beginning(rng, args["who"], about), after=now)
    if kind == "fails":
        args["address"] = rng.choice(MAILBOXES if about == "email" else PHONES)
        args["to"] = "sendgrid" if about == "email" else args["to"]
    if kind != "imports_file":
        return Step(now, kind, args)
    rows = []
    for who in rng.sample(["c0", "c1", "c2"], rng.choice([1, 1, 2])):
        row = {"who": who, **_drawn(rng, ROWS, now)}
        if about != "both":
            other = ("email", "mail") if about == "sms" else ("phone", "sms")
            row = {k: v for k, v in row.items() if k not in other}
        rows.append(row)
    return Step(now, kind, args, tuple(rows))


def _drawn(rng: random.Random, choices: dict[str, list[Any]], now: timedelta) -> dict[str, Any]:
    args = {name: rng.choice(values) for name, values in choices.items()}
    for name in {"at", "sent", "agreed"} & args.keys():
        if args[name] is not None:
            args[name] = now - args[name]
    if args.get("sent") is not None and args.get("at") is not None:
        args["sent"] = min(args["sent"], args["at"])
    return args


# Carrying out

#: In memory where the system has such a folder: nothing waits for a disk.
_FOLDER = "/dev/shm" if Path("/dev/shm").is_dir() else None
#: Whoever comes to an address meets what is known of it.
NEWCOMERS = {
    "n0": {"phone": "A"}, "n1": {"phone": "B"}, "n2": {"email": "E"}, "n3": {"email": "F"},
}  # fmt: skip


@contextmanager
def a_world(kind: str) -> Iterator[World]:
    with tempfile.TemporaryDirectory(prefix="optin-", dir=_FOLDER) as folder:
        path, clock = path_in(Path(folder), kind), Stopped(NOW)
        world = World(open_service(path, clock), clock, path)
        try:
            yield world
        finally:
            world.service.store.close()
            forget(path)


def problem(steps: Sequence[Step], kind: str = "tinydb") -> str | None:
    """What Optin and the rules disagree on when these steps are carried out, or how Optin fails."""
    with a_world(kind) as world:
        try:
            for step in steps:
                carry_out(world, step)
            for who, place in NEWCOMERS.items():
                world.adds(who, **place)
            world.compare_past()
            found = use.verify(world.service).problem
        except Disagreement as differ:
            return str(differ)
        except Exception as error:  # noqa: BLE001 - whatever it is, the history that makes it is wanted
            return f"{type(error).__name__}: {error}"
    return found and f"verify: {found}"


def carry_out(world: World, step: Step) -> None:
    world.day(step.after)
    getattr(world, step.do.strip())(*step.rows, **step.args)


def shortest(steps: Sequence[Step], fails: Callable[[Sequence[Step]], bool]) -> list[Step]:
    """Steps are dropped, then times and arguments made plain, while it still fails."""
    steps = list(steps)
    size = max(1, len(steps) // 2)
    while size:
        n = 0
        while n < len(steps):
            fewer = steps[:n] + steps[n + size :]
            if fails(fewer):
                steps = fewer
            else:
                n += size
        size //= 2
    for n, step in enumerate(steps):
        for plainer in _plainer(step):
            tried = [*steps[:n], plainer, *steps[n + 1 :]]
            if fails(tried):
                steps[n] = plainer
                step = plainer
    return steps


def _plainer(step: Step) -> Iterator[Step]:
    for name in ("at", "sent", "agreed"):
        if step.args.get(name) is not None:
            yield replace(step, args={**step.args, name: None})
    for name, value in step.args.items():
        if isinstance(value, str) and value.endswith("'"):
            yield replace(step, args={**step.args, name: value[:-1]})
        if name == "by" and value != "agent":
            yield replace(step, args={**step.args, name: "agent"})
    for n, row in enumerate(step.rows):
        if len(step.rows) > 1:
            yield replace(step, rows=step.rows[:n] + step.rows[n + 1 :])
        for name in row.keys() - {"who", "phone", "email"}:
            fewer = {k: v for k, v in row.items() if k != name}
            yield replace(step, rows=(*step.rows[:n], fewer, *step.rows[n + 1 :]))


# Printing

_SENTENCES = {
    "adds": "{who} is added with {phone} and {email}",
    "moves": "{who} moves to {to}",
    "says_no": "{who} says NO to {channel}, recorded by {by} ({reason})",
    "says_yes": "{who} says YES to {channel}, recorded by {by} (evidence: {evidence})",
    "undoes": "{by} undoes the last change of {channel} for {who}",
    "clears": "{by} clears the {channel} bounce of {who}",
    "marks": "{who} is marked do-not-contact: {do_not_contact}",
    "erases": "{who} is erased",
    "imports_file": "file {file} is imported",
    "undoes_import": "the import of {file} is undone (its opt-outs, too: {opt_outs})",
    "takes_back": "a manager takes back the newest NO to {channel} of {who}",
    "merges": "{merged} is merged into {kept}",
    "removes": "a manager says that {entry} is removed for {who}",
    "retires": "{name} is retired",
    "whatsapps": "somebody writes {words!r} from {address} by WhatsApp",
    "restarts": "Optin restarts",
    "knows": "OPTIN_SENDERS says {senders}",
    "texts": "somebody texts {words!r} from {address} to {to}{at}",
    "is_rejected": "a text from {to} to {address} is rejected: opted out{at}{sent}",
    "fails": "a message from {to} to {address} fails ({failure}){at}",
    "is_delivered": "a text from {to} to {address} is delivered{at}{sent}",
    "clicks": "{by} tells that {address} {what} ({scope}){at}",
    "is_told_again": "the event of step {step} is told again",
    "asks": "{by} asks for {channel} of {who}, agreed {agreed}",
    "decides": "{by} decides the {channel} case of {who}: {word}",
    "reads": "the reply from {address} is read as a refusal: {refusal}",
}


def _sentence(do: str, args: dict[str, Any], rows: Sequence[dict[str, Any]]) -> str:
    said = {"by": "agent", "evidence": "a form", "reason": "Asked by phone", "to": None, **args}
    said["at"] = _when(" on", args.get("at"))
    said["sent"] = _when(", sent on", args.get("sent"))
    said["agreed"] = _when("on", args.get("agreed")) or "now"
    if do == "moves":
        said["to"] = next(str(v) for k, v in args.items() if k != "who")
    lines = [_SENTENCES[do].format(**said)]
    for row in rows:
        shown = {k: _when("day", v) if isinstance(v, timedelta) else v for k, v in row.items()}
        lines.append(f"    row {shown}")
    return "\n".join(lines)


def _when(word: str, at: timedelta | None) -> str:
    if at is None:
        return ""
    days, rest = divmod(at, day)
    clock = f" {rest // timedelta(hours=1)}:{rest // minute % 60:02}" if rest else ""
    return f"{word} day {days}{clock}".replace("day day", "day")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--storage", default="tinydb")
    parser.add_argument("--only", choices=["sms", "email", "both"])
    parser.add_argument("--most", type=int, default=10, help="disagreements to print")
    asked = parser.parse_args()
    began, failing, shown = time.monotonic(), 0, set[tuple[str, ...]]()
    for run in range(asked.runs):
        history = a_history(random.Random(f"{asked.seed}:{run}"), asked.only)
        if problem(history, asked.storage) is None:
            continue
        failing += 1
        short = shortest(history, lambda steps: problem(steps, asked.storage) is not None)
        kinds = tuple(step.do for step in short)
        if kinds not in shown and len(shown) < asked.most:
            shown.add(kinds)
            lines = [f"# seed {asked.seed}, run {run}", *map(str, short)]
            lines.append(problem(short, asked.storage) or "")
            sys.stdout.write("\n".join(lines) + "\n\n")
            sys.stdout.flush()
    took = time.monotonic() - began
    sys.stdout.write(f"{asked.runs} histories in {took:.0f} s: {failing} disagree\n")
    return 1 if failing else 0


if __name__ == "__main__":
    sys.exit(main())
