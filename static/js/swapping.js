// htmx is fetched when it is first needed: it is half of all that a page would load, and most
// readers press nothing that it does.

const address = document.querySelector("meta[name=htmx-script]")?.content;
const NEEDS = "[hx-get], [data-load-all]";
// These ask by themselves.
const NEEDS_AT_ONCE = "[hx-trigger], .newer";

let loaded = null;
let isReady = false;

function load() {
  loaded ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    // A page that is already there is processed in a task of its own, after this event.
    script.addEventListener("load", () => setTimeout(resolve));
    script.addEventListener("error", reject);
    document.head.append(script);
  }).then(() => (isReady = true));
  return loaded;
}

// The pointer or the focus comes before the click.
function prepare({ target }) {
  if (!loaded && target.closest?.(NEEDS)) load().catch(() => {});
}

// A click that was too early is repeated.
async function waitForIt(event) {
  const link = event.target.closest?.(NEEDS);
  if (!link || isReady || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  event.stopPropagation();
  try {
    await load();
    link.click();
  } catch {
    location.assign(link.href);
  }
}

if (address) {
  document.addEventListener("pointerover", prepare);
  document.addEventListener("focusin", prepare);
  document.addEventListener("click", waitForIt, true);
  if (document.querySelector(NEEDS_AT_ONCE)) load().catch(() => {});
}
