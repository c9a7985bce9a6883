// Loading more of a transcript: focus after loading, loading page after page, network lost.
// All listeners sit on the document, so that content loaded later needs none of its own.

const status = document.getElementById("status");

// What surrounded the link at each request, by htmx's context of it: no request can end with the
// state of another one, and one that ends without a swap leaves nothing behind.
const loads = new WeakMap();

document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  const place = ctx.sourceElement.closest(".loads");
  if (!place) return;
  ctx.sourceElement.setAttribute("aria-busy", "true");
  place.querySelector("[data-lost]")?.remove();
  loads.set(ctx, {
    ...surroundingsOf(place),
    place,
    height: place.id === "earlier" ? document.documentElement.scrollHeight : 0,
    focused: place.contains(document.activeElement),
  });
});

function surroundingsOf(place) {
  return { parent: place.parentElement, before: place.previousElementSibling, after: place.nextElementSibling };
}

// What is now between the former neighbours of a link: what was loaded, or the link itself. No
// element is looked up by its id, which would walk through the whole page.
function findAdded({ parent, before, after }) {
  const added = [];
  let one = before ? before.nextElementSibling : parent.firstElementChild;
  for (; one && one !== after; one = one.nextElementSibling) added.push(one);
  return added;
}

// Focus goes to the first new message, or to where loading goes on if none is to be seen, and what
// is being read stays in place.
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const load = loads.get(ctx);
  const added = load ? findAdded(load) : [];
  if (!added.some((one) => one.matches(".page, .older, .rows"))) return;
  const stop = added.map((one) => one.querySelector(".outlined > summary, .bubble, .row-link")).find(Boolean);
  const count = added.reduce((sum, one) => sum + one.querySelectorAll(".bubble, .row").length, 0);
  for (const one of [...added, load.after]) {
    joinLeftOut(one);
    joinOlder(one, added);
  }
  const place = load.place.id;
  if (place === "earlier") scrollBy(0, document.documentElement.scrollHeight - load.height);
  const next = added.find((one) => one.matches("[data-progress]")) ?? unread();
  status.textContent = `${count} more${next?.dataset.progress ? `, ${next.dataset.progress}` : ""}`;
  if (isWanted) return;
  if (load.focused) stop?.focus({ preventScroll: true });
  if (document.activeElement === document.body) focusOn(document.getElementById(place));
});

// The lines of a filter at the end of a section and at the start of the next one become one.
function joinLeftOut(section) {
  const before = section?.previousElementSibling;
  const page = section?.matches(".older") ? section.querySelector(".page") : section;
  const [above, below] = [before?.lastElementChild, page?.firstElementChild];
  if (!page?.matches(".page") || !before?.matches(".page")) return;
  if (!above?.matches(".left-out") || !below?.matches(".left-out")) return;
  const count = Number(above.dataset.count) + Number(below.dataset.count);
  below.dataset.count = count;
  below.textContent = `${count.toLocaleString("en")} messages not shown`;
  above.remove();
  if (!before.children.length) before.remove();
}

// The older messages that were added go to the fold beside them.
function joinOlder(section, added) {
  const before = section?.previousElementSibling;
  if (!section?.matches(".older") || !before?.matches(".older")) return;
  const [kept, gone] = added.includes(before) ? [section, before] : [before, section];
  const count = Number(kept.dataset.count) + Number(gone.dataset.count);
  kept.dataset.count = count;
  const [summary, ...own] = kept.children;
  summary.textContent = `${count.toLocaleString("en")} messages of the previous request`;
  const pages = [...gone.querySelectorAll(":scope > .page")];
  if (kept === before) kept.append(...pages);
  else summary.after(...pages);
  joinLeftOut(kept === before ? pages[0] : own[0]);
  gone.remove();
}

// Where loading goes on: between the start and the end of a transcript, else after its last page.
function unread() {
  return document.getElementById("gap") ?? document.getElementById("more");
}

document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  ctx.sourceElement.removeAttribute("aria-busy");
});

// No answer at all, not even an error page: the link that was pressed is the way to try again.
document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
  const place = loads.get(ctx)?.place;
  if (!place?.isConnected) return;
  const notice = document.createElement("span");
  notice.className = "notice";
  notice.dataset.kind = "error";
  notice.dataset.lost = "";
  notice.setAttribute("role", "alert");
  notice.textContent = "Could not load: Readback did not answer. Try again.";
  place.prepend(notice);
});

function focusOn(place) {
  if (!place) return;
  place.tabIndex = -1;
  (place.querySelector("a") ?? place).focus({ preventScroll: true });
}

// Loading all: page after page, until the end, an error, or Stop. One function asks and waits, so
// whatever becomes of a request, either the next one follows or the bar is closed.

const MAX_AT_ONCE = 100;
const bar = document.getElementById("loading-all");
let isWanted = false;
let isLoading = false;

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-stop]")) return stopLoadingAll();
  const link = event.target.closest("[data-load-all]");
  if (!link || !window.htmx || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  isWanted = true;
  bar.hidden = false;
  bar.querySelector("button").focus({ preventScroll: true });
  if (!isLoading) loadAll(link.closest(".loads"));
});

async function loadAll(place) {
  isLoading = true;
  try {
    while (isWanted && place) {
      bar.querySelector(".progress").textContent = place.dataset.progress ?? "";
      place = await loadNext(place);
    }
  } finally {
    isLoading = false;
    stopLoadingAll();
  }
}

// The place where loading goes on after the next page; null at the end and after an error. The
// request is that of the place, not of its link, which may have one of its own under way: the
// first answer takes the place, and htmx drops the other.
async function loadNext(place) {
  const link = place.querySelector(":scope > .button[hx-get]");
  if (!link) return null;
  const url = new URL(link.getAttribute("hx-get"), location.href);
  url.searchParams.set("limit", MAX_AT_ONCE);
  const surroundings = surroundingsOf(place);
  await window.htmx.ajax("GET", url.pathname + url.search, { source: place, target: place, swap: "outerHTML" });
  const next = findAdded(surroundings).find((one) => one.matches(".loads"));
  return next === place ? null : next;
}

function stopLoadingAll() {
  if (!isWanted) return;
  isWanted = false;
  bar.hidden = true;
  focusOn(unread());
}
