// Times in the reader's own time zone. The server does not know it, and writes UTC.

const parts = new Intl.DateTimeFormat("en", {
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
  timeZoneName: "short",
});

function format(date) {
  const { year, month, day, hour, minute, timeZoneName } = Object.fromEntries(
    parts.formatToParts(date).map(({ type, value }) => [type, value]),
  );
  return `${year}-${month}-${day} ${hour}:${minute} ${timeZoneName}`;
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
