# Completion of `weir` for bash. It asks the program's own --help, so it knows what the program
# knows. Source it, or install it as /usr/share/bash-completion/completions/weir.

# The words that begin the lines of a section ("Subcommands:") or, without one, all long options.
_weir_words() {
  awk -v section="$1" '
    /^[A-Z]/ { inside = ($0 == section ":") }
    section != "" && inside && /^  [a-z]/ { print $1 }
    section == "" && match($0, /--[a-z][-a-z]*/) { print substr($0, RSTART, RLENGTH) }'
}

_weir() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} help i
  local command=("${COMP_WORDS[0]}")
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case ${COMP_WORDS[i]} in
      --) return ;;
      [a-z]*) if [ "${#command[@]}" -lt 3 ]; then command+=("${COMP_WORDS[i]}"); fi ;;
    esac
  done
  help=$("${command[@]}" --help 2>/dev/null) || help=$("${command[@]:0:2}" --help 2>/dev/null)
  case $before in
    -o | --output)
      # A file there, a format everywhere else.
      if [ "${command[1]-}" = import ]; then COMPREPLY=($(compgen -f -- "$word")); return; fi
      COMPREPLY=($(compgen -W "text json" -- "$word")) && return ;;
    --app) COMPREPLY=($(compgen -W "cpp flask" -- "$word")) && return ;;
    --event-loop) COMPREPLY=($(compgen -W "io_uring epoll" -- "$word")) && return ;;
    --identity-ca) COMPREPLY=($(compgen -f -- "$word")); return ;;
  esac
  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$(_weir_words "" <<<"$help")" -- "$word"))
  else
    COMPREPLY=($(compgen -W "$(_weir_words Subcommands <<<"$help")" -- "$word"))
    [ "${#COMPREPLY[@]}" -gt 0 ] || COMPREPLY=($(compgen -f -- "$word"))
  fi
}

complete -F _weir weir
