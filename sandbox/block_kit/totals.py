"""Limits that hold for a table, or for a message, as a whole."""

from collections.abc import Iterator
from typing import Any, Final

from sandbox.block_kit.limits import total

_TABLES: Final = ("table", "data_table")


def in_block(block: dict[str, Any], kind: str) -> Iterator[tuple[str, str]]:
    """The path below the block, and a sentence."""
    if kind not in _TABLES:
        return
    if _characters(block) > total("block", kind, "all cells, total characters"):
        yield "/rows", "has too many characters in its cells"
    rows = block.get("rows")
    if isinstance(rows, list) and len({len(row) for row in rows if isinstance(row, list)}) > 1:
        yield "/rows", "must have rows of the same length"


def in_message(blocks: list[Any]) -> Iterator[str]:
    nodes = [block for block in blocks if isinstance(block, dict)]
    for kind in ("data_visualization", "table"):
        most = total("message", "message", f"{kind} blocks")
        if sum(block.get("type") == kind for block in nodes) > most:
            yield f"no more than {most} {kind} blocks allowed"
    for kind in _TABLES:
        most = total("message", "message", f"{kind} cells, total characters")
        if sum(_characters(block) for block in nodes if block.get("type") == kind) > most:
            yield f"{kind} cells must be less than {most + 1} characters in total"
    most = total("message", "message", "markdown blocks, total characters")
    texts = (str(block.get("text")) for block in nodes if block.get("type") == "markdown")
    if sum(map(len, texts)) > most:
        yield f"markdown blocks must be less than {most + 1} characters in total"


def _characters(node: Any) -> int:
    if isinstance(node, dict):
        own = len(node["text"]) if isinstance(node.get("text"), str) else 0
        return own + sum(_characters(node[name]) for name in ("rows", "elements") if name in node)
    return sum(map(_characters, node)) if isinstance(node, list) else 0
