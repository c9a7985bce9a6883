// Ask how many completions are newer than the list, while someone looks at it: not in a hidden tab,
// and not for ever. Whoever comes back to the tab is told at once.

const SECONDS = 15;
const MOST = 120;

let left = MOST;
let timer = 0;

function ask() {
  const place = document.querySelector(".newer");
  if (!place || document.hidden || left <= 0) return stop();
  left -= 1;
  window.htmx?.ajax("GET", place.dataset.url, { source: place, target: place, swap: "outerHTML" });
}

function start() {
  stop();
  timer = setInterval(ask, SECONDS * 1000);
}

function stop() {
  clearInterval(timer);
  timer = 0;
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return stop();
  left = MOST;
  ask();
  start();
});

start();
