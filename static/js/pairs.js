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
  const number = message.querySelector(".number")?.textContent ?? "below";
  const name = call.querySelector(".call-name")?.textContent ?? "";
  const label = call.getAttribute("aria-label").replace("Tool call", "call");
  note.replaceChildren("result of ", linkTo(call, `${label} ${name}`.trim()));
  const open = call.querySelector(":scope > [data-no-result]");
  open.className = "result-head";
  open.removeAttribute("data-kind");
  open.replaceChildren("↳ result: ", linkTo(message, `message ${number}`));
  delete note.dataset.answers;
  delete call.dataset.waits;
}

function linkTo(element, text) {
  const link = document.createElement("a");
  link.href = `#${element.id}`;
  link.textContent = text;
  return link;
}

document.addEventListener("htmx:after:swap", joinPairs);
joinPairs();
