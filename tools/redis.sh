# Sourced by `make test`: sets READBACK_REDIS to redis-server, installing Debian's where that is
# possible without asking. Without it the test of counts that processes share is skipped, or fails
# where CI=true.

READBACK_REDIS=${READBACK_REDIS:-$(command -v redis-server || command -v valkey-server)}
if [ -z "$READBACK_REDIS" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing Redis for the test of shared counts (once)"
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends redis-server >/dev/null
  READBACK_REDIS=$(command -v redis-server)
fi
export READBACK_REDIS
