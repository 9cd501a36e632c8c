#!/usr/bin/env bash
# The weekly retrain as a scheduler calls it: takes the weeks that have come, oldest name first, one after the other.
#
#   HMGPU_CONFIG  the config                                   (configs/base.yaml)
#   HMGPU_INBOX   folder in which weeks arrive: a transactions file each, or a folder with articles and customers too; a
#                 name that begins with a dot is one that is still being written (inbox)
#   HMGPU         the program                                   (hmgpu)
#   other arguments go to `hmgpu retrain`, such as --engine gpu
#
# A week that was taken, whether its run was promoted (0) or not (3), goes to INBOX/done; one that was refused (4) to
# INBOX/refused, for somebody to look at. After anything else (5: another retrain is at work, 1: an error, a kill) it stays
# where it is, and the next call goes on with it. Ends with the code of the last retrain; see `hmgpu retrain --help`.
set -uo pipefail

config=${HMGPU_CONFIG:-configs/base.yaml}
inbox=${HMGPU_INBOX:-inbox}
program=${HMGPU:-hmgpu}

if [[ ! -d $inbox ]]; then
  echo "There is no folder $inbox: set HMGPU_INBOX to where the weeks arrive." >&2
  exit 1
fi

put_aside() { # a folder of the inbox, a week: no earlier week of that name is overwritten
  mkdir -p "$inbox/$1" || return
  local place
  place="$inbox/$1/$(date -u +%Y%m%dT%H%M%SZ)-$(basename "$2")"
  mv -n -- "$2" "$place" && [[ ! -e $2 ]] && echo "moved to $place"
}

code=0
taken=0
shopt -s nullglob
for week in "$inbox"/*; do
  case $(basename "$week") in done | refused) continue ;; esac
  taken=1
  "$program" retrain --config "$config" --append "$week" "$@"
  code=$?
  case $code in
  0 | 3) put_aside done "$week" || exit 1 ;;
  4) put_aside refused "$week" || exit 1 ;;
  *) exit "$code" ;;
  esac
done
if ((!taken)); then echo "No week has come to $inbox."; fi
exit "$code"
