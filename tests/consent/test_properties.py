"""People, files and providers do anything in any order; after every step Optin says of every
contact what `oracle.py` computes from rules.md.

The normal run makes the same histories each time. `OPTIN_PROPERTY_RUNS=3000` makes that many new
ones. `python -m tests.support.history_runs` makes thousands a minute out of a seed, and prints the shortest
one that fails.
"""

from __future__ import annotations

import os
import random
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from bot.consent import use_cases as use
from tests.support.histories import Disagreement
from tests.support.history_runs import (
    CHOICES,
    NEWCOMERS,
    PAUSES,
    ROWS,
    WEIGHTS,
    Step,
    a_history,
    a_world,
    carry_out,
    problem,
    shortest,
)
from tests.support.storages import KIND, KINDS

RUNS = int(os.environ.get("OPTIN_PROPERTY_RUNS", "0"))

kinds = st.sampled_from([kind for kind, weight in WEIGHTS.items() for _ in range(round(weight))])
rows = st.fixed_dictionaries(
    {"who": st.sampled_from(["c0", "c1", "c2"])}
    | {name: st.sampled_from(values) for name, values in ROWS.items()}
)
#: Steps whose arguments are drawn here. Files, whose rows are drawn besides, are a rule of their own.
steps = kinds.filter(lambda kind: kind != "imports_file").flatmap(
    lambda kind: st.tuples(
        st.just(kind),
        st.fixed_dictionaries({n: st.sampled_from(values) for n, values in CHOICES[kind].items()}),
    )
)


class Histories(RuleBasedStateMachine):
    """One storage with the oracle beside it."""

    kind: str

    def __init__(self) -> None:
        super().__init__()
        self.open = ExitStack()
        self.world = self.open.enter_context(a_world(self.kind))
        self.now = timedelta(0)
        self.taken: list[Step] = []

    def happens(self, do: str, args: dict[str, Any], *rows: dict[str, Any]) -> None:
        step = Step(self.now, do, args, rows)
        self.taken.append(step)
        try:
            carry_out(self.world, step)
        except Disagreement as differ:
            short = shortest(self.taken, lambda steps: problem(steps, self.kind) is not None)
            lines = [*map(str, short), problem(short, self.kind) or ""]
            raise AssertionError("\n".join(lines)) from differ

    @initialize(senders=st.sampled_from(["groups", "groups", "one number", "nothing"]))
    def two_contacts_are_there(self, senders: str) -> None:
        self.happens("knows", {"senders": senders})
        self.happens("adds", {"who": "c0", "phone": "A", "email": "E"})
        self.happens("says_yes", {"who": "c0", "channel": "sms"})
        self.happens("says_yes", {"who": "c0", "channel": "email"})
        self.happens("adds", {"who": "c1", "phone": "A'", "email": "E'"})

    @rule(step=steps)
    def something_happens(self, step: tuple[str, dict[str, Any]]) -> None:
        kind, args = step
        self.happens(kind, self.dated(args))

    @rule(file=st.sampled_from(CHOICES["imports_file"]["file"]), rows=st.lists(rows, max_size=2))
    def a_file_is_imported(self, file: str, rows: list[dict[str, Any]]) -> None:
        people = {row["who"]: self.dated(row) for row in rows}
        self.happens("imports_file", {"file": file}, *people.values())

    @rule(pause=st.sampled_from(PAUSES))
    def time_passes(self, pause: timedelta) -> None:
        self.now += pause

    @rule()
    def everything_restarts(self) -> None:
        self.happens("restarts", {})

    def teardown(self) -> None:
        with self.open:
            for who, place in NEWCOMERS.items():
                self.world.adds(who, **place)
            self.world.compare_past()
            assert use.verify(self.world.service).problem is None

    def dated(self, args: dict[str, Any]) -> dict[str, Any]:
        """With times instead of ages."""
        times = {n: self.now - v for n, v in args.items() if isinstance(v, timedelta)}
        if len({"at", "sent"} & times.keys()) == 2:
            times["sent"] = min(times["sent"], times["at"])
        return args | times


def _machine(kind: str, examples: int) -> type:
    machine = type(f"Histories_{kind}", (Histories,), {"kind": kind})
    machine.TestCase.settings = settings(
        max_examples=RUNS or examples,
        stateful_step_count=20,
        derandomize=not RUNS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        # A long history takes minutes to shorten; `history_runs` does it in seconds.
        phases=[Phase.explicit, Phase.generate],
        report_multiple_bugs=False,
    )
    # On a slow machine the whole number takes minutes on PostgreSQL.
    machine.TestCase.pytestmark = [pytest.mark.timeout(7_200)]
    return machine.TestCase


#: Most on one kind of storage, a few on the others.
_EXAMPLES = {kind: 60 if kind == KIND else 8 for kind in KINDS}

for _kind, _examples in _EXAMPLES.items():
    globals()[f"TestHistoriesOn_{_kind}"] = _machine(_kind, _examples)


@pytest.mark.timeout(7_200)
@pytest.mark.parametrize("about", ["sms", "email", "both"])
def test_histories_out_of_a_seed_agree_with_the_rules(about: str):
    """Histories about one channel go deeper than those of the machine."""
    for run in range(RUNS or 40):
        history = a_history(random.Random(f"{RUNS}:{run}"), about)
        if problem(history) is not None:
            short = shortest(history, lambda steps: problem(steps) is not None)
            pytest.fail("\n".join([*map(str, short), problem(short) or ""]))


def test_a_history_that_disagrees_is_shortened():
    """The runner finds a fault, and leaves only the steps that make it."""
    history = a_history(random.Random("to be shortened"), "sms")
    last = str(history[-1])
    short = shortest(history, lambda steps: last in map(str, steps))
    assert len(short) == 1
    with a_world(KIND) as world:
        for step in short:
            carry_out(world, step)
