// An image of another server that stands in a text, loaded where its link is. Texts are closed
// to htmx, so that nothing they hold can ask it for anything.
document.addEventListener("click", async (event) => {
  const link = event.target.closest("[hx-ignore] a.load");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  link.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(link.href, { headers: { "HX-Request": "true" } });
    if (!answer.ok) throw new Error(answer.statusText);
    const frame = document.createElement("template");
    frame.innerHTML = await answer.text();
    link.replaceWith(frame.content);
  } catch {
    location.assign(link.href);
  }
});
