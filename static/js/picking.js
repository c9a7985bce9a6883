// Ticked rows: how many there are, for those who do not see the bar.

const status = document.getElementById("status");

document.addEventListener("change", ({ target }) => {
  if (target.matches(".row-pick > input")) sayCount();
});

document.addEventListener("reset", ({ target }) => {
  if (target.id !== "picked") return;
  document.querySelector(".row-link")?.focus({ preventScroll: true });
  status.textContent = "None ticked.";
});

function sayCount() {
  status.textContent = `${document.querySelectorAll(".row-pick > :checked").length} ticked`;
}
