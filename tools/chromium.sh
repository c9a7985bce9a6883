# Sourced by `make test`: sets READBACK_CHROMIUM to a Chromium that runs, installing one where
# that is possible without asking.
#
# The headless shell comes first: the same engine without windows, in half the time.

HEADLESS_SHELL=chromium-headless-shell

find_chromium() {
  command -v $HEADLESS_SHELL || command -v chromium || command -v chromium-browser ||
    command -v google-chrome ||
    .venv/bin/python -c 'from playwright.sync_api import sync_playwright as start
with start() as tools: print(tools.chromium.executable_path)' | { read -r path; [ -x "$path" ] && echo "$path"; }
}

install_chromium() {
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$1" >/dev/null
}

if [ -z "${READBACK_CHROMIUM:-}" ] && ! command -v $HEADLESS_SHELL >/dev/null &&
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing Chromium's headless shell for the browser tests (once)"
  install_chromium $HEADLESS_SHELL || command -v chromium >/dev/null || install_chromium chromium
fi
READBACK_CHROMIUM=${READBACK_CHROMIUM:-$(find_chromium)}
if [ -z "$READBACK_CHROMIUM" ]; then
  echo "The browser tests need Chromium: apt-get install $HEADLESS_SHELL, or .venv/bin/playwright install chromium" >&2
  return 1
fi
export READBACK_CHROMIUM
