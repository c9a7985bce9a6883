// Keep a transcript of thousands of messages light: only the sections near the window and those that
// were loaded or seen last are whole. In the others each message is its text only, in a section of
// the size that it had, so that nothing is lost for the browser's find, "select all" and paper. Their
// HTML is packed, and comes back when they come near.

// Numbers of sections, each of about twenty messages. With at most `LONG` away from the window, a
// transcript is always whole; with more, `MOST_WHOLE` of them stay so.
const LONG = 75;
const MOST_WHOLE = 25;
const AT_ONCE = 5;
const LEAST_TOGETHER = 10;
const NEAR = "200%";
const FORM = "deflate-raw";

const packed = new Map();
const heights = new WeakMap();
// Where a section was clicked it may have a state that HTML does not have.
const used = new WeakSet();
// Whole sections away from the window, in the order in which they got there.
const far = new Set();
const wanted = new Set();

function pack(html) {
  const { writable, readable } = new CompressionStream(FORM);
  const writer = writable.getWriter();
  writer.write(new TextEncoder().encode(html));
  writer.close();
  return new Response(readable).arrayBuffer();
}

async function unpack(bytes) {
  return new Response(new Response(await bytes).body.pipeThrough(new DecompressionStream(FORM))).text();
}

function canReduce(section) {
  return (
    !section.matches(":focus-within") &&
    !section.querySelector(":target, [data-target], [data-waits], [data-answers], [aria-busy], .output") &&
    // What is added beside these lines may be joined with the section.
    !section.nextElementSibling?.matches(".loads") &&
    !section.previousElementSibling?.matches(".loads") &&
    !getSelection().containsNode(section, true)
  );
}

function reduce(section) {
  section.dispatchEvent(new CustomEvent("readback:reducing", { bubbles: true }));
  packed.set(section, pack(writeHtml(section)));
  section.replaceChildren(readText(section));
  section.dataset.textOnly = "";
  // Not its height, whose change keeps browsers from holding in place what is read.
  section.style.containIntrinsicBlockSize = `${heights.get(section)}px`;
  gather(section);
}

// Parsing it makes the same elements again: a parser leaves out a line feed at the start of a `pre`,
// and reads a carriage return as a line feed.
function writeHtml(section) {
  for (const { firstChild } of section.querySelectorAll("pre")) {
    if (firstChild?.nodeType === Node.TEXT_NODE && firstChild.data.startsWith("\n")) firstChild.before("\n");
  }
  return section.innerHTML.replaceAll("\r", "&#13;");
}

const UNSEEN = ".source:not(.plain), .actions, .loads";
const BLOCKS = "p, li, pre, h2, h3, h4, h5, h6, dt, dd, td, th, summary, blockquote, div, header, article";
const EXACT = "pre, code, [data-same]";
// Elements that are copied with their attributes, so that they look as in a whole section.
const COPIED = ".bubble, .outlined, .outlined > summary, .outlined > summary > *";

// The words that the reader would see, each block on a line of its own.
function readText(section) {
  for (const unseen of section.querySelectorAll(UNSEEN)) unseen.remove();
  const copies = new Map([[null, document.createDocumentFragment()]]);
  const copyOf = (element) => {
    if (!copies.has(element)) {
      const copy = element.cloneNode();
      copy.removeAttribute("tabindex");
      copy.removeAttribute("aria-labelledby");
      copyOf(element.parentElement.closest(COPIED)).append(copy);
      copies.set(element, copy);
    }
    return copies.get(element);
  };
  const nodes = document.createTreeWalker(section, NodeFilter.SHOW_TEXT);
  let block = null;
  while (nodes.nextNode()) {
    const { data, parentElement } = nodes.currentNode;
    const own = parentElement.closest(BLOCKS);
    const isExact = parentElement.closest(EXACT);
    // White space between blocks.
    if (own !== block && !isExact && !data.trim()) continue;
    const copy = copyOf(parentElement.closest(COPIED));
    if (own !== block && copy.lastChild && !copy.lastChild.textContent.endsWith("\n")) copy.append("\n");
    const words = isExact ? data : data.replace(/\s*\n\s*/g, "\n");
    copy.append(own === block || isExact ? words : words.trimStart());
    block = own;
  }
  for (const copy of copies.values()) copy.normalize();
  return copies.get(null);
}

// Ten neighbours that are text only have one box together, so that a frame costs the same for any
// number of them. Taking sections out one by one would cost a frame each.
function gather(section) {
  // A neighbour has taken it along a moment ago.
  if (isGathered(section)) return;
  const sections = [section];
  const addFrom = (next, add) => {
    for (let one = next(section); packed.has(one) && !wanted.has(one); one = next(one)) add(one);
  };
  addFrom((one) => one.previousElementSibling, (one) => sections.unshift(one));
  addFrom((one) => one.nextElementSibling, (one) => sections.push(one));
  if (sections.length < LEAST_TOGETHER) return;
  const group = document.createElement("div");
  group.className = "far-pages";
  group.style.setProperty("--sections", sections.length);
  group.style.setProperty("--sizes", `${sections.reduce((sum, one) => sum + heights.get(one), 0)}px`);
  section.before(group);
  group.append(...sections);
  for (const one of sections) observer.unobserve(one);
  observer.observe(group);
}

function isGathered(section) {
  return section.parentElement.matches(".far-pages");
}

