"""``assay verify``."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from assay.appraisal.case import BuiltInRule
from assay.cli import options, verity_options
from assay.cli.boot_options import boot_options
from assay.cli.help import GroupedCommand, grouped
from assay.cli.names import HELP_NAMES
from assay.cli.occasion import facts_from, occasion_options, record_facts
from assay.cli.output import use_color, width, worst
from assay.cli.policy.checking import policy_key_option
from assay.cli.progress import Bar
from assay.cli.recording import ledger_options, recorder_from
from assay.cli.reports import deliver, report_option, wanted_reports
from assay.cli.statements import demands_from, statement_options
from assay.model.finding import UsageError
from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions
from assay.several import verify_each
from assay.trust.anchors import Trust


@click.command("verify", cls=GroupedCommand, context_settings=HELP_NAMES)
@click.argument("images", nargs=-1, metavar="IMAGE...")
@options.anchor_options
@grouped(
    "What to trust",
    click.option(
        "--policy",
        multiple=True,
        metavar="POLICY",
        help="Go by this policy (a file, a directory, docker://...); several are one. Or ask for"
        " what a policy of podman, notation, policy-controller or Kyverno asks. [ASSAY_POLICY]",
    ),
)
@policy_key_option
@grouped(
    "What to trust",
    click.option(
        "--trust-store",
        default="",
        metavar="DIR",
        help="Where the trust stores of --policy are, if not beside it (notation's truststore).",
    ),
    click.option(
        "--allow-partial",
        is_flag=True,
        help="Accept that parts of --policy cannot be checked; the others have to hold.",
    ),
)
@click.option("--all", "every", is_flag=True, help="Ask for every anchor, not one of each kind.")
@click.option(
    "--threshold",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="How many distinct signers must vouch.",
)
@click.option(
    "--operator",
    multiple=True,
    metavar="NAME=ANCHOR",
    help="Count all signers of this --key, --ca or --identity as the one signer NAME.",
)
@click.option("--self-consistent", is_flag=True, help="Accept an image that nobody vouches for.")
@statement_options
@options.evidence_options
@options.bundle_options
@options.content_options
@options.verity_options
@boot_options
@options.image_options
@options.time_option
@options.output_options
@report_option
@occasion_options
@ledger_options
def command(images: tuple[str, ...], **given: Any) -> None:
    """Check that images are exactly what someone you trust published.

    \b
    An IMAGE is
      a path (what it holds is told by its content), or - for standard input
      oci:DIR[:REF|@DIGEST]           an OCI layout
      oci-archive:FILE[:REF]          an OCI layout in a tar archive
      docker-archive:FILE[:NAME:TAG]  what docker save writes
      dir:DIR                         what skopeo copy writes to dir:
      modules:DIR                     a directory of Linux kernel modules
      esp:DIR                         the files of an EFI system partition
      docker://REGISTRY/REPOSITORY[:TAG|@DIGEST]
      https://SERVER/PATH[#DIGEST]
      bundle:FILE                     the image in an offline bundle

    Of each kind of anchor given (digest, checksum file, key ...) at least one has to vouch for the
    image as a whole.

    \b
    Exit status:
      0  verified and allowed
      1  refused
      2  wrong usage
      3  could not be checked

    \b
    Examples:
      assay verify disk.img --checksums SHA256SUMS
      assay verify disk.img --checksums SHA256SUMS --key publisher.pub
      assay verify disk.img --baseline disk.img.baseline.json --key publisher.pub
      assay verify oci:./layout --digest sha256:9f86d0...
      assay verify oci:./layout --key publisher.pub --sbom app.spdx.json
      assay verify app.tar --checksums SHA256SUMS
      assay verify *.tar.gz --key publisher.pub --format json
      assay verify oci:./app --key publisher.pub --report html=app.html
      assay verify firmware.bin --signature firmware.bin.p7s --ca company-root.pem
      assay verify docker://registry.example/app --key ci.pem --require-provenance
      assay verify grubx64.efi --ca distribution.pem --sbat-level shimx64.efi
      assay verify /lib/modules/6.1.0-9-amd64 --kernel /boot/vmlinuz-6.1.0-9-amd64
      assay verify root.img --verity-tree root.verity --verity-root 4392712b...
      curl -s https://a.example/disk.img | assay verify - --digest sha256:9f86d0...
    """
    if not images and not given["bundle"]:
        raise click.MissingParameter(param_hint="'IMAGE...'", param_type="argument")
    try:
        options.check_names(images)
        reports = wanted_reports(given, images)
        recorder = recorder_from(given)
        request = VerifyOptions(
            trust=_trust_from(given),
            rule=BuiltInRule(
                given["threshold"], given["every"], given["self_consistent"], demands_from(given)
            ),
            formats=options.format_options_from(given),
            open=options.open_options_from(given),
            signatures=list(given["signature"]),
            attestations=list(given["attestation"]),
            at=options.time_from(given),
            allow_partial=given["allow_partial"],
            contents=options.content_options_from(given),
            fs_verity=verity_options.fs_verity_from(given, given["fs_verity_algorithm"]),
            fs_verity_signatures=list(given["fs_verity_signature"]),
            sbat_levels=list(given["sbat_level"]),
        )
        request = facts_from(_with_policy(request, given), given)
        if given["bundle"]:
            from assay.offline.use import with_bundle

            request = with_bundle(
                request,
                given["bundle"],
                digest=given["bundle_digest"],
                keys=given["bundle_key"],
                alone=not images,
            )
        elif given["bundle_digest"] or given["bundle_key"]:
            raise UsageError("--bundle-digest and --bundle-key are about a --bundle; give it")
        names = images or (f"bundle:{given['bundle']}",)
        verdicts = _verify_all(names, request, given)
    except UsageError as error:
        raise click.UsageError(str(error)) from error
    if given["format_"] == "json" and not given["quiet"]:
        from assay.report import json

        sys.stdout.write(json.render(verdicts))
    try:
        deliver(reports, verdicts)
        record_facts(given["record_facts"], verdicts)
        if recorder is not None:
            recorder.record(verdicts, request.trust.digest())
    except UsageError as error:
        raise click.UsageError(str(error)) from error
    raise click.exceptions.Exit(worst(verdicts))


def _trust_from(given: dict[str, Any]) -> Trust:
    trust = options.trust_from(given)
    for text in given["operator"]:
        name, equals, anchor = text.partition("=")
        if not equals or not name:
            raise UsageError(f"--operator {text}: expected NAME=ANCHOR")
        trust.set_operator(name, anchor)
    return trust


def _with_policy(request: VerifyOptions, given: dict[str, Any]) -> VerifyOptions:
    """The request, with the policy to go by."""
    from_environment = os.environ.get("ASSAY_POLICY", "")
    names = given["policy"] or ((from_environment,) if from_environment else ())
    if not names:
        for option in ("trust_store", "allow_partial", "policy_key"):
            if given[option]:
                raise UsageError(f"--{option.replace('_', '-')} is for a --policy; give one")
        return request
    from assay.policy_documents.load import with_policies

    return with_policies(
        request,
        names,
        keys=given["policy_key"],
        trust_store=given["trust_store"],
        chosen=given["notation_policy"],
    )


def _verify_all(
    images: tuple[str, ...], request: VerifyOptions, given: dict[str, Any]
) -> list[Verdict]:
    """All verdicts; as text each is printed as soon as it is there."""
    verdicts: list[Verdict] = []
    as_text = given["format_"] == "text" and not given["quiet"]
    with Bar(wanted=not given["quiet"]) as bar:
        request.progress = bar
        for verdict in verify_each(images, request):
            if as_text:
                from assay.report.text import render

                text = render(verdict, color=use_color(), verbose=given["verbose"], width=width())
                bar.clear()
                if verdicts:
                    sys.stdout.write("\n")
                sys.stdout.write(text)
                sys.stdout.flush()
            verdicts.append(verdict)
    return verdicts
