# Sourced by `make test`: sets READBACK_POSTGRES to the folder of PostgreSQL's programs,
# installing them where that is possible without asking. Without them the tests of the store in
# PostgreSQL are skipped, or fail where CI=true.

find_postgres() {
  for initdb in "$(command -v initdb)" /usr/lib/postgresql/*/bin/initdb; do
    [ -x "$initdb" ] && dirname "$(readlink -f "$initdb")" && return
  done
}

READBACK_POSTGRES=${READBACK_POSTGRES:-$(find_postgres)}
if [ -z "$READBACK_POSTGRES" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing PostgreSQL for the tests of the store (once)"
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql >/dev/null
  READBACK_POSTGRES=$(find_postgres)
fi
export READBACK_POSTGRES
