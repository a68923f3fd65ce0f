"""`reconcile import vcl`: first specs from the database of an Apache VCL installation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.importing import NOT_REACHED
from reconciler.cli.messages import Problem, tell
from reconciler.cli.options import LOGS, gathered, option, refuse_strangers

if TYPE_CHECKING:
    from reconciler.importing.vcl.rows import Tables
    from reconciler.importing.vcl.specs import Imported

PROFILES, HOSTS = "profiles.yaml", "hosts.yaml"


@click.command("vcl", short_help="Write specs from a VCL database.")
@option("--database", metavar="URL", help="mysql://USER@HOST[:PORT]/NAME; needs SELECT rights.")
@option("--password-file", metavar="FILE", help="The file that holds the user's password.")
@option("--password-env", metavar="NAME", help="The environment variable that holds it.")
@option(
    "--key",
    multiple=True,
    metavar="FILE",
    help="A public key that root's authorized keys get, or the private one beside it; repeatable.",
)
@option(
    "--images",
    type=click.Choice(("none", "production", "loaded")),
    default="none",
    help="Which master images hosts get: all in production, or those that their machines have loaded."
    "  [default: none]",
)
@option("--all-profiles", is_flag=True, help="Write profiles that no host uses, too.")
@option(
    "--prefer-profile",
    multiple=True,
    metavar="NAME",
    help="The profile of a computer that has several in VCL; repeatable, the first that it has.",
)
@option("--out", metavar="DIR", help="The folder that gets profiles.yaml and hosts.yaml.")
@option("--force", is_flag=True, twin=False, help="Write over files that are there.")
@LOGS
@click.pass_context
def command(context: click.Context, /, **_: Any) -> int:
    """Read a VCL database and write specs: profiles.yaml and hosts.yaml in DIR.

    Reads in one snapshot, changes nothing there. No secret is written or shown. What was left out, what is doubtful
    and what is to be filled in stands on standard error, with the line of the file.

    Exit status: 0 done, 3 the database could not be reached, 1 any other failure; then no file was written.
    """
    refuse_strangers(context)
    options = gathered(context)
    for name, what in (("database", "URL"), ("out", "DIR")):
        if not options[name]:
            raise click.UsageError(f"--{name} {what} is needed", context)
    from reconciler.importing.files import CannotWrite, see_free, write_files
    from reconciler.importing.keys import read_keys
    from reconciler.importing.notes import CannotImport
    from reconciler.importing.vcl.rows import snapshot
    from reconciler.importing.vcl.specs import Options, imported

    folder, force = Path(options["out"]).expanduser(), options["force"]
    try:
        see_free((folder / PROFILES, folder / HOSTS), force=force)
        keys = read_keys(options["key"])
        wanted = Options(options["all_profiles"], options["prefer_profile"], options["images"], keys)
        result = imported(snapshot(_tables(options)), wanted)
        write_files(_texts(result, folder), force=force)
    except (CannotImport, CannotWrite) as error:
        raise Problem(str(error)) from None
    return _written(result, folder)


def _tables(options: dict[str, Any]) -> Tables:
    """What is in the database; what of it is not read is told. Raises Problem."""
    try:
        from reconciler.importing.vcl.database import parse_url, read
    except ModuleNotFoundError as error:
        what = f"reading a VCL database needs {error.name}, which is not installed"
        raise Problem(f"{what}: pip install 'reconciler[vcl]'") from None
    from reconciler.faults import Fault, Unreachable

    try:
        database = parse_url(options["database"])
        tables, unread = read(database, _password(options), images=options["images"] != "none")
    except ValueError as error:
        raise Problem(f"--database: {error}") from None
    except Fault as fault:
        status = NOT_REACHED if isinstance(fault, Unreachable) else 1
        raise Problem(f"{fault.message}; {fault.next}; nothing was written", status) from None
    for what in unread:
        tell(f"left out: {what}", "warning")
    return tables


def _password(options: dict[str, Any]) -> str:
    name, file = options["password_env"], options["password_file"]
    if name and file:
        raise Problem("--password-env and --password-file: one of the two")
    if not name and not file:
        return ""
    from reconciler.desired.model import Secret
    from reconciler.secrets import resolve

    return resolve(Secret.model_construct(env=name or None, file=file and str(Path(file).expanduser())))


def _texts(result: Imported, folder: Path) -> dict[Path, str]:
    """The files to write. Raises Problem when there is nothing for them."""
    from reconciler.importing.writing import text

    if not result.profiles:
        _tell(result, {})
        raise Problem(
            "VCL has no host that is an ESX host, so nothing was written (--all-profiles writes profiles)"
        )
    profiles = text([draft.document for draft in result.profiles])
    hosts = text([draft.document for draft in result.hosts])
    return {folder / PROFILES: profiles, folder / HOSTS: hosts or "# VCL has no host of these profiles\n"}


def _written(result: Imported, folder: Path) -> int:
    from reconciler.cli.output import write
    from reconciler.render.words import many

    _tell(result, {str(folder / PROFILES): result.profiles, str(folder / HOSTS): result.hosts})
    profiles, hosts = many(len(result.profiles), "profile"), many(len(result.hosts), "host")
    write(f"wrote {folder / PROFILES} ({profiles}) and {folder / HOSTS} ({hosts})\n")
    return 0


def _tell(result: Imported, files: dict[str, Any]) -> None:
    from reconciler.importing.notes import Sort, told
    from reconciler.render.visible import visible

    for sort in Sort:
        level = "warning" if sort in (Sort.LEFT_OUT, Sort.DOUBT) else "info"
        for line in told(sort, result.notes, files):
            tell(visible(line), level)
