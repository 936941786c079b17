# bash completion for tallyman: all that it offers it asks the command for, so that there is nothing to keep up to date

# Reads the help of the command $1. Sets options (--ledger=), kind (what option $2 takes), choices (that its summary names), usage.
_tallyman_read_help()
{
  local option=$2 line
  options=() kind='' choices='' usage=''
  while IFS= read -r line; do
    if [[ $line =~ ^'  '((-[a-zA-Z])', ')?(--[a-z-]+)(=([A-Z]+))?' '+(.*) ]]; then
      options+=("${BASH_REMATCH[3]}${BASH_REMATCH[4]:+=}")
      if [[ -n $option && ( $option == "${BASH_REMATCH[3]}" || $option == "${BASH_REMATCH[2]}" ) ]]; then
        kind=${BASH_REMATCH[5]}
        choices=${BASH_REMATCH[6]#*: }
        choices=${choices//(default)/}
        choices=${choices//,/}
      fi
    elif [[ $line == "  tallyman $1 "* ]]; then
      usage=${line#*"[OPTION…] "}
    fi
  done < <("$program" "$1" --help 2>/dev/null)
}

# Of a usage as "list [PIPELINE] | retry|discard KEY…" sets actions, and argument: what follows the action that is among the words.
_tallyman_read_usage()
{
  local rest="$usage | " part first action word
  actions=() argument=''
  while [[ $rest == *' | '* ]]; do
    part=${rest%%' | '*}
    rest=${rest#*' | '}
    first=${part%% *}
    if [[ ! $first =~ ^[a-z|]+$ ]]; then
      argument=$part
      continue
    fi
    for action in ${first//|/ }; do
      actions+=("$action")
      for word in "${COMP_WORDS[@]:2:COMP_CWORD-2}"; do
        [[ $word == "$action" ]] && argument=${part#* }
      done
    done
  done
}

_tallyman_offer()
{
  local word
  while IFS= read -r word; do
    COMPREPLY+=("$word")
  done < <(compgen "$@" -- "$cur")
}

# What may stand for the word of a usage, or of an option.
_tallyman_offer_kind()
{
  case $1 in
    *PIPELINE*)
      compopt -o filenames 2>/dev/null
      _tallyman_offer -f -X '!*.yaml'
      _tallyman_offer -f -X '!*.yml'
      _tallyman_offer -d ;;
    *FILE*)
      compopt -o filenames 2>/dev/null
      _tallyman_offer -f ;;
    *PLUGIN*) _tallyman_offer -W "$("$program" inspect 2>/dev/null | sed -n 's/^  \([^ ]*\) .*/\1/p')" ;;
    SINK) _tallyman_offer -W "$choices" ;;
    URI)
      compopt -o nospace 2>/dev/null
      _tallyman_offer -W 'sqlite: postgresql:' ;;
  esac
}

_tallyman()
{
  local program=$1 cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
  local -a options actions
  local kind choices usage argument
  COMPREPLY=()

  if ((COMP_CWORD == 1)); then
    _tallyman_offer -W "$("$program" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p') --help --version"
    return
  fi

  # bash takes --ledger=sqlite:x apart at = and :
  [[ $before == '=' ]] && before=${COMP_WORDS[COMP_CWORD-2]}
  [[ $cur == '=' || $cur == ':' ]] && cur=''
  if [[ ${COMP_WORDS[COMP_CWORD]} == ':' || ${COMP_WORDS[COMP_CWORD-1]} == ':' ]]; then
    _tallyman_offer_kind FILE
    return
  fi

  _tallyman_read_help "${COMP_WORDS[1]}" "$before"
  if [[ -n $kind ]]; then
    _tallyman_offer_kind "$kind"
  elif [[ $cur == -* ]]; then
    _tallyman_offer -W "${options[*]}"
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
  else
    _tallyman_read_usage
    [[ -z $argument && ${#actions[@]} -gt 0 ]] && _tallyman_offer -W "${actions[*]}"
    _tallyman_offer_kind "$argument"
  fi
  return 0
}

complete -F _tallyman tallyman
