# Sourced by `make test`: sets READBACK_NGINX to nginx, installing Debian's where that is possible
# without asking. Without it the test behind a real proxy is skipped, or fails where CI=true.

find_nginx() {
  PATH="$PATH:/usr/sbin" command -v nginx
}

READBACK_NGINX=${READBACK_NGINX:-$(find_nginx)}
if [ -z "$READBACK_NGINX" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing nginx for the test behind a proxy (once)"
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nginx >/dev/null
  READBACK_NGINX=$(find_nginx)
fi
export READBACK_NGINX
