"""``assay completion``."""

from __future__ import annotations

import click

from assay.cli.names import HELP_NAMES

ASK = "__complete"
"""The word after ``assay`` by which the scripts ask for candidates (`cli.complete.answer`)."""

_BASH = r"""# bash completion for assay
_assay() {
    local -a words
    local line kind value meaning current piece cut rest files=
    read -ra words <<< "${COMP_LINE:0:COMP_POINT}"
    [[ "${COMP_LINE:0:COMP_POINT}" == *[[:space:]] ]] && words+=("")
    current="${words[-1]}"
    # bash replaces what comes after the last of its word breaks, and no more
    piece="$current"
    [[ "$COMP_WORDBREAKS" == *:* ]] && piece="${piece##*:}"
    [[ "$COMP_WORDBREAKS" == *=* ]] && piece="${piece##*=}"
    cut="${current%"$piece"}"
    COMPREPLY=()
    while IFS=$'\t' read -r kind value meaning; do
        case "$kind" in
            value) COMPREPLY+=("${value#"$cut"}") ;;
            files) files=1; rest="${current#"$value"}" ;;
        esac
    done < <("$1" __complete "${words[@]:1}" 2>/dev/null)
    if [[ -n "$files" ]]; then
        if (( ${#COMPREPLY[@]} == 0 )) && [[ "$rest" == "$piece" ]]; then
            compopt -o default
        else
            while IFS= read -r line; do
                [[ -d "$line" ]] && line+=/
                line="${current%"$rest"}$line"
                COMPREPLY+=("${line#"$cut"}")
            done < <(compgen -f -- "$rest")
        fi
    fi
    if (( ${#COMPREPLY[@]} == 1 )) && [[ "${COMPREPLY[0]}" == *[:/=] ]]; then
        compopt -o nospace
    fi
}
complete -F _assay assay
"""

_ZSH = r"""#compdef assay
_assay() {
    local -a values shown open
    local kind value meaning prefix
    integer files=0
    while IFS=$'\t' read -r kind value meaning; do
        case $kind in
            value)
                if [[ $value == *[:/=] ]]; then
                    open+=("$value")
                else
                    values+=("$value")
                    shown+=("$value${meaning:+  -- $meaning}")
                fi ;;
            files) files=1; prefix=$value ;;
        esac
    done < <("${(Q)words[1]}" __complete "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)
    (( $#values )) && compadd -V assay -l -d shown -a values
    (( $#open )) && compadd -V transports -S '' -a open
    if (( files )); then
        [[ -n $prefix ]] && compset -P "${(b)prefix}"
        _files
    fi
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _assay "$@"
else
    compdef _assay assay
fi
"""

_FISH = r"""# fish completion for assay
function __assay_complete
    set -l tokens (commandline -opc)
    set -l current (commandline -ct)
    set -l program $tokens[1]
    set -e tokens[1]
    for line in ($program __complete $tokens "$current" 2>/dev/null)
        set -l field (string split \t -- $line)
        switch $field[1]
            case value
                printf '%s\t%s\n' $field[2] "$field[3]"
            case files
                set -l skip (math (string length -- "$field[2]") + 1)
                for path in (__fish_complete_path (string sub -s $skip -- "$current"))
                    printf '%s%s\n' "$field[2]" $path
                end
        end
    end
end
complete --command assay --no-files --keep-order --arguments '(__assay_complete)'
"""

SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


@click.command("completion", context_settings=HELP_NAMES)
@click.argument("shell", type=click.Choice(list(SCRIPTS)))
def command(shell: str) -> None:
    """Print a completion script for a SHELL.

    \b
    Examples:
      assay completion bash > ~/.local/share/bash-completion/completions/assay
      assay completion zsh > ~/.zfunc/_assay
      assay completion fish > ~/.config/fish/completions/assay.fish
    """
    click.echo(SCRIPTS[shell], nl=False)
