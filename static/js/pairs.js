// A tool call and its result that came on different pages, joined as soon as both are there.

function joinPairs() {
  for (const note of document.querySelectorAll("[data-answers]")) {
    const call = callOf(note);
    if (call) join(call, note);
  }
}

// The nearest call in front that waits for a result; read newest first, it comes behind.
function callOf(note) {
  const waiting = document.querySelectorAll(`[data-waits="${CSS.escape(note.dataset.answers)}"]`);
  const before = [...waiting].filter(
    (call) => call.compareDocumentPosition(note) & Node.DOCUMENT_POSITION_FOLLOWING,
  );
  return before.at(-1) ?? waiting[0];
}

function join(call, note) {
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

document.addEventListener("htmx:after:swap", joinPairs);
joinPairs();
