"""`python tests/bench [name …]`: what the issue asks of speed and memory, as ratios in one run.

Never a test that fails: machines differ. Each figure stands beside its bar.
"""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
_VERDICTS = {True: "ok", False: "[bold]missed[/]", None: "not here"}


def main(names: list[str]) -> None:
    """Runs the benches of these names, or all of them. Raises what a bench raises."""
    known = sorted(path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_"))
    if strangers := sorted({*names} - {*known}):
        sys.exit(f"There is no bench called {strangers[0]}; there are: {', '.join(known)}.")
    # Here lie files with the names of our packages: nothing may be found here by accident.
    sys.path[:] = [str(ROOT), *(path for path in sys.path if Path(path).resolve() != HERE)]
    console = Console()
    table = Table("figure", "value", "bar", "", "detail")
    table.columns[1].justify = "right"

    def report(name: str, value: float | str, bar: str, ok: bool | None, detail: str) -> None:
        """`ok` is None where this machine can't show it."""
        shown = value if isinstance(value, str) else f"{value:,.2f}"
        table.add_row(name, shown, bar, _VERDICTS[ok], detail)
        console.print(f"  {name}: {shown} ({bar}) {detail}", style="dim", highlight=False)

    for name in names or known:
        console.print(f"{name} …")
        _load(name).run(report)
    console.print(table)


def _load(name: str) -> ModuleType:
    spec = spec_from_file_location(f"bench_{name}", HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    return module


main(sys.argv[1:])
