// A tool call and its result that came on different pages, joined as soon as both are there.

// Those still without the other half, by the id of the call.
const waiting = new Map();
const notes = new Map();

function joinPairs(find) {
  const ids = new Set([
    ...collect(waiting, find("[data-waits]"), (call) => call.dataset.waits),
    ...collect(notes, find("[data-answers]"), (note) => note.dataset.answers),
  ]);
  for (const id of ids) {
    for (const note of inOrder(notes.get(id))) {
      const call = callOf(note, inOrder(waiting.get(id)));
      if (call) join(call, note);
    }
  }
}

function collect(known, elements, getId) {
  const ids = elements.map(getId);
  ids.forEach((id, at) => known.set(id, (known.get(id) ?? new Set()).add(elements[at])));
  return ids;
}

function inOrder(elements = []) {
  return [...elements].sort((one, other) => (precedes(one, other) ? -1 : 1));
}

function precedes(one, other) {
  return Boolean(one.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING);
}

// The nearest call before a result; if the newest message is first, the call comes after it.
function callOf(note, calls) {
  return calls.filter((call) => precedes(call, note)).at(-1) ?? calls[0];
}

function join(call, note) {
  waiting.get(note.dataset.answers).delete(call);
  notes.get(note.dataset.answers).delete(note);
  const message = note.closest(".bubble");
  const head = message.querySelector("h2");
  message.before(stubOf(call, message));
  note.remove();
  const word = document.createElement("span");
  word.className = "result-word";
  word.textContent = "↳ result";
  head.prepend(word, " ");
  const result = document.createElement("div");
  result.className = "result";
  result.append(message);
  call.querySelector(":scope > [data-no-result]").replaceWith(result);
  delete call.dataset.waits;
  const state = call.querySelector(":scope > summary > .row-state");
  if (state) {
    state.dataset.state = "answered";
    state.textContent = "answered";
  }
}

// The line at the place of a result that is shown under its call.
function stubOf(call, message) {
  const stub = document.createElement("p");
  const name = call.querySelector(".call-name")?.textContent ?? "";
  const label = call.getAttribute("aria-label").replace("Tool call", "call");
  const number = message.querySelector(".number")?.textContent ?? "";
  stub.className = "stub";
  stub.append(`${number} result of `, linkTo(message, `${label} ${name}`.trim()), ", shown there");
  return stub;
}

function linkTo(element, text) {
  const link = document.createElement("a");
  link.href = `#${element.id}`;
  link.textContent = text;
  return link;
}

document.addEventListener("readback:added", ({ detail: { find } }) => joinPairs(find));
joinPairs((selector) => [...document.querySelectorAll(selector)]);
