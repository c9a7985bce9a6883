// The place of the reader in a run: "message 187 of 254" in the bar, the line of the outline, the
// cell of the ribbon.

const place = document.getElementById("place");
const range = document.querySelectorAll("[data-target]").length > 1 ? place?.textContent : "";
const lines = [...document.querySelectorAll(".outline-lines > li")];
const cells = [...document.querySelectorAll(".ribbon a[data-number]")];

// An answer comes after all numbers; lines without either are never marked.
function getNumber(one) {
  return one.dataset.kind === "answer" ? Infinity : Number(one.dataset.number ?? NaN);
}

function mark(marked, number) {
  let current = null;
  for (const one of marked) if (getNumber(one) <= number) current = one;
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

// The tab key stops at one line of the outline, that of the reader; arrow keys lead to the others.
let stop = lines[0];
for (const line of lines) linkOf(line).tabIndex = line === stop ? 0 : -1;

function linkOf(line) {
  return line.querySelector("a");
}

function setStop(line) {
  if (!line?.checkVisibility()) return;
  linkOf(stop).tabIndex = -1;
  linkOf(line).tabIndex = 0;
  stop = line;
}

document.querySelector(".outline-lines")?.addEventListener("keydown", (event) => {
  const shown = lines.filter((line) => line.checkVisibility());
  const at = shown.indexOf(event.target.closest("li"));
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: shown.length - 1 }[event.key];
  if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  setStop(shown[to]);
  linkOf(stop).focus();
});

document.querySelector(".outline-filter")?.addEventListener("change", () => {
  if (!stop.checkVisibility()) setStop(lines.find((line) => line.checkVisibility()));
});

function showPlace(bubble) {
  const isAnswer = bubble.matches(".output");
  const number = isAnswer ? Infinity : Number(bubble.id.match(/^m-(\d+)$/)?.[1]);
  if (!number) return;
  const total = place.dataset.total;
  if (range && bubble.matches("[data-target]")) place.textContent = range;
  else if (isAnswer) place.textContent = "answer";
  else place.textContent = `message ${number.toLocaleString("en")}${total ? ` of ${Number(total).toLocaleString("en")}` : ""}`;
  const line = mark(lines, number);
  if (line) {
    reveal(line);
    setStop(line);
  }
  mark(cells, number);
}

// At the end of the page its last message is read, which never gets to the top of the window.
function showEnd() {
  const { scrollHeight } = document.documentElement;
  if (!scrollY || innerHeight + scrollY < scrollHeight - 2) return false;
  const last = [...document.querySelectorAll(".page > .bubble")].at(-1);
  if (last) showPlace(last);
  return Boolean(last);
}

if (place) {
  addEventListener("scrollend", () => {
    // Above the first message none is in the band, and the last one seen would stay.
    const first = scrollY ? null : document.querySelector(".page > .bubble");
    if (first) showPlace(first);
    else showEnd();
  });
  // A message is being read if it lies in the upper third of the window. Only the messages of
  // sections that are there are watched: watching all would cost every frame of a long transcript.
  const band = { rootMargin: "-64px 0px -66% 0px" };
  const bubbles = new IntersectionObserver((seen) => {
    const read = seen.filter((one) => one.isIntersecting).at(-1);
    if (read && !showEnd()) showPlace(read.target);
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
