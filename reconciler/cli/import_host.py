"""`reconcile import host`: write the specs of live hosts as they are."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.hearing import hearing
from reconciler.cli.import_access import SDK, SSH, access, of_one_host
from reconciler.cli.importing import NOT_REACHED
from reconciler.cli.messages import Problem, tell
from reconciler.cli.options import LOGS, SPECS, STATE, gathered, option, paths, refuse_strangers, state_folder
from reconciler.cli.output import coloured, write
from reconciler.cli.stopping import INTERRUPTED, stopping
from reconciler.faults import FaultKind
from reconciler.render.visible import visible
from reconciler.render.words import many

if TYPE_CHECKING:
    from reconciler.importing.host.drafting import Order
    from reconciler.importing.host.drafts import Draft


@click.command("host", short_help="Write the specs of live hosts.")
@click.argument("addresses", nargs=-1, metavar="[ADDRESS]...")
@option("--from", "from_", metavar="FILE", help="A file with addresses, one a line; # begins a comment.")
@option(
    "--out", metavar="PATH", help="The file to write; of several hosts a folder.  [default: standard output]"
)
@option("--force", is_flag=True, twin=False, help="Write over what is there.")
@option("--virtual-disk", metavar="PATH", help="Where master images lie: those there are written too.")
@option("--profile", metavar="NAME", help="Write only what differs from this profile, which -f has.")
@SPECS
@SSH
@SDK
@option(
    "--concurrency",
    type=click.IntRange(min=1),
    default=50,
    metavar="N",
    help="So many hosts side by side.  [default: 50]",
)
@STATE
@LOGS
@click.pass_context
def command(context: click.Context, /, **_: Any) -> int:
    """Look at hosts and write the documents whose plan is empty. Changes nothing on them.

    Of several hosts, --out DIR gets profiles.yaml with what most of them share and hosts.yaml with the rest, and it is
    told which are not like the others. What no spec can say is left out, and told with the reason.

    Exit status: 0 done, 3 a host could not be reached, 1 any other failure; then no file is written.
    """
    refuse_strangers(context)
    options = gathered(context)
    from reconciler.desired.mistakes import SpecMistakes
    from reconciler.importing.files import CannotWrite
    from reconciler.importing.notes import CannotImport

    work = _Import(options, _addresses(options))
    try:
        return work.run()
    except (CannotImport, SpecMistakes) as wrong:
        raise Problem(f"{wrong}\nnothing was written") from None
    except CannotWrite as trouble:
        raise Problem(str(trouble)) from None


def _addresses(options: Mapping[str, Any]) -> list[str]:
    """The addresses, each once. Raises Problem."""
    addresses = [*options["addresses"], *(_listed(Path(options["from_"])) if options["from_"] else ())]
    if not addresses:
        raise Problem("no host was named (would be right: an address, or --from FILE with one a line)")
    if len(set(addresses)) > 1 and (only := of_one_host(options)):
        raise Problem(
            f"{only} can be true of one host only; import them one by one, or use a file of known hosts"
        )
    return list(dict.fromkeys(addresses))


def _listed(file: Path) -> list[str]:
    from reconciler.desired.files import MAX_SPEC_BYTES, Unreadable, read_text

    try:
        lines = read_text(str(file), MAX_SPEC_BYTES).splitlines()
    except Unreadable as error:
        raise Problem(f"--from {file}: {error}") from None
    return [address for line in lines if (address := line.partition("#")[0].strip())]


@dataclass
class _Import:
    """One command at work on `addresses`."""

    options: Mapping[str, Any]
    addresses: Sequence[str]

    def run(self) -> int:
        """The exit status. Raises Problem, CannotImport, SpecMistakes, CannotWrite."""
        from reconciler.importing.files import see_free, write_files
        from reconciler.importing.host.drafting import all_valid

        files = self._files()
        see_free((file for file in files if file is not None), force=self.options["force"])
        order = self._order(files)
        drafts = all_valid(self._looked(order), order.beside)
        texts = self._texts(drafts)
        order.beside.load(
            {str(file or "what was imported"): it for file, it in zip(files, texts, strict=True)}
        )
        written = {file: it for file, it in zip(files, texts, strict=True) if file is not None}
        write_files(written, force=self.options["force"])
        self._tell(drafts, list(written))
        if not written:
            write(texts[0])
        return 0

    def _files(self) -> list[Path | None]:
        """Where the texts go; None: standard output. Raises Problem."""
        out = Path(self.options["out"]).expanduser() if self.options["out"] else None
        if len(self.addresses) == 1:
            return [out]
        if out is None:
            raise Problem(
                "of several hosts, --out DIR is needed: the folder for profiles.yaml and hosts.yaml"
            )
        return (
            [out / "hosts.yaml"] if self.options["profile"] else [out / "profiles.yaml", out / "hosts.yaml"]
        )

    def _order(self, files: Sequence[Path | None]) -> Order:
        from reconciler.fleet import Options
        from reconciler.importing.host.drafting import Order
        from reconciler.importing.host.reading import Beside

        given, profile = self.options, self.options["profile"]
        base = {
            "profile": profile,
            "access": access(given),
            "virtualDisk": {"path": given["virtual_disk"]} if given["virtual_disk"] else None,
        }
        specs = tuple(paths(given["filename"])) if profile else ()
        beside = Beside(specs, tuple(file for file in files if file is not None))
        options = Options(True, None, (), given["concurrency"], state_folder(given["state_dir"]))
        return Order({name: it for name, it in base.items() if it}, beside, options)

    def _looked(self, order: Order) -> Sequence[Draft]:
        """What was seen of all hosts. Raises Problem when one could not be looked at."""
        from reconciler.importing.host.looking import look
        from reconciler.importing.names import slugs

        given, stop = self.options, threading.Event()
        colour = coloured(sys.stderr, given["no_color"])
        ears = hearing(
            given["log_level"] or "warning", given["log_format"], quiet=False, bars=True, colour=colour
        )
        names = {name: address for address, name in slugs(self.addresses).items()}
        with ears.working(len(names)) as listener, stopping(stop, ears.tidy):
            found = look(order, names, listener, stop)
        for fault in found.faults.values():
            tell(f"{fault.message}\n  {fault.next}", "error")
        if stop.is_set():
            raise Problem("interrupted; nothing was written", INTERRUPTED)
        if found.faults:
            kinds = {fault.kind for fault in found.faults.values()}
            what = f"{many(len(found.faults), 'host')} of {len(names)} could not be looked at; nothing was written"
            raise Problem(what, NOT_REACHED if kinds == {FaultKind.UNREACHABLE} else 1)
        return found.drafts

    def _texts(self, drafts: Sequence[Draft]) -> list[str]:
        from reconciler.importing.host.documents import parted, whole
        from reconciler.importing.writing import text

        if len(drafts) == 1 or self.options["profile"]:
            return [text(whole(drafts))]
        profile, hosts = parted(drafts)
        return [text([profile]), text(hosts)]

    def _tell(self, drafts: Sequence[Draft], files: Sequence[Path]) -> None:
        """What was left out, who is not like the others, and where the documents are."""
        from reconciler.importing.host.sharing import outliers

        for draft in drafts:
            for note in draft.omitted:
                tell(visible(f"left out: {draft.name}: {note.resource}: {note.why}"), "warning")
            for remark in draft.remarks:
                tell(f"{draft.name}: {remark}", "warning")
        if len(drafts) > 1 and not self.options["profile"]:
            for odd in outliers({draft.name: draft.spec for draft in drafts}):
                tell(visible(str(odd)), "warning")
        if files:
            write(f"wrote {' and '.join(map(str, files))} ({many(len(drafts), 'host')})\n")
