// Menus of heads: one open at a time, closed by Escape, by a click elsewhere and by a choice.

// Kept, since each click would look for them in all messages.
const open = new Set();

document.addEventListener("click", ({ target }) => {
  const chosen = target.closest?.(".menu-items > a[hx-get]");
  for (const menu of open) {
    if (!menu.contains(target) || chosen) menu.open = false;
  }
  // It opens now; "toggle" comes later, perhaps after the next click.
  const own = target.closest?.(".menu > summary")?.parentElement;
  if (own) open.add(own);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of open) {
    if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
    menu.open = false;
  }
});

document.addEventListener(
  "toggle",
  ({ target }) => {
    if (!target.matches(".menu")) return;
    if (!target.open) open.delete(target);
    else {
      // Those that were opened before this script was there.
      for (const menu of open) if (!menu.contains(target)) menu.open = false;
      open.add(target);
    }
    // A section whose menu is open does not clip it, also in browsers that focus no summary by a click.
    target.closest(".page")?.toggleAttribute("data-menu", target.open);
  },
  true,
);
