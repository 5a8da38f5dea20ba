"""`twotrack ledger`: what was asked and what it cost, added up."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import date
from pathlib import Path
from typing import Literal

from twotrack.commands import terminal
from twotrack.report import table
from twotrack.routing import spending
from twotrack.routing.ledger import default_path
from twotrack.routing.spending import DIMENSIONS, HEADS, Sum

Shape = Literal["text", "json", "csv"]


def run(since: date, shape: Shape) -> int:
    """Print the sums since a local day; 1 if nothing was asked."""
    path = default_path()
    parts = spending.sums(path, since)
    if shape == "json":
        rows = [asdict(part) for part in parts]
        whole = asdict(spending.total(parts))
        terminal.show_data(
            {"since": since.isoformat(), "ledger": str(path), "total": whole, "rows": rows}
        )
    elif shape == "csv":
        terminal.show(_csv(parts))
    else:
        terminal.show(_text(parts, since, path))
    return 0 if parts else 1


def _text(parts: Sequence[Sum], since: date, path: Path) -> str:
    sections = [
        "\n".join(
            table(
                [
                    (dimension, *HEADS[1:]),
                    *(spending.cells(dimension, one) for one in spending.by(dimension, parts)),
                ],
                numbers=True,
            )
        )
        for dimension in DIMENSIONS
        if parts
    ]
    end = f"{spending.summary(parts, since)}\nThe record: {path}\n"
    return "\n\n".join([*sections, end])


def _csv(parts: Sequence[Sum]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(Sum)])
    writer.writerows(asdict(part).values() for part in parts)
    return text.getvalue()
