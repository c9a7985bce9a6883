// Keys that move through a transcript and the list; `?` lists them. None acts while typing.

const KEYS = [
  ["j", "next message or completion"],
  ["k", "previous message or completion"],
  ["n", "next call"],
  ["p", "previous call"],
  ["e", "next failure"],
  ["u", "next user turn"],
  ["g a", "answer"],
  ["o", "fold or unfold"],
  ["s", "source of the message"],
  ["y", "copy the link to the message"],
  ["/", "search the transcript"],
  ["i", "go to a message by its number, open an id, or search"],
  ["Enter", "open the completion"],
  ["x", "tick the completion, to compare, export or delete several"],
  ["Ctrl F", "find text: the browser’s own search opens what is folded"],
  ["?", "these keys"],
];
const STEPS = {
  j: [".bubble, .row-link", 1],
  k: [".bubble, .row-link", -1],
  n: [".call", 1],
  p: [".call", -1],
  e: ['.call:has([data-state="error"], [data-error]), .bubble:has(> .parts > .text[data-error])', 1],
  u: ['.bubble[data-role="user"]', 1],
};

const status = document.getElementById("status");
for (const button of document.querySelectorAll("[data-keys]")) {
  button.hidden = false;
  button.addEventListener("click", showKeys);
}
const search = document.querySelector(".search-link");
let begun = "";

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
  if (target.matches("input:not([type=checkbox]), textarea, select, audio, [contenteditable]")) return;
  if (target.closest("dialog")) return;
  const sequence = begun + key;
  begun = key === "g" ? "g" : "";
  if (sequence === "ga") go(document.querySelector(".output, .choice"));
  else if (key in STEPS) step(...STEPS[key]);
  else if (key === "o") fold();
  else if (key === "x") tick();
  else if (key === "s") press("[data-source-switch]");
  else if (key === "y") press("[data-copy-link]");
  else if (key === "/" && search) search.click();
  else if (key === "/" || key === "i") document.getElementById("pasted")?.focus();
  else if (key === "?") showKeys();
  else return;
  event.preventDefault();
});

// Where reading goes on: the focused element, else the first one below the bar.
function step(selector, by) {
  const all = [...document.querySelectorAll(selector)].filter(isReachable);
  const here = document.activeElement.closest(".bubble, .call, .outlined, .row-link");
  let next;
  if (here) {
    const beyond = by > 0 ? Node.DOCUMENT_POSITION_FOLLOWING : Node.DOCUMENT_POSITION_PRECEDING;
    const rest = all.filter((one) => one !== here && here.compareDocumentPosition(one) & beyond);
    next = by > 0 ? rest[0] : rest.at(-1);
  } else {
    const top = document.querySelector(".bar")?.getBoundingClientRect().bottom ?? 0;
    const index = all.findIndex((one) => one.getBoundingClientRect().top >= top);
    next = by > 0 ? all[index] : all.slice(0, Math.max(index, 0)).at(-1);
  }
  if (next) go(next);
  else status.textContent = "Nothing further on this page.";
}

// Messages without words and results have their place under a call, which is a stop of its own.
function isReachable(one) {
  return !one.matches(".result > .bubble") && one.checkVisibility();
}

function go(element) {
  if (!element) return;
  const summary = element.matches("details") ? element.querySelector("summary") : null;
  const place = summary ?? element;
  if (!summary && !element.matches("a")) element.tabIndex = -1;
  place.focus({ preventScroll: true });
  element.scrollIntoView({ block: "start" });
}

function here() {
  return document.activeElement.closest(".bubble") ?? document.querySelector(".bubble:target");
}

function fold() {
  const focused = document.activeElement.closest("details, .call, .bubble");
  const details = focused?.matches("details") ? focused : focused?.querySelector("details:not(.menu)");
  if (details) details.open = !details.open;
}

function tick() {
  document.activeElement.closest(".row")?.querySelector(".row-pick > input")?.click();
}

function press(selector) {
  here()?.querySelector(`:scope > .bubble-head ${selector}`)?.click();
}

function showKeys() {
  let dialog = document.getElementById("keys");
  if (!dialog) {
    dialog = document.createElement("dialog");
    dialog.id = "keys";
    dialog.setAttribute("aria-label", "Keys");
    const list = document.createElement("dl");
    for (const [key, does] of KEYS) {
      const name = document.createElement("dt");
      const keyboard = document.createElement("kbd");
      keyboard.textContent = key;
      name.append(keyboard);
      const words = document.createElement("dd");
      words.textContent = does;
      list.append(name, words);
    }
    const form = document.createElement("form");
    form.method = "dialog";
    const close = document.createElement("button");
    close.textContent = "Close";
    form.append(close);
    dialog.append(list, form);
    document.body.append(dialog);
  }
  if (!dialog.open) dialog.showModal();
}
