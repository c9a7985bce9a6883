// Times in the reader's own time zone. The server does not know it, and writes UTC.

// By arithmetic: `Intl` takes longer to load than all scripts of the page together.
function format(date) {
  const offset = -Math.round(date.getTimezoneOffset());
  const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60];
  const ahead = `${offset < 0 ? "-" : "+"}${hours}${minutes ? `:${String(minutes).padStart(2, "0")}` : ""}`;
  const local = new Date(date.getTime() + offset * 60_000).toISOString();
  return local.replace(/T(\d\d:\d\d).*/, ` $1 ${offset ? `GMT${ahead}` : "UTC"}`);
}

// A time of the list keeps its words, under a heading in UTC; its title has the rest.
function showLocalTimes(times) {
  for (const time of times) {
    const date = new Date(time.dateTime);
    if (Number.isNaN(date.getTime())) continue;
    time.dataset.local = "";
    if ("kept" in time.dataset) time.title = `${format(date)} · ${time.dateTime}`;
    else time.textContent = format(date);
  }
}

const TIMES = "time[datetime]:not([data-local])";
document.addEventListener("readback:added", ({ detail: { find } }) => showLocalTimes(find(TIMES)));
showLocalTimes(document.querySelectorAll(TIMES));
