# Sourced by `make test`: sets READBACK_PGBOUNCER to pgbouncer, installing Debian's where that is
# possible without asking. Without it the test of a pooler before PostgreSQL is skipped, or fails
# where CI=true.

READBACK_PGBOUNCER=${READBACK_PGBOUNCER:-$(command -v pgbouncer)}
if [ -z "$READBACK_PGBOUNCER" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing PgBouncer for the test of a pooler (once)"
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends pgbouncer >/dev/null
  READBACK_PGBOUNCER=$(command -v pgbouncer)
fi
export READBACK_PGBOUNCER
