"""What goes to standard output: the plan and the report in the format that was asked for."""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import dataclass
from typing import TextIO

from reconciler.cli.messages import Problem
from reconciler.render.document import host_document, report_document
from reconciler.render.json import to_json, to_line
from reconciler.render.markdown import to_markdown
from reconciler.render.paint import Paint
from reconciler.render.text import to_text
from reconciler.render.values import map_texts
from reconciler.render.yaml import to_yaml
from reconciler.report import HostReport, Report
from reconciler.secrets import mask


def coloured(stream: TextIO | None, no_color: bool) -> bool:
    """Whether colour is welcome there (no-color.org)."""
    if no_color or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream is not None and stream.isatty()


def write(text: str) -> None:
    """A text on standard output, at once. Raises Problem when there is none, OSError when it can't be written."""
    if sys.stdout is None:
        raise Problem("there is no standard output to write to")
    sys.stdout.write(text)
    sys.stdout.flush()


@dataclass
class Output:
    """Standard output of one pass. `format` as after --output; `quiet` is for what people read: the summary only."""

    format: str
    quiet: bool
    no_color: bool

    def __post_init__(self) -> None:
        self._trouble: OSError | None = None
        self._gate = threading.Lock()
        self._told: set[str] = set()

    @property
    def shows_plans(self) -> bool:
        """Whether the plan is shown here too, before the report; else there is one document, or a summary."""
        return self.format == "text" and not self.quiet

    @property
    def unread(self) -> bool:
        """Whether nobody reads any more what is written."""
        return self._trouble is not None

    def plan(self, report: Report) -> None:
        """A plan that is about to be asked for; on standard error where standard output is for something else."""
        stream = sys.stdout if self.shows_plans else sys.stderr
        text = to_text(_safe(report), Paint(coloured(stream, self.no_color)))
        if self.shows_plans:
            write(text)
        elif stream is not None:
            stream.write(text)
            stream.flush()

    def host(self, host: HostReport) -> None:
        """A host that is done with, told once. Trouble is kept for `report`: it must not disturb the pass."""
        with self._gate:
            if self.format != "jsonl" or host.name in self._told:
                return
            self._told.add(host.name)
            try:
                if self._trouble is None:
                    write(to_line(host_document(map_texts(host, mask))) + "\n")
            except OSError as error:
                self._trouble = error

    def report(self, report: Report) -> None:
        """The report of all hosts. Raises OSError when it, or a host before it, could not be written."""
        if self._trouble is not None:
            raise self._trouble
        if self.format != "jsonl":
            write(self._rendered(_safe(report)))

    def _rendered(self, report: Report) -> str:
        match self.format:
            case "json":
                return to_json(report_document(report)) + "\n"
            case "yaml":
                return to_yaml(report_document(report))
            case "markdown":
                return to_markdown(report, only_summary=self.quiet)
            case _:
                paint = Paint(coloured(sys.stdout, self.no_color))
                return to_text(report, paint, only_summary=self.quiet)


def _safe(report: Report) -> Report:
    return map_texts(report, mask)
