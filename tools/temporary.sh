# Sourced by `make test` and `make quick`: sets TMPDIR to a folder in memory, which is removed at
# the end, where memory has room and programs may run from it. Thousands of tests make a database
# of their own: a disk makes each of them wait, and memory does not.

MEMORY=/dev/shm
# The tests write less than one gigabyte.
NEEDED_KB=4000000

has_room() {
  room=$(df -Pk $MEMORY 2>/dev/null | awk 'NR == 2 { print $4 }')
  free=$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo 2>/dev/null)
  [ "${room:-0}" -gt $NEEDED_KB ] && [ "${free:-0}" -gt $((2 * NEEDED_KB)) ]
}

# Tests start programs that they have written.
runs_programs() {
  printf '#!/bin/sh\n' >"$1/program" && chmod 755 "$1/program" && "$1/program" && rm "$1/program"
}

if [ -z "${TMPDIR:-}" ] && has_room && memory_folder=$(mktemp -d $MEMORY/readback-XXXXXX); then
  trap 'rm -rf "$memory_folder"' EXIT
  trap 'exit 130' HUP INT TERM
  # PostgreSQL runs as another user.
  chmod 755 "$memory_folder"
  if runs_programs "$memory_folder" 2>/dev/null; then
    export TMPDIR="$memory_folder"
  fi
fi
