"use strict";

const at = (id) => document.getElementById(id);
const SHOWN = 5;
let url = null;    // of the image that is shown
let asked = null;  // the request that is under way

function show(id, is) { at(id).hidden = !is; }

function showImage(file) {
  if (url) URL.revokeObjectURL(url);
  url = URL.createObjectURL(file);
  const image = at("image");
  image.onload = () => { show("image", true); show("no-preview", false); };
  image.onerror = () => { show("image", false); show("no-preview", true); };
  image.alt = file.name ? `The photograph ${file.name}` : "The photograph";
  image.src = url;
  show("invitation", false);
  at("drop").classList.add("full");
}

function showProblem(what, remedy) {
  at("status").textContent = "";
  show("bars", false);
  show("doubt", false);
  showLook(false);
  at("problem-what").textContent = what;
  at("problem-do").textContent = remedy;
  show("problem", true);
}

function percent(share) { return `${(100 * share).toFixed(2)} %`; }

function element(name, kind, text) {
  const made = document.createElement(name);
  made.className = kind;
  if (text !== undefined) made.textContent = text;
  return made;
}

function row(guess) {
  const item = document.createElement("li");
  const line = element("div", "line");
  line.append(element("span", "name", guess.class), element("span", "share", percent(guess.probability)));
  const track = element("div", "track");
  const bar = element("div", "bar");
  track.setAttribute("aria-hidden", "true");
  bar.style.width = `${100 * guess.probability}%`;
  track.append(bar);
  item.append(line, track);
  return item;
}

function showAnswer(answer) {
  const top = answer.images[0].top;
  at("bars").replaceChildren(...top.map(row));
  show("bars", true);
  // A name that is written from right to left must not turn the sentence round.
  at("status").replaceChildren("Most probably ", element("bdi", "", top[0].class), `, ${percent(top[0].probability)}.`);
  at("doubt").textContent = answer.doubtful.join(" ");
  show("doubt", answer.doubtful.length > 0);
  showLook(true);
}

let shown = null;  // the file that is classified

function showLook(is) {
  if (!at("look")) return;
  show("look", is);
  show("looked", false);
}

async function look() {
  const file = shown;
  at("look").disabled = true;
  at("look").textContent = "Looking …";
  const form = new FormData();
  form.append("image", file, file.name || "photograph");
  try {
    const response = await fetch("explain", { method: "POST", body: form });
    const answer = await response.json();
    if (file !== shown) return;
    if (!response.ok) { showProblem(`This cannot be shown: ${answer.received}.`, `${answer.remedy} Expected: ${answer.expected}.`); return; }
    at("map").src = answer.picture;
    at("looked").querySelector("figcaption").replaceChildren(
      "Where the score of ", element("bdi", "", answer.class), " comes from, in the part of the photograph that the network sees: yellow is most, grey is nothing (Grad-CAM).");
    show("look", false);
    show("looked", true);
  } catch (error) {
    if (file === shown) showProblem("The server does not answer.", "Is it still running? Then try again.");
  } finally {
    at("look").disabled = false;
    at("look").textContent = "What did it look at?";
  }
}
if (at("look")) at("look").addEventListener("click", look);

function refusal(file) {
  const most = Number(document.body.dataset.mostBytes);
  if (file.size <= most) return null;
  // A server that stops reading looks to a browser like one that does not answer.
  return [`This cannot be used: a file of ${file.size.toLocaleString("en")} bytes.`,
          `Make the image smaller. Expected: at most ${most.toLocaleString("en")}.`];
}

async function classify(file, others = 0) {
  if (asked) asked.abort();
  const own = asked = new AbortController();
  shown = file;
  showLook(false);
  show("problem", false);
  show("bars", false);
  show("doubt", false);
  at("others").replaceChildren(...others
    ? ["One photograph at a time: this is ", element("bdi", "", file.name), `, the first of ${others + 1} files.`]
    : []);
  showImage(file);
  const refused = refusal(file);
  if (refused) { at("answer").removeAttribute("aria-busy"); showProblem(...refused); return; }
  at("status").textContent = "Looking at it …";
  at("answer").setAttribute("aria-busy", "true");
  const form = new FormData();
  form.append("image", file, file.name || "photograph");
  try {
    const response = await fetch(`predict?top=${SHOWN}`, { method: "POST", body: form, signal: own.signal });
    const answer = await response.json();
    if (own !== asked) return;
    if (response.ok) showAnswer(answer);
    else showProblem(`This cannot be used: ${answer.received}.`, `${answer.remedy} Expected: ${answer.expected}.`);
  } catch (error) {
    if (own !== asked) return;
    showProblem("The server does not answer.", "Is it still running? Then try again.");
  } finally {
    if (own === asked) at("answer").removeAttribute("aria-busy");
  }
}

function first(files) {
  const file = files && files[0];
  if (file) classify(file, files.length - 1);
  return Boolean(file);
}

for (const id of ["file", "camera-file"])
  at(id).addEventListener("change", () => { first(at(id).files); at(id).value = ""; });
at("choose").addEventListener("click", () => at("file").click());

document.addEventListener("paste", (event) => {
  if (event.clipboardData && first(event.clipboardData.files)) event.preventDefault();
});

let depth = 0;  // of the elements that the pointer has entered with a file
document.addEventListener("dragenter", (event) => { event.preventDefault(); depth += 1; at("drop").classList.add("over"); });
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("dragleave", () => { depth -= 1; if (depth <= 0) at("drop").classList.remove("over"); });
document.addEventListener("drop", (event) => {
  event.preventDefault();
  depth = 0;
  at("drop").classList.remove("over");
  if (!first(event.dataTransfer.files))
    showProblem("That was no file.", "Drop an image file, or save the image first.");
});

let stream = null;
function stopCamera() {
  if (stream) for (const track of stream.getTracks()) track.stop();
  stream = null;
  at("video").srcObject = null;
}

at("take").addEventListener("click", async () => {
  // Browsers allow a page to use the camera on this machine and over https alone.
  if (!navigator.mediaDevices || !navigator.mediaDevices.getUserMedia) { at("camera-file").click(); return; }
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    at("video").srcObject = stream;
    at("camera").showModal();
  } catch (error) {
    if (matchMedia("(pointer: coarse)").matches) at("camera-file").click();
    else showProblem("There is no camera that this page may use.", "Allow it in the browser, or choose a file.");
  }
});

at("shoot").addEventListener("click", () => {
  const video = at("video");
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  if (!canvas.width) return;  // the camera has not begun yet
  canvas.getContext("2d").drawImage(video, 0, 0);
  canvas.toBlob((blob) => classify(new File([blob], "photograph.jpg", { type: "image/jpeg" })), "image/jpeg", 0.95);
  at("camera").close();
});
at("cancel").addEventListener("click", () => at("camera").close());
at("camera").addEventListener("close", stopCamera);
