// An image of another server, loaded where its link is. Not by htmx, to which texts are closed, so
// that nothing they hold can ask it for anything.

const status = document.getElementById("status");

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a.load");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  link.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(link.href, { headers: { "HX-Request": "true" } });
    if (!answer.ok) throw new Error(answer.statusText);
    show(link, await answer.text());
  } catch {
    location.assign(link.href);
  }
});

// The frame in place of the words that it is not loaded; focus goes where it was pressed for.
function show(link, html) {
  const had = document.activeElement === link;
  const place = document.createElement("span");
  place.className = "loaded";
  place.tabIndex = -1;
  place.innerHTML = html;
  link.closest(".unloaded").replaceWith(place);
  status.textContent = place.querySelector("iframe").title;
  if (had) place.focus({ preventScroll: true });
}
