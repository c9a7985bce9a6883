# Sourced by `make test`: sets READBACK_CHROMIUM to a Chromium that runs, installing one where
# that is possible without asking.

find_chromium() {
  command -v chromium || command -v chromium-browser || command -v google-chrome ||
    .venv/bin/python -c 'from playwright.sync_api import sync_playwright as start
with start() as tools: print(tools.chromium.executable_path)' | { read -r path; [ -x "$path" ] && echo "$path"; }
}

READBACK_CHROMIUM=${READBACK_CHROMIUM:-$(find_chromium)}
if [ -z "$READBACK_CHROMIUM" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing Chromium for the browser tests (once)"
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null
  READBACK_CHROMIUM=$(find_chromium)
fi
if [ -z "$READBACK_CHROMIUM" ]; then
  echo "The browser tests need Chromium: apt-get install chromium, or .venv/bin/playwright install chromium" >&2
  return 1
fi
export READBACK_CHROMIUM
