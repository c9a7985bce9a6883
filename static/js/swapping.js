// htmx and what follows its swaps are fetched when they are first needed: they are half of all that
// a page would load, and most readers press nothing that needs them.

const files = document.querySelector("meta[name=swapping]");
const NEEDS = "[hx-get], [data-load-all]";
// These ask by themselves.
const NEEDS_AT_ONCE = "[hx-trigger], .newer";

let loaded = null;
let isReady = false;

function load() {
  loaded ??= Promise.all([import(files.content), runHtmx(files.dataset.htmx)]).then(() => (isReady = true));
  return loaded;
}

// No module: it defines `htmx` for all.
function runHtmx(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    // It processes a page that is already there in a task of its own, after this event.
    script.addEventListener("load", () => setTimeout(resolve));
    script.addEventListener("error", reject);
    document.head.append(script);
  });
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

if (files) {
  document.addEventListener("pointerover", prepare);
  document.addEventListener("focusin", prepare);
  document.addEventListener("click", waitForIt, true);
  if (document.querySelector(NEEDS_AT_ONCE)) load().catch(() => {});
}
