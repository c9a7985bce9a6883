// Printing: at once if the whole transcript is on the page, else after it has been loaded.

const PARTIAL = "#gap, #more a, .earlier a, [data-text-only]";

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-print]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (document.querySelector(PARTIAL)) return;
  event.preventDefault();
  print();
});

if (location.hash === "#print") {
  history.replaceState(null, "", location.pathname + location.search);
  if (document.readyState === "complete") print();
  else addEventListener("load", () => print());
}
