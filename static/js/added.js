// Tell the other modules what came with a swap, by the event "readback:added": its `find` returns
// the elements that match, among those that are new. Looking in the whole page again would make
// each page of a long transcript dearer than the one before.

let swapped = [];

document.addEventListener("htmx:after:settle", ({ detail: { newContent } }) => {
  swapped.push(...newContent.filter((node) => node.nodeType === Node.ELEMENT_NODE));
});

document.addEventListener("htmx:after:swap", () => {
  const added = swapped.filter((element) => element.isConnected);
  swapped = [];
  const find = (selector) =>
    added.flatMap((element) => [
      ...(element.matches(selector) ? [element] : []),
      ...element.querySelectorAll(selector),
    ]);
  document.dispatchEvent(new CustomEvent("readback:added", { detail: { find } }));
});
