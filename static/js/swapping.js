// htmx and what follows its swaps are fetched when they are first needed: they are half of all that
// a page would load, and most readers press nothing that needs them.

const files = document.querySelector("meta[name=swapping]");
const NEEDS = "a[hx-get], [data-load-all], [data-json]";
// These ask by themselves.
const NEEDS_AT_ONCE = "[hx-trigger], .newer";

const running = new Map();
let isReady = false;

async function load() {
  await Promise.all([files.content, files.dataset.htmx].map(run));
  isReady = true;
}

function run(address) {
  if (!running.has(address)) running.set(address, start(address));
  return running.get(address);
}

// No module: a browser would not ask again for one that it did not get.
function start(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    // htmx processes a page that is already there in a task of its own, after this event.
    script.addEventListener("load", () => setTimeout(resolve));
    script.addEventListener("error", () => {
      running.delete(address);
      reject();
    });
    document.head.append(script);
  });
}

// htmx looks for its "hx-on" in all attributes, and the browser keeps an object for each it looked
// at: a quarter of the memory of a long transcript. So links are processed when they are clicked,
// what asks by itself at once, and nothing else.
function processLess(event) {
  if (event.target.matches("[hx-get]")) return;
  event.preventDefault();
  for (const one of event.target.querySelectorAll("[hx-trigger]")) window.htmx.process(one);
}

// The pointer or the focus comes before the click.
function prepare({ target }) {
  if (!isReady && target.closest?.(NEEDS)) load().catch(() => {});
}

// A click that was too early is repeated.
async function waitForIt(event) {
  const link = event.target.closest?.(NEEDS);
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (isReady) return window.htmx.process(link);
  event.preventDefault();
  event.stopPropagation();
  if (link.hasAttribute("aria-busy")) return;
  link.setAttribute("aria-busy", "true");
  try {
    await load();
  } catch {
    return goWithout(link);
  } finally {
    link.removeAttribute("aria-busy");
  }
  link.click();
}

// A newer Readback may have other files: the link leads there. If nobody answers, the page stays.
async function goWithout(link) {
  try {
    await fetch(files.content, { method: "HEAD" });
    location.assign(link.href);
  } catch {
    link.dataset.said = "try again";
    setTimeout(() => delete link.dataset.said, 1500);
    document.getElementById("status").textContent = "Could not load: Readback did not answer. Try again.";
  }
}

if (files) {
  document.addEventListener("htmx:before:process", processLess);
  document.addEventListener("pointerover", prepare);
  document.addEventListener("focusin", prepare);
  document.addEventListener("click", waitForIt, true);
  if (document.querySelector(NEEDS_AT_ONCE)) load().catch(() => {});
}
