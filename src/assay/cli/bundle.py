"""``assay bundle``."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay import limits
from assay.cli import options
from assay.cli.files import check_target
from assay.cli.help import GroupedCommand, grouped
from assay.cli.names import HELP_NAMES
from assay.evidence.model import read_bounded
from assay.model.finding import AssayError, Finding, Severity, UsageError
from assay.printable import printable

if TYPE_CHECKING:
    from assay.model.digest import Digest
    from assay.offline.collect import Collected, Part
    from assay.sources.bundle.document import Manifest

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_LONGEST = timedelta(days=3660)

_FILES = (
    ("key", "key", limits.KEY_FILE_SIZE),
    ("ca", "ca", limits.KEY_FILE_SIZE),
    ("ca_intermediate", "ca-intermediate", limits.KEY_FILE_SIZE),
    ("tsa_ca", "tsa-ca", limits.KEY_FILE_SIZE),
    ("crl", "crl", limits.CRL_SIZE),
    ("ssh_revoked", "ssh-revoked", limits.KEY_FILE_SIZE),
    ("checksums", "checksums", limits.DOCUMENT_SIZE),
    ("baseline", "baseline", limits.DOCUMENT_SIZE),
    ("signature", "signature", limits.SIGNATURE_SIZE),
    ("attestation", "attestation", limits.DOCUMENT_SIZE),
)
"""Options that name files: the parameter, the role in the bundle, the most that a file may have."""

_ANCHORS = {"key", "ca", "checksums", "baseline", "policy"}


class _Span(click.ParamType):  # type: ignore[type-arg]
    name = "time"

    def convert(self, value: Any, param: Any, ctx: Any) -> timedelta:
        if isinstance(value, timedelta):
            return value
        match = re.fullmatch(r"([1-9][0-9]{0,4})([hdw])", str(value))
        if match is None or (span := int(match[1]) * _UNITS[match[2]]) > _LONGEST:
            self.fail(
                f"{value!r} is not a time such as 12h, 30d or 8w (10 years at most)", param, ctx
            )
        return span


@click.command("bundle", cls=GroupedCommand, context_settings=HELP_NAMES)
@click.argument("image", metavar="IMAGE")
@click.option("-o", "--output", required=True, metavar="FILE", help="Write to this file.")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
@click.option("--with-content", is_flag=True, help="Put the image's layers into it, too.")
@click.option(
    "--valid-for",
    type=_Span(),
    default="30d",
    show_default=True,
    metavar="TIME",
    help="How long it may be used (12h, 30d, 8w); afterwards it is stale.",
)
@click.option(
    "--created",
    default="",
    metavar="TIME",
    help="The time that it says it was made at (RFC 3339).  [default: now]",
)
@options.anchor_options
@grouped(
    "What to trust",
    click.option(
        "--policy",
        default="",
        metavar="FILE",
        help="A policy; the keys that it names go with it (those of Assay's own are inline).",
    ),
)
@options.evidence_options
@options.network_options
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def command(image: str, output: str, **given: Any) -> None:
    """Write one file with everything that verifying an IMAGE without a network takes.

    It holds the image's manifests and configurations, every signature and attestation that is
    attached to it, and the files that you name: keys, authorities, trusted roots, revocation lists,
    checksum files, policies. Nothing is judged. The same input and time give the same bytes.

    Whoever verifies with it names what to trust, or pins the file by its digest, which is printed,
    or by your signature on it. Exit status: 0 written, 2 wrong usage, 3 something could not be
    read or written.

    \b
    Examples:
      assay bundle docker://registry.example/app:1.2 -o app.bundle
      assay bundle oci:./app -o app.bundle --with-content --key pub.pem --valid-for 90d
      assay bundle disk.img -o disk.bundle --checksums SHA256SUMS --key publisher.pub

    \b
    Verify with it:
      assay verify docker://mirror.example/app:1.2 --bundle app.bundle --key pub.pem
      assay verify --bundle app.bundle --bundle-digest sha256:9f86d0...
    """
    from assay.offline.collect import collect
    from assay.offline.write import manifest_of, write_bundle
    from assay.pipeline import VerifyOptions
    from assay.trust.anchors import Trust

    try:
        check_target(Path(output), force=given["force"], inputs=(image,))
        created = _created(given["created"])
        trust = options.trust_from(given)  # whatever cannot be read is told now
        for finding in trust.findings:
            if finding.severity is Severity.ERROR:
                raise AssayError(finding)
        parts = _given_parts(given)
        request = VerifyOptions(Trust(), open=options.open_options_from(given))
        collected = collect(image, request, parts, with_content=given["with_content"])
        manifest = manifest_of(
            collected,
            created,
            created + given["valid_for"],
            identities=_identities(given),
            digests=tuple(trust.digests.values()),
            demands=_demands(trust.demands),
        )
        digest = write_bundle(Path(output), manifest, collected, force=given["force"])
    except UsageError as error:
        raise click.UsageError(str(error)) from error
    except AssayError as error:
        sys.stderr.write(_complaint(error.finding) + "no bundle was written\n")
        raise click.exceptions.Exit(3) from error
    for note in collected.notes:
        click.echo(f"left out: {printable(note.detail, 300)}", err=True)
    if not given["quiet"]:
        sys.stdout.write(_summary(output, collected, manifest, digest))


def _created(text: str) -> datetime:
    if not text:
        return datetime.now(UTC).replace(microsecond=0)
    try:
        value = datetime.fromisoformat(text)
        value = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return value.replace(microsecond=0)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"--created {text}: not an RFC 3339 time such as 2026-11-24T12:00:00Z"
        ) from error


def _given_parts(given: dict[str, Any]) -> list[Part]:
    """The files that were named, with the signatures beside documents."""
    from assay.offline.collect import Part, beside
    from assay.trust.secrets import is_secret_name

    for option in ("annotation", "docker_reference"):
        if given[option]:
            raise UsageError(
                f"--{option.replace('_', '-')} is asked of signatures; a bundle does not ask, so"
                " give it when you verify"
            )
    if given["notation_config"]:
        raise UsageError("--notation-config is a directory; copy it, and name it when you verify")
    parts: list[Part] = []
    for parameter, role, limit in _FILES:
        for name in given[parameter]:
            if role == "key" and is_secret_name(name):
                raise UsageError(f"--key {name}: a secret does not go into a bundle")
            path = Path(name)
            data = read_bounded(path, limit, f"--{role}")
            parts.append(Part.of(role, data, path.name, anchor=role in _ANCHORS))
            if role in ("checksums", "baseline", "attestation"):
                parts += beside(path)
    parts += [Part.of("trusted-root", data, name) for name, data in _trusted_roots(given)]
    if given["witness_policy"]:
        path = Path(given["witness_policy"])
        data = read_bounded(path, limits.WITNESS_POLICY_SIZE, "--witness-policy")
        parts.append(Part.of("witness-policy", data, path.name))
    if given["policy"]:
        data, name = _policy(given["policy"]), Path(given["policy"]).name
        parts.append(Part.of("policy", data, name, anchor=True))
    return parts


def _policy(path: str) -> bytes:
    """A policy that needs no file beside itself. Raises UsageError."""
    from assay.offline.policies import self_contained
    from assay.policy_documents.load import is_own
    from assay.policy_import.load import load_policy

    data = read_bounded(Path(path), limits.POLICY_SIZE, "--policy")
    if is_own(data):
        from assay.policy.material import Surroundings
        from assay.policy_documents.fetch import Fetched
        from assay.policy_documents.load import load_documents

        load_documents([Fetched(path, data, Surroundings())])  # its keys are in it, or it says not
        return data
    if load_policy(path).format == "notation trust policy":
        raise UsageError(
            "--policy: the trust stores of notation's policies are directories; copy them with"
            " it, and name both when you verify"
        )
    return self_contained(path)


def _trusted_roots(given: dict[str, Any]) -> list[tuple[str, bytes]]:
    from assay.trust.tuf import instances

    found: list[tuple[str, bytes]] = []
    for name in given["trusted_root"]:
        if not instances.is_name(name):
            data = read_bounded(Path(name), limits.DOCUMENT_SIZE, "--trusted-root")
            found.append((Path(name).name, data))
            continue
        from assay.trust.tuf.client import obtain

        instance = instances.find(name)
        network = options.open_options_from(given)
        found.append(
            (instance.target.rpartition("/")[2], obtain(instance, datetime.now(UTC), network).data)
        )
    return found


def _identities(given: dict[str, Any]) -> list[Any]:
    from assay.sources.bundle.document import Identity

    return [Identity(*one) for one in options.identities_from(given)]


def _demands(demands: dict[str, str]) -> dict[str, str]:
    """What was asked of signatures, without what is asked anyway."""
    return {
        name: text for name, text in demands.items() if (name, text) != ("ssh-namespace", "file")
    }


def _complaint(finding: Finding) -> str:
    where = f"  at {printable(finding.component)}" if finding.component else ""
    return (
        f"error  {finding.code}{where}\n  {printable(finding.detail, 400)}\n"
        f"  do        {finding.remedy}\n"
    )


def _summary(output: str, collected: Collected, manifest: Manifest, digest: Digest) -> str:
    from assay.report.style import counted
    from assay.sources.bundle.document import EVIDENCE_ROLES, IMAGE, TRUST_ROLES

    subject = manifest.subject
    counts = (
        (len(manifest.of(IMAGE)), "document", "of the image"),
        (collected.attached, "artifact", "attached to it"),
        (len(manifest.of(*EVIDENCE_ROLES)), "file", "about it"),
        (len(manifest.of(*TRUST_ROLES)), "file", "to trust"),
    )
    holds = [f"{counted(number, what)} {of}" for number, what, of in counts if number]
    content = "its content" if manifest.complete else "not its content"
    return (
        f"{output}: {printable(subject.name, 300)}\n"
        f"  image   {subject.digest}\n"
        f"  holds   {', '.join([*holds, content])}\n"
        f"  usable  until {manifest.valid_until:%Y-%m-%d %H:%M} UTC\n"
        f"  digest  {digest}\n"
    )