function spread(group) {
  const sections = [...group.children];
  observer.unobserve(group);
  group.replaceWith(...sections);
  for (const section of sections) observer.observe(section);
}

async function restore(section) {
  const html = packed.has(section) ? await unpack(packed.get(section)) : null;
  // Another call may have been faster.
  if (!packed.delete(section)) return;
  wanted.delete(section);
  if (isGathered(section)) spread(section.parentElement);
  const { bottom } = section.getBoundingClientRect();
  section.innerHTML = html;
  delete section.dataset.textOnly;
  section.removeAttribute("style");
  // Its size was estimated if it was never seen, and browsers do not always hold what is below.
  if (bottom < innerHeight / 2) scrollBy(0, section.getBoundingClientRect().bottom - bottom);
  // A new target is reported at once, near or not.
  observer.unobserve(section);
  observer.observe(section);
  const find = (selector) => [section, ...section.querySelectorAll(selector)].filter((one) => one.matches(selector));
  document.dispatchEvent(new CustomEvent("readback:added", { detail: { find } }));
}

// Nobody reads while more than three windows pass in a second: what passes stays text.
let isFast = false;
let last = { top: scrollY, time: 0 };

function followScrolling() {
  const now = { top: scrollY, time: performance.now() };
  isFast = Math.abs(now.top - last.top) / (now.time - last.time) > (3 * innerHeight) / 1000;
  last = now;
}

async function waitForCalm() {
  do {
    await new Promise(requestAnimationFrame);
    // The last event of a scroll is followed by none that is slow.
    if (performance.now() - last.time > 100) isFast = false;
  } while (isFast);
}

let isRestoring = false;

async function restoreWanted() {
  if (isRestoring) return;
  isRestoring = true;
  try {
    while (wanted.size) {
      await waitForCalm();
      const next = findNearest();
      if (next) await restore(next);
    }
  } finally {
    isRestoring = false;
  }
}

function findNearest() {
  const distances = [...wanted].map((section) => {
    const { top, bottom } = section.getBoundingClientRect();
    return { section, distance: Math.max(top - innerHeight, -bottom, 0) };
  });
  return distances.sort((one, other) => one.distance - other.distance)[0]?.section;
}

let isLong = false;
let isReducing = false;

// Five in a frame, those first that were seen longest ago.
async function reduceFar() {
  isLong ||= far.size > LONG;
  if (!isLong || isReducing) return;
  isReducing = true;
  try {
    while (far.size >= MOST_WHOLE + AT_ONCE) {
      const chosen = chooseFar();
      if (!chosen.length) break;
      for (const section of chosen) {
        far.delete(section);
        reduce(section);
      }
      await new Promise(requestAnimationFrame);
    }
  } finally {
    isReducing = false;
  }
}

function chooseFar() {
  const chosen = [];
  for (const section of far) {
    if (chosen.length === AT_ONCE) break;
    if (canReduce(section)) chosen.push(section);
  }
  return chosen;
}

const observer = new IntersectionObserver(
  (seen) => {
    const apart = [];
    for (const { target, isIntersecting, boundingClientRect } of seen) {
      far.delete(target);
      wanted.delete(target);
      if (packed.has(target)) {
        if (isIntersecting) wanted.add(target);
        else apart.push(target);
      } else if (target.matches(".far-pages")) {
        if (isIntersecting) spread(target);
      } else if (!isIntersecting && boundingClientRect.height && !used.has(target)) {
        heights.set(target, boundingClientRect.height);
        far.add(target);
      }
    }
    // After all that are wanted are known.
    apart.forEach(gather);
    reduceFar();
    restoreWanted();
  },
  { rootMargin: `${NEAR} 0px` },
);

function keepWhole({ target }) {
  const section = target.closest?.(".page");
  if (!section) return;
  used.add(section);
  far.delete(section);
}

// Of the ids in a section, those of its messages stay; with them begin the others.
function findReduced(id) {
  const [message] = id.match(/^m-\d+/) ?? [];
  return message && document.getElementById(message)?.closest("[data-text-only]");
}

// A link to a place in a section that is text only waits for it.
async function waitForPlace(event) {
  const link = event.target.closest?.("a[href*='#']");
  const section = link && findReduced(link.hash.slice(1));
  if (!section || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  event.stopPropagation();
  await restore(section);
  link.click();
}

async function followHash() {
  const id = location.hash.slice(1);
  const section = findReduced(id);
  if (!section) return;
  await restore(section);
  // The element that the browser went to is gone.
  location.replace(location.hash);
  document.getElementById(id)?.dispatchEvent(new CustomEvent("readback:jumped", { bubbles: true }));
}

if (window.CompressionStream) {
  const observe = (sections) => sections.forEach((section) => observer.observe(section));
  addEventListener("scroll", followScrolling, { passive: true });
  addEventListener("hashchange", followHash);
  document.addEventListener("click", keepWhole, true);
  document.addEventListener("click", waitForPlace, true);
  document.addEventListener("change", keepWhole);
  document.addEventListener("readback:source", keepWhole);
  // A key leads to a section that is text only, and acts again when it is whole.
  document.addEventListener("readback:needed", async ({ target, detail: { then } }) => {
    await restore(target);
    then();
  });
  document.addEventListener("readback:added", ({ detail: { find } }) => observe(find(".page")));
  observe(document.querySelectorAll(".transcript .page"));
}
