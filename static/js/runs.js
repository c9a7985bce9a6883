// The place of the reader in a run: "message 187 of 254" in the bar, the line of the outline, the
// cell of the ribbon.

const place = document.getElementById("place");
const range = document.querySelectorAll("[data-target]").length > 1 ? place?.textContent : "";
const lines = [...document.querySelectorAll(".outline-lines > [data-number]")];
const cells = [...document.querySelectorAll(".ribbon a[data-number]")];

function mark(marked, number) {
  let current = null;
  for (const one of marked) if (Number(one.dataset.number) <= number) current = one;
  for (const one of marked) {
    const link = one.matches("a") ? one : one.querySelector("a");
    if (one === current) link.setAttribute("aria-current", "location");
    else link.removeAttribute("aria-current");
  }
  return current;
}

// The list scrolls, not the page.
function reveal(line) {
  const list = line.parentElement;
  const top = line.offsetTop - list.offsetTop;
  if (top < list.scrollTop || top > list.scrollTop + list.clientHeight - line.offsetHeight) {
    list.scrollTop = top - list.clientHeight / 3;
  }
}

function showPlace(bubble) {
  const number = Number(bubble.id.match(/^m-(\d+)$/)?.[1]);
  if (!number) return;
  const total = place.dataset.total;
  if (range && bubble.matches("[data-target]")) place.textContent = range;
  else place.textContent = `message ${number.toLocaleString("en")}${total ? ` of ${Number(total).toLocaleString("en")}` : ""}`;
  const line = mark(lines, number);
  if (line) reveal(line);
  mark(cells, number);
}

if (place) {
  // A message is being read if it lies in the upper third of the window. Only the messages of
  // sections that are there are watched: watching all would cost every frame of a long transcript.
  const band = { rootMargin: "-64px 0px -66% 0px" };
  const bubbles = new IntersectionObserver((seen) => {
    const read = seen.filter((one) => one.isIntersecting).at(-1);
    if (read) showPlace(read.target);
  }, band);
  const sections = new IntersectionObserver((seen) => {
    for (const { target, isIntersecting } of seen) {
      for (const bubble of target.querySelectorAll(":scope > .bubble, .result > .bubble")) {
        if (isIntersecting) bubbles.observe(bubble);
        else bubbles.unobserve(bubble);
      }
    }
  }, band);
  const observe = (pages) => pages.forEach((page) => sections.observe(page));
  document.addEventListener("readback:added", ({ detail: { find } }) => observe(find(".page")));
  observe(document.querySelectorAll(".page"));
}

// Shift-click on the numbers of two messages, or on one while another is highlighted, links to
// all from one to the other.

let rangeStart = null;

function numberOf(element) {
  return Number(element?.closest(".bubble")?.id.match(/^m-(\d+)$/)?.[1]) || null;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest(".bubble .number");
  const number = event.shiftKey ? numberOf(link) : null;
  const completion = document.querySelector(".open-box [name=completion]")?.value;
  if (!number || !completion) return;
  event.preventDefault();
  const start = rangeStart ?? numberOf(document.querySelector("[data-target]"));
  if (!start || start === number) {
    rangeStart = number;
    document.getElementById("status").textContent = `From message ${number}. Shift-click the number of another one.`;
    return;
  }
  const [first, last] = [Math.min(start, number), Math.max(start, number)];
  const path = location.pathname.split("/completions/")[0];
  location.href = `${path}/completions/${encodeURIComponent(completion)}?range=${first}-${last}#m-${first}`;
});
