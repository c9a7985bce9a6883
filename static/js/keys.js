// Keys that move through a transcript and the list; `?` lists them. None acts while typing.

// The line of an outlined message stands for what is folded below it.
const CALLS = ".call, .outlined:not([open]):has(.call)";
const STOPS = ".bubble, .outlined, .row-link";
const USERS = ':is(.bubble, .outlined)[data-role="user"]';
const FAILURES =
  '.call:has([data-state="error"], [data-error]), .bubble:has(> .parts > .text[data-error]), .outlined:not([open]):has(> summary > .failed-mark)';

// In the order of the help. An `act` that returns false leaves the key to the browser; without
// one the key is the browser's or a link's own.
const KEYS = [
  { key: "j", words: "next message or completion", act: () => step(STOPS, 1) },
  { key: "k", words: "previous message or completion", act: () => step(STOPS, -1) },
  { key: "n", words: "next call", act: () => step(CALLS, 1) },
  { key: "p", words: "previous call", act: () => step(CALLS, -1) },
  { key: "e", words: "next failure", act: () => step(FAILURES, 1, "[data-failed]") },
  { key: "u", words: "next user turn", act: () => step(USERS, 1, '[data-kind="user"]') },
  { key: "g a", words: "answer", act: goToAnswer },
  { key: "o", words: "fold or unfold", act: fold },
  { key: "s", words: "source of the message or call", act: showSource },
  { key: "y", words: "copy the link to the message or call", act: () => ask("readback:link") },
  { key: "/", words: "search the transcript", act: () => (search ? search.click() : openBox()) },
  { key: "i", words: "go to a message by its number, open an id, or search", act: openBox },
  { key: "Enter", words: "open the completion" },
  { key: "x", words: "tick the completion, to compare, export or delete several", act: tick },
  { key: "c", words: "compare, export or delete what is ticked: go to the buttons", act: goToPicked },
  { key: "↑ ↓", words: "previous and next line of the outline, when it has the focus" },
  { key: "Ctrl F", words: "find text: the browser’s own search opens what is folded" },
  { key: "?", words: "these keys", act: showKeys },
];
const ACTS = new Map(KEYS.map(({ key, act }) => [key.replace(" ", ""), act]));

const status = document.getElementById("status");
for (const button of document.querySelectorAll("[data-keys]")) button.addEventListener("click", showKeys);
const search = document.querySelector("[data-search]");
let begun = "";

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
  if (target.matches("input:not([type=checkbox]), textarea, select, audio, [contenteditable]")) return;
  if (target.closest("dialog[open]")) return;
  const sequence = begun + key;
  begun = key === "g" ? "g" : "";
  const act = ACTS.get(sequence) ?? ACTS.get(key);
  if (act && act() !== false) event.preventDefault();
});

// The selectors of what is in sections that are text only, by the section.
const stopsIn = new WeakMap();

document.addEventListener("readback:reducing", ({ target }) => {
  stopsIn.set(target, [STOPS, CALLS, USERS, FAILURES].filter((selector) => target.querySelector(selector)));
});

// Where reading goes on: the focused element or the one that was linked to, if it is seen, else the
// first one below the bar. `lines` are those of the outline that lead to what is not on this page.
function step(selector, by, lines) {
  const all = [...document.querySelectorAll(`${selector}, [data-text-only]`)].filter(
    (one) => isReachable(one) && (stopsIn.get(one)?.includes(selector) ?? true),
  );
  const focused = document.activeElement.closest(".bubble, .call, .outlined, .row-link");
  const linked = document.querySelector(":target")?.closest(".bubble, .call");
  const here = [focused, linked].find(isSeen);
  let next;
  if (here) {
    const after = by > 0 ? Node.DOCUMENT_POSITION_FOLLOWING : Node.DOCUMENT_POSITION_PRECEDING;
    const rest = all.filter((one) => one !== here && here.compareDocumentPosition(one) & after);
    next = by > 0 ? rest[0] : rest.at(-1);
  } else {
    const top = document.querySelector(".bar")?.getBoundingClientRect().bottom ?? 0;
    // Right after a jump to the start, Chromium may not know yet where the first ones are.
    const index = scrollY ? all.findIndex((one) => one.getBoundingClientRect().top >= top) : 0;
    next = by > 0 ? all[index] : all.slice(0, Math.max(index, 0)).at(-1);
  }
  const beyond = lines ? findLine(lines, here, next) : null;
  if (beyond) beyond.click();
  else if (next?.closest("[data-text-only]")) bring(next, () => step(selector, by, lines));
  else if (next) go(next);
  else status.textContent = "Nothing further on this page.";
}

