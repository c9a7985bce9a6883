// Do what a page needs before its reader does anything, and fetch the other scripts, which are most
// of the code, with the first pointer, key or scroll. Events that came before these scripts were
// loaded are kept, and dispatched again to them.

const BUTTONS =
  "button[type=button], a:is([hx-get], [data-load-all], [data-print], [data-json], .menu-link, .load, " +
  "[data-copy-link], [data-copy-from], [data-copy-rich])";
const FIELDS = "input:not([type=checkbox], [type=radio]), textarea, select, audio, [contenteditable]";
const STARTS = ["pointermove", "pointerdown", "click", "keydown", "change", "scroll", "focusin", "hashchange"];
// Kept, but no reason to load: both also happen without the reader, "toggle" for a fold that is open
// from the start, "pointerover" for an element that is drawn below a resting pointer.
const LATER = ["pointerover", "toggle"];
const AT_ONCE = "[data-target], [data-answers], [hx-trigger], .newer";

const address = document.querySelector("meta[name=acting]").content;
const kept = [];
let script = null;
let isRepeating = false;

// No module: a browser would not ask again for one that it did not get.
function load() {
  script = document.createElement("script");
  script.src = address;
  script.addEventListener("load", finish);
  script.addEventListener("error", goWithout);
  document.head.append(script);
  listen(LATER);
}

function listen(types) {
  for (const type of types) addEventListener(type, keep, true);
}

function keep(event) {
  // A page that is drawn below a pointer has a "pointermove" too.
  const isMoved = event.type !== "pointermove" || event.movementX || event.movementY;
  if (isRepeating || !isMoved) return;
  if (!script) load();
  if (event.ctrlKey || event.metaKey || event.altKey || !isMeant(event)) return;
  if (event.type === "click" || event.key?.length === 1) {
    event.preventDefault();
    event.stopPropagation();
  }
  const button = buttonOf(event);
  // A second click on a button that waits would close what the first one opens.
  if (button?.hasAttribute("aria-busy")) return;
  button?.setAttribute("aria-busy", "true");
  kept.push(event);
}

function buttonOf({ type, target }) {
  return type === "click" ? target.closest(BUTTONS) : null;
}

// Whether an event is for our scripts. The browser opens folds and follows links by itself, and these
// must not happen twice.
function isMeant({ type, target, key, shiftKey }) {
  if (type === "click") return target.closest(shiftKey ? ".bubble .number" : BUTTONS);
  if (type === "keydown") return (key !== " " || isTyping()) && !target.matches(FIELDS);
  return !type.startsWith("pointer") || type === "pointerover";
}

// Keys that lead to a field are followed by words.
function isTyping() {
  return kept.some(({ key }) => key === "i" || key === "/");
}

function finish() {
  for (const type of [...STARTS, ...LATER]) removeEventListener(type, keep, true);
  repeat();
  script.remove();
}

function repeat() {
  isRepeating = true;
  for (const event of kept.splice(0)) {
    buttonOf(event)?.removeAttribute("aria-busy");
    const focused = document.activeElement;
    const isTyped = event.type === "keydown" && focused.matches(FIELDS);
    // The browser has pressed the element that had the focus then. A key before may have moved it.
    const isLate = event.key === "Enter" && focused !== event.target;
    if (isLate && isTyped) focused.form?.requestSubmit();
    else if (isLate) focused.click();
    else if (!isTyped) event.target.dispatchEvent(new event.constructor(event.type, event));
    else if (event.key === "Backspace") document.execCommand("delete");
    else if (event.key.length === 1) document.execCommand("insertText", false, event.key);
  }
  isRepeating = false;
}

// A newer Readback may have other files: links lead there. If nobody answers, the page stays.
async function goWithout() {
  const hasAnswer = await fetch(address, { method: "HEAD" }).then(
    () => true,
    () => false,
  );
  // Also those that were pressed meanwhile.
  const buttons = kept.map(buttonOf).filter(Boolean);
  if (hasAnswer) repeat();
  for (const button of buttons.filter(({ href }) => !href || !hasAnswer)) {
    button.removeAttribute("aria-busy");
    button.dataset.said = hasAnswer ? "reload" : "try again";
    setTimeout(() => delete button.dataset.said, 1500);
    document.getElementById("status").textContent = hasAnswer
      ? "Could not load: the page is of another version of Readback. Reload it."
      : "Could not load: Readback did not answer. Try again.";
  }
  kept.length = 0;
  script.remove();
  script = null;
}

// The place of the reader, if it is the start of the transcript: any other takes the scripts.
function showStart() {
  const place = document.getElementById("place");
  if (!place) return true;
  if (document.querySelector(":is(.transcript, .older[open]) > .page .bubble")?.id !== "m-1") return false;
  // Not by `toLocaleString`, which loads `Intl`: slower than all that a page does at its start.
  const total = place.dataset.total.replace(/\B(?=(\d{3})+$)/g, ",");
  place.textContent = `message 1${total && ` of ${total}`}`;
  const lines = document.querySelectorAll('.outline-lines > [data-number="1"]:not([data-kind="answer"]) > a');
  for (const link of [[...lines].at(-1), document.querySelector('.ribbon a[data-number="1"]')]) {
    link?.setAttribute("aria-current", "location");
  }
  return true;
}

// Messages that the reader has switched to their source.
function hasKnownSource() {
  const completion = location.pathname.match(/\/completions\/([^/]+)/)?.[1];
  try {
    return Boolean(localStorage.getItem("readback.sources")?.includes(`"${completion} `));
  } catch {
    return false;
  }
}

for (const button of document.querySelectorAll("[data-keys]")) button.hidden = false;
listen(STARTS);
if (location.hash || document.querySelector(AT_ONCE) || !showStart() || hasKnownSource()) load();
