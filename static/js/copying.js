// Copying: an id, the source of a message, a block of code.

const status = document.getElementById("status");

// The word of what happened lies over the label, so that nothing beside it moves.
function copy(button, text, said = "Copied.") {
  return finish(button, () => navigator.clipboard.writeText(text), said);
}

async function finish(button, write, said = "Copied.") {
  try {
    await write();
    button.dataset.said = "copied";
    status.textContent = said;
  } catch {
    button.dataset.said = "not allowed";
    status.textContent = "The browser did not allow copying.";
  }
  setTimeout(() => delete button.dataset.said, 1500);
}

// What a link downloads. The clipboard gets a promise: waiting first would lose the permission.
async function copyFrom(button, contents) {
  const read = async (type, { href, pick }) => {
    const answer = await fetch(href);
    if (!answer.ok) throw new Error(answer.status);
    const text = await answer.text();
    return new Blob([pick ? pick(text) : text], { type });
  };
  const types = Object.entries(contents).map(([type, from]) => [type, read(type, from)]);
  button.dataset.said = "copying";
  await finish(button, () => navigator.clipboard.write([new ClipboardItem(Object.fromEntries(types))]));
}

// The messages of an exported file, without its style and what only a page can do.
function pickRich(html) {
  const main = html.slice(html.indexOf("<main"), html.lastIndexOf("</main>"));
  const page = new DOMParser().parseFromString(main, "text/html");
  for (const one of page.querySelectorAll("button, footer")) one.remove();
  return page.querySelector("main").innerHTML;
}

// The exact text: parts one blank line apart, slices of one text joined as they were.
function sourceOf(bubble) {
  const sources = own(bubble, ".source, [data-same]");
  const pieces = sources.map((source, at) => {
    const joined = at === 0 || source.closest(".text")?.hasAttribute("data-continues");
    return (joined ? "" : "\n\n") + source.textContent;
  });
  return pieces.join("");
}

// What belongs to the message itself and not to its calls and the results below them.
function own(bubble, selector) {
  const below = ":scope > .parts > :is(.call, .result) *";
  return [...bubble.querySelectorAll(`:scope > .parts :is(${selector}):not(${below})`)];
}

// The arguments of a call as they were sent, not those laid out beside them.
function argumentsOf(call) {
  const sources = [...call.querySelectorAll("pre:is(.arguments, .source)")];
  return sources
    .filter((source) => source.closest(".call") === call && !source.closest(".result, .menu-items"))
    .map((source) => source.textContent)
    .join("");
}

// The place of a message or call in the transcript, by its menu. An answer, which has no id, is on
// the page of another message.
document.addEventListener("readback:link", ({ target }) => {
  const menu = target.querySelector(":scope > :is(.bubble-head, .call-head) a.menu-link");
  const page = menu?.dataset.place ?? menu?.href.replace(/\/parts(\?.*)?$/, "");
  if (page) copyLink(menu, `${new URL(page, location.href).href.replace(/#.*/, "")}#${target.id}`);
});

function copyLink(button, link) {
  return copy(button, link, "Copied the link.");
}

const BUTTONS =
  "[data-copy], [data-copy-text], [data-copy-code], [data-copy-arguments], [data-copy-link], " +
  "[data-copy-from], [data-copy-rich]";

document.addEventListener("click", (event) => {
  const button = event.target.closest(BUTTONS);
  if (!button) return;
  if (button.href) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
  }
  if ("copyLink" in button.dataset) return copyLink(button, button.href);
  if ("copyFrom" in button.dataset) return copyFrom(button, { "text/plain": { href: button.href } });
  if ("copyRich" in button.dataset) {
    return copyFrom(button, {
      "text/plain": { href: button.dataset.copyRich },
      "text/html": { href: button.href, pick: pickRich },
    });
  }
  if ("copy" in button.dataset) return copy(button, button.dataset.copy);
  if ("copyArguments" in button.dataset) {
    const call = button.closest(".call");
    const goesOn = call.querySelector(":scope > .next-part, :scope > .fold .next-part");
    return copy(button, argumentsOf(call), goesOn ? "Copied the part shown; the arguments go on." : "Copied.");
  }
  if ("copyCode" in button.dataset) {
    // Without the last line break, which would run the last line of what is pasted in a shell.
    return copy(button, button.closest(".code").querySelector("code").textContent.replace(/\n$/, ""));
  }
  const bubble = button.closest(".bubble");
  const goesOn = own(bubble, "[data-unfinished]").length > 0;
  copy(button, sourceOf(bubble), goesOn ? "Copied the part shown; the message goes on." : "Copied.");
});
