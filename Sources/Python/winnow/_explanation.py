"""How a segment comes to its count, as a tree that a notebook draws."""

from __future__ import annotations

import html
from typing import Any


class Node:
    """A part of a rule: what it says, whom it finds alone, and who is left after it."""

    path: str
    """Where it stands in the rule: ``where.all[1]``."""
    text: str
    """What it says."""
    count: int
    """Profiles that it finds alone."""
    after: int
    """Profiles that are left after it, where each part of an ``all`` takes some away."""
    children: list[Node]
    """Its parts."""
    details: dict[str, Any]
    """All that the engine says of it."""

    def __init__(self, details: dict[str, Any]) -> None:
        self.path = details["path"]
        self.text = details["text"]
        self.count = details["count"]
        self.after = details["after"]
        self.details = details
        self.children = []

    def __repr__(self) -> str:
        return f"Node({self.text!r}, count={self.count}, after={self.after})"


class Explanation:
    """The counts of a rule and of all its parts. Printed it is a tree; a notebook shows one with bars."""

    count: int
    """Profiles of the segment."""
    universe: int
    """Profiles of the store."""
    as_of: str
    """The instant of evaluation."""
    version: int
    """The store's version."""
    elapsed_ms: float
    """Milliseconds that it took."""
    root: Node
    """The whole rule."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.count = answer["count"]
        self.universe = answer["universe"]
        self.as_of = answer["as_of"]
        self.version = answer["version"]
        self.elapsed_ms = answer["elapsed_ms"]
        self._answer = answer
        nodes = [Node(details) for details in answer["nodes"]]
        self.root = nodes[0]
        ancestors: list[Node] = []
        for node in nodes:
            while ancestors and not _is_inside(node.path, ancestors[-1].path):
                ancestors.pop()
            if ancestors:
                ancestors[-1].children.append(node)
            ancestors.append(node)

    def __reduce__(self) -> tuple[Any, ...]:
        return Explanation, (self._answer,)

    def to_dict(self) -> dict[str, Any]:
        """What ``winnow explain --format json`` prints."""
        return self._answer

    def _share(self, count: int) -> float:
        return count / self.universe if self.universe else 0.0

    def __str__(self) -> str:
        lines = [f"{self.count:,} of {self.universe:,} profiles, as of {self.as_of}", ""]
        rows: list[tuple[str, Node]] = []

        def add(node: Node, mark: str, below: str) -> None:
            rows.append((mark + node.text, node))
            for i, child in enumerate(node.children):
                is_last = i + 1 == len(node.children)
                add(child, below + ("└ " if is_last else "├ "), below + ("  " if is_last else "│ "))

        add(self.root, "", "")
        width = min(60, max(len(text) for text, _ in rows))
        for text, node in rows:
            shown = text if len(text) <= width else text[: width - 1] + "…"
            bar = "█" * round(20 * self._share(node.count))
            left = "" if node.after == node.count else f" {node.after:,} left"
            lines.append(f"{shown:<{width}} {node.count:>14,} {self._share(node.count):>7.1%}  {bar}{left}".rstrip())
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows: list[str] = []

        def add(node: Node, depth: int) -> None:
            share = self._share(node.count)
            left = "" if node.after == node.count else f"{node.after:,} left"
            rows.append(
                f'<tr><td style="text-align:left;padding:.25em 1em .25em {0.25 + 1.25 * depth}em">'
                f"{html.escape(node.text)}</td>"
                f'<td style="text-align:right;padding:.25em .75em;font-variant-numeric:tabular-nums">{node.count:,}</td>'
                '<td style="text-align:right;padding:.25em .75em;font-variant-numeric:tabular-nums;opacity:.75">'
                f"{share:.1%}</td>"
                '<td style="text-align:left;padding:.25em .75em">'
                '<div style="width:10em;height:.7em;background:rgba(128,128,128,.2);border-radius:.2em">'
                f'<div style="width:{100 * share:.2f}%;height:100%;background:#2f7ebc;border-radius:.2em"></div>'
                "</div></td>"
                f'<td style="text-align:left;padding:.25em .75em;opacity:.75">{left}</td></tr>'
            )
            for child in node.children:
                add(child, depth + 1)

        add(self.root, 0)
        return (
            '<table style="border-collapse:collapse;font-family:system-ui,sans-serif">'
            f'<caption style="text-align:left;padding:.25em 0"><b>{self.count:,}</b> of {self.universe:,} profiles, '
            f"as of {html.escape(self.as_of)}</caption>"
            '<thead><tr><th style="text-align:left;padding:.25em">rule</th>'
            '<th style="text-align:right;padding:.25em .75em">profiles</th>'
            '<th style="text-align:right;padding:.25em .75em">share</th><th></th><th></th></tr></thead>'
            f"<tbody>{''.join(rows)}</tbody></table>"
        )


def _is_inside(path: str, other: str) -> bool:
    return path.startswith(other) and len(path) > len(other) and path[len(other)] in ".["
