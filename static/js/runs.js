// The place of the reader in a run: "message 187 of 254" in the bar, the line of the outline, the
// cell of the ribbon.

const place = document.getElementById("place");
const range = document.querySelectorAll("[data-target]").length > 1 ? place?.textContent : "";
const lines = [...document.querySelectorAll(".outline-lines > li")];
const cells = [...document.querySelectorAll(".ribbon a[data-number]")];
const bar = document.querySelector(".bar");

// An answer comes after all numbers; lines without either are never marked.
function getNumber(one) {
  return one.dataset.kind === "answer" ? Infinity : Number(one.dataset.number ?? NaN);
}

// The start of the page may have marked the first ones.
const current = new Map([lines, cells].map((all) => [all, all.find((one) => linkOf(one)?.ariaCurrent)]));

function mark(marked, number) {
  const found = marked.findLast((one) => getNumber(one) <= number);
  if (found === current.get(marked)) return found;
  linkOf(current.get(marked))?.removeAttribute("aria-current");
  linkOf(found)?.setAttribute("aria-current", "location");
  current.set(marked, found);
  return found;
}

function linkOf(one) {
  return one?.matches("a") ? one : one?.querySelector("a");
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
// Set with the first key, which the browser acts on after this.
let stop = lines[0];
let hasStop = false;

document.addEventListener("keydown", beginStops, { capture: true, once: true });

function beginStops() {
  for (const line of lines) linkOf(line).tabIndex = line === stop ? 0 : -1;
  hasStop = true;
}

function setStop(line) {
  if (!line?.checkVisibility()) return;
  if (hasStop) {
    linkOf(stop).tabIndex = -1;
    linkOf(line).tabIndex = 0;
  }
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

// Not by `toLocaleString`, which loads `Intl`: slower than all that a page does at its start.
function group(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ",");
}

let shownBubble = null;

function showPlace(bubble) {
  shownBubble = bubble;
  const isAnswer = bubble.matches(".output");
  const number = isAnswer ? Infinity : Number(bubble.id.match(/^m-(\d+)$/)?.[1]);
  if (!number) return;
  const total = place.dataset.total;
  if (range && bubble.matches("[data-target]")) place.textContent = range;
  else if (isAnswer) place.textContent = "answer";
  else place.textContent = `message ${group(number)}${total ? ` of ${group(total)}` : ""}`;
  const line = mark(lines, number);
  if (line && line !== stop) {
    reveal(line);
    setStop(line);
  }
  mark(cells, number);
}

// A place is a message; a call and the line of an outlined message are parts of one.
function findMessage(element) {
  return element?.closest(".bubble") ?? element?.querySelector(".bubble") ?? null;
}

// What was jumped to is being read until the reader scrolls away: near the end of the page it
// never gets to the top of the window.
let held = null;

function hold(element) {
  const bubble = findMessage(element);
  if (!bubble) return;
  held = { bubble, element, top: null };
  const jump = held;
  // Sections that come into view are laid out first, and move what is below them.
  requestAnimationFrame(() => requestAnimationFrame(() => settle(jump)));
  showPlace(bubble);
}

// A reader may have scrolled away before the sections were laid out.
function settle(jump) {
  jump.top = topOf(jump.element);
  if (held !== jump || (jump.top < innerHeight && jump.element.getBoundingClientRect().bottom > 0)) return;
  held = null;
  follow();
}

function topOf(element) {
  return element.getBoundingClientRect().top;
}

const MOVED = 8;

function isHeld() {
  if (held && held.top !== null && Math.abs(topOf(held.element) - held.top) > MOVED) held = null;
  return held !== null;
}

// Only the messages of sections in the window are looked at: asking where others are would lay
// them out.
const shown = new Set();
const READ = ":scope > .bubble, :scope > .outlined, .result > .bubble";

// Neither looks through all messages, which are many after loading.
function findFirst() {
  return document.querySelector(":is(.transcript, .older[open]) > .page > :is(.bubble, .outlined)");
}

function findLast() {
  let section = document.querySelector(".transcript").lastElementChild;
  for (; section; section = section.previousElementSibling) {
    const last = [...section.querySelectorAll(".page > :is(.bubble, .outlined)")].at(-1);
    if (last && !last.closest(".older:not([open])")) return last;
  }
}

// The message that is being read begins last above the line, which lies a little below the place
// where links scroll to; if nothing of it is left below the bar, it is the next one. At the start
// it is the first one, at the end the last one of the page.
function findRead() {
  if (!scrollY) return findFirst();
  if (innerHeight + scrollY >= document.documentElement.scrollHeight - 2) return findLast();
  const top = bar?.getBoundingClientRect().bottom ?? 0;
  const line = top + 24;
  let read = null;
  const inOrder = [...shown].sort((a, b) => topOf(a) - topOf(b));
  for (const section of inOrder) {
    for (const one of section.querySelectorAll(READ)) {
      if (!one.checkVisibility()) continue;
      if (topOf(one) > line) return read?.getBoundingClientRect().bottom > top ? read : one;
      read = one;
    }
  }
  return read;
}

function follow() {
  if (!isHeld()) show(findRead());
}

function show(read) {
  const bubble = findMessage(read);
  if (bubble && bubble !== shownBubble) showPlace(bubble);
}

// The page opens at the message of the link, or at where the reader had left it.
let opened = null;

function begin() {
  if (held !== opened) return;
  const linked = document.querySelector(":target") ?? document.querySelector("[data-target]");
  held = null;
  if (linked && linked.getBoundingClientRect().bottom > 0 && topOf(linked) < innerHeight) hold(linked);
  else follow();
  opened = held;
}

const elsewhere = new Map();
for (const shape of document.querySelectorAll(".ribbon a > :not([data-here])")) {
  const { hash } = new URL(shape.parentElement.getAttribute("href"), location.href);
  elsewhere.set(shape, hash.slice(1));
}

if (place) {
  const sections = new IntersectionObserver((seen) => {
    for (const { target, isIntersecting } of seen) {
      if (isIntersecting) shown.add(target);
      else shown.delete(target);
    }
    follow();
  });
  const observe = (pages) => pages.forEach((page) => sections.observe(page));
  addEventListener("scroll", follow, { passive: true });
  addEventListener("hashchange", () => hold(document.querySelector(":target")));
  // The browser focuses the message of the link after the page is loaded, and scrolls to it.
  document.addEventListener("focusin", ({ target }) => target.matches("[data-target]") && hold(target));
  document.addEventListener("readback:jumped", ({ target }) => hold(target));
  document.addEventListener("readback:added", ({ detail: { find } }) => {
    observe(find(".page"));
    showLoaded();
  });
  document.addEventListener("readback:reducing", ({ target }) => {
    sections.unobserve(target);
    shown.delete(target);
  });
  observe(document.querySelectorAll(".page"));
  showLoaded();
  // Before anything is laid out: asking where something is would do it twice.
  if (document.querySelector(":target, [data-target]")) begin();
  else show(findFirst());
  if (document.readyState === "complete") begin();
  else addEventListener("load", begin);
}

// What was loaded since is in the page: cells lead there, and not to a page of its own.
function showLoaded() {
  for (const [shape, id] of elsewhere) {
    if (!document.getElementById(id)) continue;
    shape.dataset.here = "";
    elsewhere.delete(shape);
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest(".outline a, .ribbon a, .run a, .bar-links a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const id = new URL(link.getAttribute("href"), location.href).hash.slice(1);
  const target = id && document.getElementById(id);
  if (!target) return;
  // The browser goes there itself, also if the address names it already: setting the hash would not.
  link.setAttribute("href", `#${id}`);
  hold(target);
});

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
