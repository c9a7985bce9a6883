// Files to import: dropped anywhere on the page, and sent with a bar that shows how far they are.

const form = document.getElementById("import");
const input = document.getElementById("files");
const problem = document.getElementById("import-problem");
const sending = document.getElementById("sending");
const sent = document.getElementById("sent");
const words = document.getElementById("sent-words");

document.addEventListener("dragover", (event) => {
  if (!event.dataTransfer.types.includes("Files")) return;
  event.preventDefault();
  form.dataset.over = "";
});
document.addEventListener("dragleave", ({ relatedTarget }) => {
  if (!relatedTarget) delete form.dataset.over;
});
document.addEventListener("drop", (event) => {
  if (!event.dataTransfer.files.length) return;
  event.preventDefault();
  delete form.dataset.over;
  const folder = [...event.dataTransfer.items]
    .map((item) => item.webkitGetAsEntry?.())
    .find((entry) => entry?.isDirectory);
  if (folder) return say(`${folder.name} is a folder. Choose the files in it.`);
  input.files = event.dataTransfer.files;
  say("");
});

function say(sentence) {
  problem.textContent = sentence;
  problem.hidden = !sentence;
}

form.addEventListener("submit", (event) => {
  const bytes = [...input.files].reduce((sum, file) => sum + file.size, 0);
  event.preventDefault();
  if (bytes > Number(form.dataset.max)) {
    return say(`That is more than ${form.dataset.maxWords}. “readback import” loads larger files.`);
  }
  send();
});

function send() {
  const request = new XMLHttpRequest();
  const stop = () => request.abort();
  const end = (sentence) => {
    sending.hidden = true;
    form.querySelector(".primary").disabled = false;
    document.getElementById("stop-sending").removeEventListener("click", stop);
    say(sentence);
  };
  request.upload.addEventListener("progress", ({ loaded, total }) => {
    sent.max = total;
    sent.value = loaded;
    words.textContent = `${Math.floor((100 * loaded) / total)} %`;
  });
  request.addEventListener("load", () => {
    if (request.status === 200) return location.assign(request.responseURL);
    end(readProblem(request));
  });
  request.addEventListener("error", () => {
    end("The files did not arrive: the connection broke off, or a file can no longer be read.");
  });
  request.addEventListener("abort", () => end("Stopped. Nothing was imported."));
  request.open("POST", form.action);
  request.send(new FormData(form));
  say("");
  sending.hidden = false;
  form.querySelector(".primary").disabled = true;
  document.getElementById("stop-sending").addEventListener("click", stop);
}

// The sentence of the page that a browser would have shown, or of a plain answer.
function readProblem({ responseText, status }) {
  const page = new DOMParser().parseFromString(responseText, "text/html");
  const said = page.querySelector("[role=alert]:not([hidden])") ?? page.querySelector("main") ?? page.body;
  return said.textContent.trim().replace(/\s+/g, " ") || `The server answered ${status}.`;
}
