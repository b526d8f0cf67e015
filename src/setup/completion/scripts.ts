/**
 * What bash, zsh and fish are given. Each script only hands the words of the command line to `csx complete` and shows what comes
 * back, so that a script never is older than csx. The first line of the answer says what follows:
 *
 *   words         candidates, one a line: WORD TAB SUMMARY
 *   files         the same; a word that ends in / goes on
 *   paths         nothing: the shell offers files of the disk by itself
 *   directories   nothing: the same, directories only
 */

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export function completionScript(shell: Shell): string {
  return { bash: BASH, zsh: ZSH, fish: FISH }[shell];
}

const BASH = `# Completion of csx for bash. Now: source <(csx completion bash). For good:
#   csx completion bash > /etc/bash_completion.d/csx
_csx() {
  local words=() rest=\${COMP_LINE:0:COMP_POINT} gap raw plain cut='' flag='' current kind lines=() line
  local i
  # Bash breaks words at = and : too, and replaces only what stands behind: what touches belongs together, all but its end is cut.
  for ((i = 0; i <= COMP_CWORD; i++)); do
    gap=\${rest%%[![:space:]]*}
    rest=\${rest#"$gap"}
    raw=\${COMP_WORDS[i]}
    # The cursor may stand inside the word.
    [[ $rest == "$raw"* ]] || raw=$rest
    rest=\${rest#"$raw"}
    ((i == 0)) && continue
    plain=\${raw#[\\"\\']}
    plain=\${plain//\\\\/}
    if [[ \${#words[@]} -eq 0 || -n $gap ]]; then
      words+=("$plain")
      cut=''
    else
      cut=\${words[\${#words[@]} - 1]}
      words[\${#words[@]} - 1]+=$plain
    fi
  done
  current=\${words[\${#words[@]} - 1]}
  [[ $raw == *[!=:]* ]] || cut=$current
  [[ $current == --*=* ]] && flag=\${current%%=*}=
  COMPREPLY=()
  mapfile -t lines < <("$1" complete -- "\${words[@]}" 2>/dev/null)
  kind=\${lines[0]:-}
  case $kind in
    paths | directories)
      compopt -o filenames 2>/dev/null
      mapfile -t lines < <(compgen "$([[ $kind == paths ]] && echo -f || echo -d)" -- "\${current#"$flag"}")
      for line in "\${lines[@]}"; do
        line=$flag$line
        COMPREPLY+=("\${line#"$cut"}")
      done
      ;;
    words | files)
      for line in "\${lines[@]:1}"; do
        line=\${line%%$'\\t'*}
        line=\${line#"$cut"}
        [[ $kind == files ]] && printf -v line '%q' "$line"
        COMPREPLY+=("$line")
      done
      if [[ \${#COMPREPLY[@]} -eq 1 && $kind == files && \${COMPREPLY[0]} == */ ]]; then compopt -o nospace 2>/dev/null; fi
      ;;
  esac
  return 0
}
complete -F _csx csx
`;

const ZSH = `#compdef csx
# Completion of csx for zsh. Now: source <(csx completion zsh). For good: as _csx in a directory of $fpath.
_csx() {
  local -a lines going ending goingShown endingShown
  local kind line word shown
  lines=("\${(@f)$("\${words[1]}" complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  kind=\${lines[1]}
  lines[1]=()
  case $kind in
    paths)
      compset -P '--*='
      _files
      ;;
    directories)
      compset -P '--*='
      _files -/
      ;;
    words|files)
      for line in "\${lines[@]}"; do
        [[ -n $line ]] || continue
        word=\${line%%$'\\t'*}
        shown=\${line#*$'\\t'}
        [[ -n $shown ]] && shown="$word  -- $shown" || shown=$word
        if [[ $kind == files && $word == */ ]]; then
          going+=("$word") goingShown+=("$shown")
        else
          ending+=("$word") endingShown+=("$shown")
        fi
      done
      (( \${#going} )) && compadd -l -S '' -d goingShown -a going
      (( \${#ending} )) && compadd -l -d endingShown -a ending
      ;;
  esac
}
if [[ \${funcstack[1]} == _csx ]]; then
  _csx "$@"
elif (( \${+functions[compdef]} )); then
  compdef _csx csx
fi
`;

const FISH = `# Completion of csx for fish. Now: csx completion fish | source. For good:
#   csx completion fish > ~/.config/fish/completions/csx.fish
function __csx_complete
    set -l words (commandline -opc)
    set -l program $words[1]
    set -e words[1]
    # As it was typed, with its quotes, which may still be open.
    set -l typed (commandline -ct)
    set -l current (string unescape -- "$typed"; or echo -- "$typed")
    set -l lines ($program complete -- $words "$current" 2>/dev/null)
    set -l kind $lines[1]
    set -e lines[1]
    set -l cut (string match -r -- '^--[^=]*=' "$current")
    set -l value (string replace -r -- '^--[^=]*=' '' "$current")
    switch "$kind"
        case paths
            __fish_complete_path "$value" | string replace -r -- '^' "$cut"
        case directories
            __fish_complete_directories "$value" | string replace -r -- '^' "$cut"
        case words files
            printf '%s\\n' $lines
    end
end
complete -c csx -f -a '(__csx_complete)'
`;
