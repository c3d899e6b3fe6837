"""``assay completion``."""

from __future__ import annotations

import click


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print a completion script for a SHELL.

    \b
    Examples:
      assay completion bash > ~/.local/share/bash-completion/completions/assay
      assay completion zsh > ~/.zfunc/_assay
      assay completion fish > ~/.config/fish/completions/assay.fish
    """
    from click.shell_completion import get_completion_class

    from assay.cli.main import cli

    completion = get_completion_class(shell)
    assert completion is not None  # the choice above allows none other
    click.echo(completion(cli, {}, "assay", "_ASSAY_COMPLETE").source())
