// The place of the reader in a run: "message 187 of 254" in the bar, the line of the outline, the
// cell of the ribbon.

const place = document.getElementById("place");
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
  place.textContent = `message ${number.toLocaleString("en")}${total ? ` of ${Number(total).toLocaleString("en")}` : ""}`;
  const line = mark(lines, number);
  if (line) reveal(line);
  mark(cells, number);
}

if (place) {
  // A message is being read if it lies in the upper third of the window.
  const observer = new IntersectionObserver(
    (seen) => {
      const read = seen.filter((one) => one.isIntersecting).at(-1);
      if (read) showPlace(read.target);
    },
    { rootMargin: "-64px 0px -66% 0px" },
  );
  const observe = () => {
    for (const bubble of document.querySelectorAll(".page > .bubble, .result > .bubble")) observer.observe(bubble);
  };
  document.addEventListener("htmx:after:swap", observe);
  observe();
}
