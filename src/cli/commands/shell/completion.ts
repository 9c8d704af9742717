import { Argument } from 'commander';
import { exitCodes } from '../../../model/comparison/exit-code.ts';
import type { DefineCommand } from '../define.ts';

const shells = ['bash', 'zsh', 'fish', 'powershell'] as const;

type Shell = (typeof shells)[number];

export const define: DefineCommand = (command, { io, exit }) => {
  command
    .addArgument(new Argument('<shell>', 'which shell').choices(shells))
    .addHelpText(
      'after',
      `
Examples:
  $ llmcheck completion fish | source            in ~/.config/fish/config.fish
  $ eval "$(llmcheck completion bash)"           in ~/.bashrc
  $ eval "$(llmcheck completion zsh)"            in ~/.zshrc, after compinit
  $ llmcheck completion powershell | Out-String | Invoke-Expression`,
    )
    .action((shell: Shell) => {
      io.stdout.write(scripts[shell]);
      exit(exitCodes.passed);
    });
};

/** Scripts with which a shell calls `llmcheck complete`. The words before the cursor follow `--`. */
const scripts: Readonly<Record<Shell, string>> = {
  bash: String.raw`# bash completion of llmcheck: eval "$(llmcheck completion bash)"
_llmcheck() {
  local line="${'$'}{COMP_LINE:0:COMP_POINT}" value rest current done_part files=
  local -a words
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current="${'$'}{words[${'$'}{#words[@]}-1]}"
  # bash takes a word apart at these, and replaces what stands behind the last of them only.
  done_part=
  [[ $current == *[:=]* ]] && done_part="${'$'}{current%"${'$'}{current##*[:=]}"}"
  COMPREPLY=()
  while IFS=$'\t' read -r value rest; do
    if [[ $value == :files ]]; then files=1; continue; fi
    COMPREPLY+=("$(printf %q "${'$'}{value#"$done_part"}")")
  done < <("${'$'}{words[0]}" complete -- "${'$'}{words[@]:1}" 2> /dev/null)
  if [[ -n $files && $done_part != *: ]]; then
    while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -f -- "${'$'}{current#"$done_part"}")
    compopt -o filenames 2> /dev/null
  fi
}
complete -F _llmcheck llmcheck
`,
  zsh: String.raw`#compdef llmcheck
# zsh completion of llmcheck: eval "$(llmcheck completion zsh)", after compinit; or as _llmcheck in a folder of $fpath
_llmcheck() {
  local -a found
  local value text files=
  while IFS=$'\t' read -r value text; do
    if [[ $value == :files ]]; then files=1; continue; fi
    found+=("${'$'}{value//:/\\:}${'$'}{text:+:$text}")
  done < <("${'$'}{(Q)words[1]}" complete -- "${'$'}{(@Q)words[2,CURRENT-1]}" "${'$'}{(Q)PREFIX}" 2> /dev/null)
  local status_=1
  (( ${'$'}{#found} )) && _describe -V 'llmcheck' found && status_=0
  [[ -n $files ]] && _files && status_=0
  return $status_
}
if [[ $funcstack[1] == _llmcheck ]]; then _llmcheck "$@"; else compdef _llmcheck llmcheck; fi
`,
  fish: String.raw`# fish completion of llmcheck: llmcheck completion fish | source
function __llmcheck_words
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    for line in ($before[1] complete -- $before[2..-1] "$current" 2> /dev/null)
        if test "$line" = ":files"
            __fish_complete_path "$current"
        else
            echo $line
        end
    end
end
complete -c llmcheck -f -a '(__llmcheck_words)'
`,
  powershell: String.raw`# PowerShell completion of llmcheck: llmcheck completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName llmcheck -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $words = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.ToString() })
  $rest = @($words | Select-Object -Skip 1)
  & $words[0] complete '--' @rest "$wordToComplete" 2> $null | Where-Object { $_ -ne ':files' } | ForEach-Object {
    $value, $text = $_ -split [char]9, 2
    if (-not $text) { $text = $value }
    $quoted = if ($value -match '[\s,;(){}|&<>@#'']') { "'" + $value.Replace("'", "''") + "'" } else { $value }
    [System.Management.Automation.CompletionResult]::new($quoted, $value, 'ParameterValue', $text)
  }
}
`,
};
