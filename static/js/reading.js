// Reading a message: folds that open where the reader arrives, and the switch to its source.

// Find, a link to words (#:~:text=) and the keyboard scroll what a closed fold clips: open it
// there, and keep in place what was found.
document.addEventListener(
  "scroll",
  ({ target }) => {
    if (!target.matches?.(".fold:not([open]) > .fold-body") || !target.scrollTop) return;
    const content = target.firstElementChild;
    const before = content.getBoundingClientRect().top;
    target.parentElement.open = true;
    scrollBy(0, content.getBoundingClientRect().top - before);
  },
  true,
);

// A long fold that is closed at its end stays in view.
document.addEventListener(
  "toggle",
  ({ target }) => {
    if (!target.matches(".fold:not([open])")) return;
    if (target.getBoundingClientRect().top < 0) target.scrollIntoView({ block: "start" });
  },
  true,
);

// The next part of a long text follows where its link was; reading goes on there. What is before
// the link is kept by htmx's context of the request, so that requests do not mix.
const beforeParts = new WeakMap();

document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  const before = ctx.sourceElement.closest(".next-part")?.previousElementSibling;
  if (before) beforeParts.set(ctx, before);
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const added = beforeParts.get(ctx)?.nextElementSibling;
  if (added?.hasAttribute("tabindex")) added.focus({ preventScroll: true });
});

// The switch between what is read and its source is remembered for the last messages it was set on.
const KEY = "readback.sources";
const MOST = 200;

function remembered() {
  try {
    const keys = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(keys) ? keys : [];
  } catch {
    return [];
  }
}

function remember(key, isSource) {
  const others = remembered().filter((one) => one !== key);
  const keys = isSource ? [...others, key].slice(-MOST) : others;
  try {
    localStorage.setItem(KEY, JSON.stringify(keys));
  } catch {
    // Without storage the switch works for as long as the page is open.
  }
}

// The path names the completion; the place in it is the message's own id, or our anchor.
function keyOf(bubble) {
  const completion = location.pathname.match(/\/completions\/([^/]+)/)?.[1];
  return `${completion} ${bubble.dataset.messageId ?? bubble.id}`;
}

function showKnownSources(find) {
  const keys = new Set(remembered());
  if (!keys.size) return;
  for (const bubble of find(".bubble")) {
    if (keys.has(keyOf(bubble))) showSource(bubble, true);
  }
}

// A message or a call; the switch may be in its menu.
function showSource(place, isSource) {
  place.toggleAttribute("data-source", isSource);
  const box = place.querySelector(":scope > :is(.bubble-head, .call-head, .alone-items) [data-source-switch]");
  if (box) box.checked = isSource;
}

function switchSource(place, isSource) {
  showSource(place, isSource);
  if (place.matches(".bubble")) remember(keyOf(place), isSource);
}

document.addEventListener("change", ({ target }) => {
  if (!target.matches("[data-source-switch]")) return;
  switchSource(target.closest(".bubble-head, .call-head, .alone-items").parentElement, target.checked);
});

document.addEventListener("readback:source", ({ target }) => {
  switchSource(target, !target.hasAttribute("data-source"));
});

document.addEventListener("readback:added", ({ detail: { find } }) => showKnownSources(find));
showKnownSources((selector) => document.querySelectorAll(selector));
