// Copying: an id, the source of a message, a block of code.

const status = document.getElementById("status");

async function copy(button, text, said = "Copied.") {
  const label = (button.dataset.label ??= button.textContent);
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "copied";
    status.textContent = said;
  } catch {
    button.textContent = "not allowed";
    status.textContent = "The browser did not allow copying.";
  }
  setTimeout(() => (button.textContent = label), 1500);
}

// The exact text: parts one blank line apart, slices of one text joined as they were.
function sourceOf(bubble) {
  const sources = own(bubble, ".source");
  const pieces = sources.map((source, at) => {
    const joined = at === 0 || source.closest(".text")?.hasAttribute("data-continues");
    return (joined ? "" : "\n\n") + source.textContent;
  });
  return pieces.join("");
}

// What belongs to the message itself and not to its calls and the results below them.
function own(bubble, selector) {
  const below = ":scope > .parts > :is(.call, .result) *";
  return [...bubble.querySelectorAll(`:scope > .parts ${selector}:not(${below})`)];
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-copy-text], [data-copy-code]");
  if (!button) return;
  if ("copy" in button.dataset) return copy(button, button.dataset.copy);
  if ("copyCode" in button.dataset) {
    // Without the last line break, which would run the last line of what is pasted in a shell.
    return copy(button, button.closest(".code").querySelector("code").textContent.replace(/\n$/, ""));
  }
  const bubble = button.closest(".bubble");
  const goesOn = own(bubble, "[data-unfinished]").length > 0;
  copy(button, sourceOf(bubble), goesOn ? "Copied the part shown; the message goes on." : "Copied.");
});
