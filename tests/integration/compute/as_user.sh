#!/bin/sh
# Runs a test program as an ordinary user: as_user.sh USER PROGRAM ARGUMENTS…
# USER is a name, or a number that no account has (a user without subordinate ids). The program is
# copied, since the build folder may lie where only root can look. Exit 77: there is no such user.
set -eu
user=$1 program=$2
shift 2
case $user in
  *[!0-9]*) id "$user" >/dev/null 2>&1 || { echo "no user $user: see scripts/common.sh" >&2; exit 77; } ;;
esac
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cp "$program" "$folder/program"
case $user in
  *[!0-9]*) set -- --reuid="$user" --regid="$user" --init-groups -- "$folder/program" "$@" ;;
  *) set -- --reuid="$user" --regid="$user" --clear-groups -- "$folder/program" "$@" ;;
esac
cd /
HOME=/nonexistent setpriv "$@"
