"""``assay policy import``."""

from __future__ import annotations

import sys

import click

from assay.cli.names import HELP_NAMES
from assay.model.finding import UsageError
from assay.policy_import.load import load_policy
from assay.policy_import.model import Meaning, Policy

_NOT_ALL_CARRIED = 1


@click.command("import", context_settings=HELP_NAMES)
@click.argument("file", metavar="FILE")
@click.option("--image", default="", metavar="IMAGE", help="Show what is asked of this image.")
@click.option(
    "--allow-partial",
    "partial",
    is_flag=True,
    help="Succeed also where something cannot be carried over.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "policy"]),
    default="text",
    show_default=True,
    help="The form of the answer on standard output.",
)
def import_(file: str, image: str, partial: bool, format_: str) -> None:
    """Show what a policy of another tool asks for.

    FILE is a containers-policy.json, a trustpolicy.json of notation, or YAML (or JSON) with
    ClusterImagePolicy objects of policy-controller, or with Kyverno's ClusterPolicy (verifyImages)
    or ImageValidatingPolicy.

    Nothing is decided: `assay verify IMAGE --policy FILE` does that. `--format policy` writes it as
    a policy of Assay's own. Exit status: 0 where all of it can be checked (or written), 1 where
    something cannot, 2 for a policy that is not as its grammar has it.

    \b
    Examples:
      assay policy import /etc/containers/policy.json
      assay policy import policy.json --image docker://registry.example/app:1.2
      assay policy import /etc/containers/policy.json --format policy > policy.yaml
    """
    try:
        policy = load_policy(file)
        if format_ == "policy":
            from assay.policy_documents.rewriting.rewrite import rewritten

            draft = rewritten(policy)
            sys.stdout.write(draft.text())
            raise click.exceptions.Exit(_NOT_ALL_CARRIED if draft.left and not partial else 0)
        meanings = policy.meanings()
        if image:
            scopes = policy.apply(image).scopes
            meanings = [each for each in meanings if each.scope in scopes]
    except UsageError as error:
        raise click.UsageError(str(error)) from error
    sys.stdout.write(_json(policy, meanings) if format_ == "json" else _text(policy, meanings))
    lost = [each for each in meanings if each.lost]
    raise click.exceptions.Exit(_NOT_ALL_CARRIED if lost and not partial else 0)


def _text(policy: Policy, meanings: list[Meaning]) -> str:
    from assay.printable import printable

    lines = [f"{policy.format}: all that applies to an image has to hold", ""]
    before = ""
    for each in meanings:
        if each.scope != before:
            lines.append(printable(each.scope, 300))
        before = each.scope
        line = f"line {each.line}: " if each.line else ""
        mark = (
            "NOT CARRIED OVER: "
            if each.lost
            else "(aside) "
            if each.aside and not each.carried
            else ""
        )
        place = f"{printable(each.where, 300)}: " if mark and each.where != each.scope else ""
        lines.append(f"  {line}{mark}{place}{printable(each.text, 1000)}")
    if missing := sum(each.lost for each in meanings):
        number = sum(not each.aside for each in meanings)
        lines += [
            "",
            f"{missing} of {number} requirements cannot be checked, and never count as met.",
        ]
    return "\n".join(lines) + "\n"


def _json(policy: Policy, meanings: list[Meaning]) -> str:
    import msgspec

    document = {
        "format": policy.format,
        "requirements": meanings,
        "carried": not any(each.lost for each in meanings),
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


VERBS = (import_,)