function bring(stop, then) {
  const section = stop.closest("[data-text-only]");
  section.dispatchEvent(new CustomEvent("readback:needed", { bubbles: true, detail: { then } }));
}

function isSeen(element) {
  const box = element?.getBoundingClientRect();
  return box && box.bottom > 0 && box.top < innerHeight;
}

// The first line between here and `next` that leads to what is not in the page.
function findLine(lines, here, next) {
  const current = document.querySelector(".outline-lines > li:has([aria-current])");
  const from = here ? numberOf(here) : Number(current?.dataset.number ?? 0);
  const to = next ? numberOf(next) : Infinity;
  const found = [...document.querySelectorAll(`.outline-lines > li${lines}`)].find(
    ({ dataset }) => dataset.number > from && dataset.number < to,
  );
  const link = found?.querySelector("a");
  return link && document.getElementById(link.hash.slice(1)) ? null : link;
}

// A result is part of the message that called; an answer comes after all numbers.
function numberOf(element) {
  const bubble = element.closest(".page > .bubble, .outlined > .bubble") ?? element.querySelector(".bubble");
  return Number(bubble?.id.match(/^m-(\d+)$/)?.[1] ?? Infinity);
}

// Results have their place under a call, and outlined messages under a line, which are stops.
function isReachable(one) {
  return !one.matches(".result > .bubble, .outlined > .bubble") && one.checkVisibility();
}

function go(element) {
  const summary = element.matches("details") ? element.querySelector("summary") : null;
  const place = summary ?? element;
  if (!summary && !element.matches("a")) element.tabIndex = -1;
  place.focus({ preventScroll: true });
  element.scrollIntoView({ block: "start" });
  element.dispatchEvent(new CustomEvent("readback:jumped", { bubbles: true }));
}

function goToAnswer() {
  const answer = document.querySelector(".output, .choice");
  if (answer) go(answer);
  else document.querySelector(".answer-link")?.click();
}

// The message or call to act on; a call of an unknown kind has no head of its own.
function here() {
  const headed = ".bubble, .call:has(> .call-head)";
  const focused = document.activeElement.closest(`${headed}, .outlined`);
  const linked = document.querySelector(":is(.bubble, .call):target")?.closest(headed);
  return focused?.matches(".outlined") ? focused.querySelector(".bubble") : (focused ?? linked);
}

function fold() {
  const focused = document.activeElement.closest("details, .call, .bubble");
  const details = focused?.matches("details") ? focused : focused?.querySelector("details");
  if (details) details.open = !details.open;
}

// Where no row has the focus, the key is the browser's.
function tick() {
  const box = document.activeElement.closest(".row")?.querySelector(".row-pick > input");
  box?.click();
  return Boolean(box);
}

function goToPicked() {
  const button = document.querySelector(".picked button");
  if (!button?.checkVisibility()) return false;
  button.focus();
}

function openBox() {
  document.getElementById("pasted")?.focus();
}

function ask(name) {
  here()?.dispatchEvent(new CustomEvent(name, { bubbles: true }));
}

// A source that is folded would not be seen.
function showSource() {
  const folded = here()?.closest("details.call, .outlined");
  if (folded) folded.open = true;
  ask("readback:source");
}

function showKeys() {
  let dialog = document.getElementById("keys");
  if (!dialog) {
    dialog = document.createElement("dialog");
    dialog.id = "keys";
    dialog.setAttribute("aria-label", "Keys");
    // The button at the end would have the focus otherwise, and be scrolled to.
    const title = document.createElement("h2");
    title.textContent = "Keys";
    title.tabIndex = -1;
    title.autofocus = true;
    const list = document.createElement("dl");
    for (const { key, words } of KEYS) {
      const name = document.createElement("dt");
      const keyboard = document.createElement("kbd");
      keyboard.textContent = key;
      name.append(keyboard);
      const does = document.createElement("dd");
      does.textContent = words;
      list.append(name, does);
    }
    const form = document.createElement("form");
    form.method = "dialog";
    const close = document.createElement("button");
    close.textContent = "Close";
    form.append(close);
    dialog.append(title, list, form);
    document.body.append(dialog);
  }
  if (!dialog.open) dialog.showModal();
}
