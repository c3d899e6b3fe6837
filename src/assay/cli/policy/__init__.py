"""``assay policy``: policies, of Assay's own and of other tools."""

from __future__ import annotations

import click

from assay.cli.names import HELP_NAMES
from assay.cli.policy import checking, comparing, explaining, first, importing, testing


@click.group("policy", context_settings=HELP_NAMES)
def command() -> None:
    """Write, check, test and import policies.

    A POLICY is a YAML document that says whom you trust and what you require of images. `assay
    verify IMAGE --policy POLICY` goes by it.

    \b
    Examples:
      assay policy init app.tar --key release.pub -o policy.yaml
      assay policy check policy.yaml
      assay policy test cases.yaml --policy policy.yaml
      assay policy explain facts.json --policy policy.yaml
      assay policy diff policy.yaml new.yaml --ledger verdicts.db
      assay policy import /etc/containers/policy.json
    """


for part in (first, checking, testing, explaining, comparing, importing):
    for verb in part.VERBS:
        command.add_command(verb)
