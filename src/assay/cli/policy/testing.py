"""``assay policy test``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay.cli import options
from assay.cli.help import GroupedCommand
from assay.cli.names import HELP_NAMES
from assay.cli.policy.judging import judging_options, loaded, policy_option
from assay.model.finding import UsageError

if TYPE_CHECKING:
    from assay.policy.cases import Case
    from assay.policy.facts import Facts
    from assay.policy_documents.load import LoadedPolicy
    from assay.policy_runs.run import Ran

_FAILED = 1


@click.command("test", cls=GroupedCommand, context_settings=HELP_NAMES)
@click.argument("files", nargs=-1, required=True, metavar="CASES...")
@policy_option
@judging_options
@click.option(
    "--junit", default="", metavar="FILE", help="Write the results there as JUnit XML as well."
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="The form of the answer on standard output.",
)
def test(files: tuple[str, ...], **given: Any) -> None:
    """Run the tests of a policy.

    CASES is a YAML file: each case names an image or recorded facts, the decision that is right,
    and what it has to come from. Nothing is fetched. The policy is the one that the file names, or
    --policy.

    \b
    Exit status:
      0  every case came out as expected
      1  some did not
      2  the cases or the policy cannot be used

    \b
    Examples:
      assay policy test cases.yaml
      assay policy test cases.yaml --policy new-policy.yaml --junit results.xml
    """
    from assay.policy.cases import read_cases
    from assay.policy.problems import PolicyError
    from assay.policy_runs.run import run

    ran: list[Ran] = []
    try:
        at = options.time_from(given)
        by_names: dict[tuple[str, ...], LoadedPolicy] = {}
        for name in files:
            file = read_cases(Path(name))
            names = given["policies"] or tuple(
                _near(file.path.parent, each) for each in file.cases.policy
            )
            if not names:
                raise UsageError(f"{name}: no policy in it; give --policy")
            policy = by_names.get(names)
            if policy is None:
                policy = by_names[names] = loaded(names, given, at)
            ran += run(file, policy.decider(), _Verifier(policy, at))
    except PolicyError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        raise click.exceptions.Exit(2) from error
    except UsageError as error:
        raise click.UsageError(str(error)) from error
    if given["junit"]:
        from assay.policy_runs.junit import render

        try:
            Path(given["junit"]).write_text(render(ran), "utf-8")
        except OSError as error:
            raise click.UsageError(f"--junit {given['junit']}: {error.strerror}") from error
    sys.stdout.write(_json(ran) if given["format_"] == "json" else _text(ran))
    raise click.exceptions.Exit(_FAILED if any(each.wrong for each in ran) else 0)


def _near(folder: Path, name: str) -> str:
    """A policy as the file of cases names it: a path counts from there."""
    return name if "://" in name or name.startswith("oci:") else str(folder / name)


class _Verifier:
    """Verifies the images of cases by the policy, with what is at hand."""

    def __init__(self, policy: LoadedPolicy, at: datetime | None) -> None:
        self._policy, self._at = policy, at

    def __call__(self, folder: Path, case: Case) -> Facts:
        from assay.model.verdict import Verdict
        from assay.pipeline import VerifyOptions, verify
        from assay.policy_runs.run import facts_by
        from assay.sources.model import OpenOptions
        from assay.trust.anchors import Trust

        def verified(name: str, case: Case) -> Sequence[Verdict]:
            at = case.at or self._at or datetime.now(UTC)
            request = VerifyOptions(
                Trust(),
                open=OpenOptions(offline=True, known_as=case.known_as),
                policy=self._policy,
                decider=self._policy.decider(),
                at=at,
            )
            return verify(name, request)

        return facts_by(folder, case, verified)


def _text(ran: Sequence[Ran]) -> str:
    from assay.cli.output import use_color
    from assay.printable import printable
    from assay.report.style import counted, painter

    paint = painter(use_color())
    lines = []
    for each in ran:
        if each.wrong:
            wrong = printable(each.wrong, 2000)
            lines.append(f"{paint('FAILED', 'bad')}  {each.place}: {each.name}: {wrong}")
        else:
            lines.append(f"{paint('ok', 'good')}      {each.name}")
    failed = sum(1 for each in ran if each.wrong)
    lines.append(f"{counted(len(ran), 'case')}, {failed} failed")
    return "\n".join(lines) + "\n"


def _json(ran: Sequence[Ran]) -> str:
    import msgspec

    document = {"cases": ran, "failed": sum(1 for each in ran if each.wrong)}
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


VERBS = (test,)
