"""``assay trust``."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay import limits
from assay.cli import options
from assay.cli.help import GroupedCommand
from assay.cli.names import HELP_NAMES
from assay.evidence.model import read_bounded
from assay.model.finding import AssayError, Finding, UsageError
from assay.printable import printable
from assay.trust.tuf import instances
from assay.trust.tuf.instances import Instance

if TYPE_CHECKING:
    from assay.trust.tuf.client import Obtained

_DAY = "%Y-%m-%d %H:%M UTC"


@click.group("trust", context_settings=HELP_NAMES)
def command() -> None:
    """Get the trusted roots of Sigstore instances through TUF, and show those that are known.

    \b
    Examples:
      assay trust update --tuf https://tuf.example --root root.json
      assay trust update
      assay trust show
    """


@command.command("update", cls=GroupedCommand, context_settings=HELP_NAMES)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--tuf", "mirror", default="", metavar="URL", help="The repository's address.")
@click.option(
    "--root",
    default="",
    metavar="FILE",
    help="Make an instance known: the root of its repository, got over a channel that you trust.",
)
@click.option("--name", default="", metavar="NAME", help="What to call it.  [default: default]")
@click.option(
    "--target",
    default=instances.TARGET,
    show_default=True,
    metavar="PATH",
    help="The name of the trusted root in the repository.",
)
@click.option("--replace", is_flag=True, help="Forget the instance that has this name now.")
@options.network_options
@options.time_option
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def update(names: tuple[str, ...], **given: Any) -> None:
    """Ask the repositories of instances for their trusted roots, and keep a copy.

    An instance is made known once, by --tuf and --root. From then on its name is enough, and
    without any name all instances are updated. Exit status: 0 where every one is up to date, 1
    where a repository was refused, 2 for wrong usage, 3 where one could not be reached.

    \b
    Examples:
      assay trust update --tuf https://tuf.example --root root.json
      assay trust update --tuf https://tuf.corp.example --root corp-root.json --name corp
      assay trust update corp
    """
    status = 0
    try:
        network = options.open_options_from(given)
        now = options.time_from(given) or datetime.now(UTC)
        for instance in _meant(names, given):
            status = max(status, _update(instance, now, network, quiet=given["quiet"]))
    except UsageError as error:
        raise click.UsageError(str(error)) from error
    raise click.exceptions.Exit(status)


def _meant(names: tuple[str, ...], given: dict[str, Any]) -> list[Instance]:
    if bool(given["mirror"]) != bool(given["root"]):
        raise UsageError(
            "--tuf and --root belong together: an address, and where trust in it starts"
        )
    if given["mirror"]:
        if names:
            raise UsageError("--tuf makes one instance known; say with --name what to call it")
        root = read_bounded(Path(given["root"]), limits.TUF_ROOT_SIZE, "--root")
        from assay.trust.tuf.client import check_root

        try:
            check_root(root)
        except ValueError as error:
            raise UsageError(
                f"--root {given['root']}: trust cannot start there: {error}"
            ) from error
        return [
            instances.remember(
                given["name"] or instances.DEFAULT,
                given["mirror"],
                root,
                given["target"],
                replace=given["replace"],
            )
        ]
    if given["name"]:
        raise UsageError("--name names what --tuf and --root make known; give those")
    found = [instances.load(name) for name in names] or instances.known()
    return found or [instances.load(instances.DEFAULT)]


def _update(instance: Instance, now: datetime, network: Any, *, quiet: bool) -> int:
    from assay.trust.tuf.client import update as refresh

    try:
        found = refresh(instance, now, network)
    except AssayError as error:
        sys.stderr.write(f"{instance.name}: not updated\n{_complaint(error.finding)}")
        return 1 if error.finding.code.startswith("tuf-") else 3
    if not quiet:
        sys.stdout.write(_described(instance, found))
    return 0


def _complaint(finding: Finding) -> str:
    lines = [f"  error  {finding.code}", f"    {printable(finding.detail, 400)}"]
    for label, text in (("expected", finding.expected), ("actual", finding.actual)):
        if text:
            lines.append(f"    {label:8}  {printable(text, 200)}")
    lines.append(f"    do        {finding.remedy}")
    return "\n".join(lines) + "\n"


@command.command("show", context_settings=HELP_NAMES)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="The form of the answer on standard output.",
)
@options.time_option
def show(names: tuple[str, ...], format_: str, **given: Any) -> None:
    """Show the instances that are known, and what the copy of each one says. No connection is made.

    Exit status: 0 where every copy counts, 3 where one is missing, damaged or has expired.

    \b
    Examples:
      assay trust show
      assay trust show corp --format json
    """
    try:
        now = options.time_from(given) or datetime.now(UTC)
        found = [instances.load(name) for name in names] or instances.known()
        shown = [(instance, _look(instance, now)) for instance in found]
        if format_ == "json":
            sys.stdout.write(_json(shown))
        elif not shown:
            sys.stdout.write("no TUF instance is known: assay trust update --tuf URL --root FILE\n")
        else:
            parts = [
                _described(instance, seen)
                if not isinstance(seen, Finding)
                else f"{_head(instance)}{_complaint(seen)}"
                for instance, seen in shown
            ]
            sys.stdout.write("\n".join(parts))
    except UsageError as error:
        raise click.UsageError(str(error)) from error
    raise click.exceptions.Exit(3 if any(isinstance(seen, Finding) for _, seen in shown) else 0)


def _look(instance: Instance, now: datetime) -> Obtained | Finding:
    from assay.trust.tuf.client import look

    try:
        return look(instance, now)
    except AssayError as error:
        return error.finding


def _head(instance: Instance) -> str:
    return (
        f"{instance.name}  {instance.mirror}\n"
        f"  from root  {instance.root_digest}, in {instances.folder() / instance.name}\n"
        f"  copy       {instance.copy}\n"
    )


def _described(instance: Instance, found: Obtained) -> str:
    from assay.trust.tuf.client import age

    lines = []
    if found.checked is not None:
        ago = age(datetime.now(UTC) - found.checked)
        lines.append(f"  asked      {found.checked:{_DAY}}, {ago} ago")
    lines.append(f"  counts     until {found.roles.until:{_DAY}}")
    lines += [
        f"  {role.name:9}  version {role.version}, until {role.expires:{_DAY}}"
        for role in found.roles.all
    ]
    digest, entries = _content(found.data)
    lines.append(f"  holds      {instance.target}, {digest}")
    lines += [f"    {kind:21}  {printable(name, 200)}" for kind, name in entries]
    return _head(instance) + "\n".join(lines) + "\n"


def _content(data: bytes) -> tuple[str, list[tuple[str, str]]]:
    """The digest of a trusted root, and whom it has one believe. Raises UsageError."""
    from hashlib import sha256

    from assay.sigstore.trusted_root import parse_trusted_root

    try:
        root = parse_trusted_root(data)
    except AssayError as error:
        raise UsageError(f"the trusted root cannot be read: {error.finding.detail}") from error
    entries = [
        *(
            ("certificate authority", f"{a.uri}, {a.validity}")
            for a in root.certificate_authorities
        ),
        *(("certificate log", f"{one.base_url}, {one.validity}") for one in root.certificate_logs),
        *(("signature log", f"{one.base_url}, {one.validity}") for one in root.logs),
        *(("timestamp authority", f"{a.uri}, {a.validity}") for a in root.timestamp_authorities),
    ]
    return f"sha256:{sha256(data).hexdigest()}", entries


def _json(shown: list[tuple[Instance, Obtained | Finding]]) -> str:
    import msgspec

    documents = []
    for instance, seen in shown:
        document: dict[str, Any] = {
            "name": instance.name,
            "mirror": instance.mirror,
            "target": instance.target,
            "root": instance.root_digest,
            "folder": str(instances.folder() / instance.name),
            "copy": str(instance.copy),
        }
        if isinstance(seen, Finding):
            document["finding"] = seen
        else:
            digest, entries = _content(seen.data)
            document |= {
                "checked": seen.checked,
                "until": seen.roles.until,
                "roles": seen.roles.all,
                "digest": digest,
                "content": [{"kind": kind, "name": name} for kind, name in entries],
            }
        documents.append(document)
    encoded = msgspec.json.encode({"instances": documents})
    return msgspec.json.format(encoded, indent=2).decode() + "\n"
