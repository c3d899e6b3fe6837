"""Options of what statements have to say, and what is made of them."""

from __future__ import annotations

import click

from assay.cli.help import grouped
from assay.cli.options import Command, Given
from assay.model.finding import UsageError
from assay.model.statement_demands import StatementDemands


def statement_options(command: Command) -> Command:
    """What trusted statements have to say."""
    return grouped(
        "What trusted statements have to say",
        click.option(
            "--require-statement",
            multiple=True,
            metavar="TYPE",
            help="Ask for such a statement: slsa-provenance, spdx, openvex ..., or a predicate"
            " type.",
        ),
        click.option("--require-provenance", is_flag=True, help="Ask for SLSA provenance."),
        click.option(
            "--builder", multiple=True, metavar="NAME", help="Who has to have built the image."
        ),
        click.option(
            "--source",
            multiple=True,
            metavar="URI",
            help="What it has to be built from (https://server/owner/repository).",
        ),
        click.option(
            "--source-ref",
            multiple=True,
            metavar="NAME",
            help="At which branch or tag (refs/heads/main, glob:refs/tags/v*).",
        ),
        click.option(
            "--build-type", multiple=True, metavar="URI", help="Of which type the build has to be."
        ),
        click.option(
            "--parameter",
            multiple=True,
            metavar="PATH=VALUE",
            help="What an external parameter of the build has to be (workflow.path=...).",
        ),
        click.option(
            "--only-parameters",
            is_flag=True,
            help="Refuse external parameters that no --parameter is about.",
        ),
        click.option(
            "--slsa-level",
            type=click.IntRange(1, 4),
            default=None,
            metavar="N",
            help="The SLSA build level that --roles has to grant the builder.",
        ),
        click.option(
            "--roles",
            "--builder-level",
            "roles",
            default="",
            metavar="FILE",
            help="Who may sign as which builder, verifier, scanner or VEX author (JSON).",
        ),
        click.option(
            "--require-summary",
            is_flag=True,
            help="Ask for a verification summary that it passed (SLSA VSA, in-toto SVR).",
        ),
        click.option(
            "--verifier", multiple=True, metavar="NAME", help="Who has to have verified the image."
        ),
        click.option(
            "--summary-resource",
            multiple=True,
            metavar="URI",
            help="As what it has to have been verified.",
        ),
        click.option(
            "--summary-policy",
            multiple=True,
            metavar="URI",
            help="Under which policy it has to have been verified.",
        ),
        click.option(
            "--summary-level",
            multiple=True,
            metavar="LEVEL",
            help="What has to have been verified: SLSA_BUILD_LEVEL_3, or a property.",
        ),
        click.option(
            "--summary-age", default="", metavar="AGE", help="How old a summary may be (36h, 7d)."
        ),
        click.option(
            "--max-severity",
            default="",
            metavar="WORD",
            help="The worst that scans may have found: none, low, medium, high, critical.",
        ),
        click.option(
            "--scan-age", default="", metavar="AGE", help="How old a scan may be (36h, 7d)."
        ),
        click.option(
            "--vex-product",
            multiple=True,
            metavar="NAME",
            help="What VEX statements call the image, beside its digest.",
        ),
    )(command)


def demands_from(given: Given) -> StatementDemands:
    """What was asked of statements. Raises UsageError when it makes no sense."""
    parameters: dict[str, str] = {}
    for text in given["parameter"]:
        path, equals, value = text.partition("=")
        if not equals or not path or path in parameters:
            why = "given twice" if path in parameters else "expected PATH=VALUE"
            raise UsageError(f"--parameter {text}: {why}")
        parameters[path] = value
    asked = {
        "provenance": given["require_provenance"],
        "builders": given["builder"],
        "sources": given["source"],
        "source_refs": given["source_ref"],
        "build_types": given["build_type"],
        "parameters": parameters,
        "only_parameters": given["only_parameters"],
        "slsa_level": given["slsa_level"] or 0,
        "roles": given["roles"],
        "summary": given["require_summary"],
        "verifiers": given["verifier"],
        "summary_resources": given["summary_resource"],
        "summary_policies": given["summary_policy"],
        "summary_levels": given["summary_level"],
        "summary_age": given["summary_age"],
        "max_severity": given["max_severity"],
        "scan_age": given["scan_age"],
        "vex_products": given["vex_product"],
    }
    if not given["require_statement"] and not any(asked.values()):
        return StatementDemands()
    from assay.trust.statement_demands import require

    return require(*given["require_statement"], **asked)
