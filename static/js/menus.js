// Menus: one is open at a time, closed by Escape, by a click elsewhere and by a choice. The menu of a
// message or call is fetched when the pointer or the focus comes to its button.

const LOST = "Could not load: Readback did not answer. Try again.";

// Open menus of the bar, remembered so that a click need not look for them in the whole page.
const open = new Set();
// The answers by the buttons, which are links.
const fetched = new WeakMap();
let shown = null;

document.addEventListener("click", (event) => {
  const { target } = event;
  for (const menu of open) {
    if (!menu.contains(target)) menu.open = false;
  }
  // It opens now; "toggle" comes later, perhaps after the next click.
  const own = target.closest?.(".menu > summary")?.parentElement;
  if (own) open.add(own);

  const link = target.closest?.("a.menu-link");
  const json = target.closest?.("[data-json]");
  const place = json?.closest(".bubble");
  const was = shown?.link;
  if (shown && (json || !shown.items.contains(target))) close();
  if (!(link || (json && window.htmx)) || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (json) showJson(place, json.href);
  else if (link !== was) show(link);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  if (shown) close();
  for (const menu of open) {
    if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
    menu.open = false;
  }
});

document.addEventListener(
  "toggle",
  ({ target }) => {
    if (!target.matches(".menu")) return;
    if (!target.open) return open.delete(target);
    // It may have been opened before this script was there, as others.
    for (const menu of open) if (!menu.contains(target)) menu.open = false;
    if (shown && !open.has(target)) close();
    open.add(target);
  },
  true,
);

// Below the button, where browsers without a script have the middle of the window.
document.addEventListener(
  "beforetoggle",
  ({ target, newState }) => {
    if (target.matches(".menu-items") && newState === "open") place(target);
  },
  true,
);

for (const name of ["pointerover", "focusin"]) {
  document.addEventListener(name, ({ target }) => {
    const link = target.closest?.("a.menu-link");
    if (link) fetchItems(link);
  });
}

function fetchItems(link) {
  if (!fetched.has(link)) fetched.set(link, load(link));
  return fetched.get(link);
}

async function load(link) {
  try {
    const answer = await fetch(link.href, { headers: { "HX-Request": "true" } });
    const html = await answer.text();
    if (!answer.ok) fetched.delete(link);
    return html;
  } catch {
    fetched.delete(link);
    return `<span class="notice" role="alert" data-kind="error">${LOST}</span>`;
  }
}

async function show(link) {
  const items = document.createElement("div");
  items.className = "menu-items";
  items.popover = "manual";
  items.setAttribute("role", "dialog");
  items.setAttribute("aria-label", link.getAttribute("aria-label"));
  shown = { link, items };
  link.setAttribute("aria-busy", "true");
  const html = await fetchItems(link);
  link.removeAttribute("aria-busy");
  if (shown?.items !== items || !link.isConnected) return;
  items.innerHTML = html;
  // The head of a message may have the button already.
  if (link.parentElement.querySelector(":scope > [data-copy-text]")) {
    items.querySelector("[data-copy-text]")?.remove();
  }
  // An answer alone does not know the message whose page it is on.
  const copied = items.querySelector("[data-copy-link]");
  const { place } = link.dataset;
  if (copied && place) copied.href = place.replace(/#.*/, copied.hash);
  const source = items.querySelector("[data-source-switch]");
  if (source) source.checked = link.closest(".call-head, .bubble-head").parentElement.matches("[data-source]");
  link.after(items);
  link.setAttribute("aria-expanded", "true");
  items.showPopover();
}

// It ends where the button does, and has the room from there nearly to the edge of the window.
function place(items) {
  const { bottom, right } = items.previousElementSibling.getBoundingClientRect();
  const width = document.documentElement.clientWidth;
  Object.assign(items.style, {
    position: "absolute",
    inset: `${bottom + scrollY}px ${width - right}px auto auto`,
    maxInlineSize: `min(36rem, ${right - 8}px)`,
    margin: 0,
  });
}

function close() {
  const { link, items } = shown;
  shown = null;
  if (items.contains(document.activeElement)) link.focus({ preventScroll: true });
  items.remove();
  link.removeAttribute("aria-expanded");
}

// The JSON of a message, below all else of it.
function showJson(bubble, address) {
  let raw = bubble.querySelector(":scope > .raw");
  if (!raw) {
    raw = document.createElement("div");
    raw.className = "raw";
    raw.innerHTML = `<div class="loads"></div>`;
    bubble.append(raw);
  }
  const target = raw.firstElementChild;
  window.htmx.ajax("GET", address, { source: target, target, swap: "outerHTML" });
}
