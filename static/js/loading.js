// Loading more of a transcript: focus after loading, loading page after page, network lost.
// All listeners sit on the document, so that content loaded later needs none of its own.

const status = document.getElementById("status");

// Loading more: focus goes to the first new message, and what is being read stays in place.

let loading = null;

document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  const place = ctx.sourceElement.closest("#gap, #more, #earlier");
  if (!place) return;
  ctx.sourceElement.setAttribute("aria-busy", "true");
  place.querySelector("[data-lost]")?.remove();
  const later = place.id !== "earlier";
  loading = {
    place: place.id,
    known: later ? place.previousElementSibling : document.querySelector(".page"),
    height: later ? 0 : document.documentElement.scrollHeight,
    focused: place.contains(document.activeElement),
  };
});

document.addEventListener("htmx:after:swap", () => {
  if (!loading) return;
  const { place, known, height, focused } = loading;
  loading = null;
  const behind = known?.nextElementSibling;
  const later = behind?.matches(".remote-note") ? behind.nextElementSibling : behind;
  const added = place === "earlier" ? document.querySelector(".page") : later;
  if (added === known || !added?.matches(".page, .rows")) return stopLoadingAll();
  if (place === "earlier") scrollBy(0, document.documentElement.scrollHeight - height);
  const count = added.querySelectorAll(".bubble, .row").length;
  const progress = unread()?.dataset.progress;
  status.textContent = `${count} more${progress ? `, ${progress}` : ""}`;
  if (loadingAll) loadNext();
  else if (focused) added.querySelector(".outlined > summary, .bubble, .row-link").focus({ preventScroll: true });
  else if (document.activeElement === document.body) focusOn(place);
});

// Where loading goes on: between the start and the end of a transcript, else after its last page.
function unread() {
  return document.getElementById("gap") ?? document.getElementById("more");
}

document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  ctx.sourceElement.removeAttribute("aria-busy");
});

// No answer at all, not even an error page: the link that was pressed is the way to try again.
document.addEventListener("htmx:error", () => {
  if (!loading) return;
  const place = document.getElementById(loading.place);
  loading = null;
  const notice = document.createElement("span");
  notice.className = "notice";
  notice.dataset.kind = "error";
  notice.dataset.lost = "";
  notice.setAttribute("role", "alert");
  notice.textContent = "Could not load: Readback did not answer. Try again.";
  place.prepend(notice);
  stopLoadingAll();
});

function focusOn(id) {
  const place = document.getElementById(id);
  if (!place) return;
  place.tabIndex = -1;
  (place.querySelector("a") ?? place).focus({ preventScroll: true });
}

// Loading all: the same link again and again, until the end, an error, or Stop.

let loadingAll = false;
const bar = document.getElementById("loading-all");

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-stop]")) return stopLoadingAll();
  const link = event.target.closest("[data-load-all]");
  if (!link || !window.htmx || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  loadingAll = true;
  bar.hidden = false;
  bar.querySelector("button").focus({ preventScroll: true });
  loadNext();
});

function loadNext() {
  if (loading) return; // A page is under way, stopped or pressed for: what follows it comes then.
  const more = unread();
  bar.querySelector(".progress").textContent = more.dataset.progress ?? "";
  const next = more.querySelector(".button[hx-get]:not([role=alert] *)");
  if (next) next.click();
  else stopLoadingAll();
}

function stopLoadingAll() {
  if (!loadingAll) return;
  loadingAll = false;
  bar.hidden = true;
  focusOn(unread()?.id);
}
