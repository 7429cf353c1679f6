// What stopkey's page adds to the terminal in it: which client is shown here, and what to say when it is gone.
"use strict";

const TAKEN_OVER = 4001;

// Of this browser tab: a reload comes back to the same client.
function seat() {
  let name = sessionStorage.getItem("stopkey-seat");
  if (!name) {
    name = crypto.randomUUID();
    sessionStorage.setItem("stopkey-seat", name);
  }
  return name;
}

function say(text, button, action) {
  const bar = document.getElementById("said");
  bar.textContent = text;
  bar.classList.add("-shown");
  if (button) {
    const key = document.createElement("button");
    key.textContent = button;
    key.onclick = action;
    bar.append(key);
    key.focus();
  }
}

function afresh() {
  sessionStorage.removeItem("stopkey-seat");
  location.reload();
}

// The client goes on without its page for a while: come back to it as soon as the server can be reached.
async function comeBack() {
  say("The connection to stopkey broke. Coming back …");
  for (;;) {
    await new Promise((next) => setTimeout(next, 1000));
    try {
      const answer = await fetch("/alive");
      if (answer.ok) return location.reload();
      if (answer.status === 403) return say("This page's key is not valid any more: open the address that stopkey printed.");
    } catch {
      // not yet
    }
  }
}

function closed(event) {
  if (event.code === 1000) say("stopkey has ended.", "Start again", afresh);
  else if (event.code === TAKEN_OVER) say("Another page shows this client now.", "Show it here", () => location.reload());
  else comeBack();
}

window.WebSocket = class extends WebSocket {
  constructor(...where) {
    super(...where);
    this.addEventListener("close", closed);
    this.addEventListener("open", listen);
  }
};

function listen() {
  document.querySelector(".xterm-helper-textarea").focus();
}

// Keys are for the client, wherever on the page was clicked: a Stop that goes nowhere would be the worst of all.
document.addEventListener("mousedown", (event) => {
  if (!event.target.closest(".xterm, button")) event.preventDefault();
});

// The terminal would open any address that is clicked, at once. stopkey asks first, with the real host; what it
// then opens arrives with the address, a click of the terminal's own without one.
const openWindow = window.open.bind(window);
window.open = (url, target) => (url ? openWindow(url, target, "noopener,noreferrer") : null);

document.addEventListener("DOMContentLoaded", () => {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  document.getElementById("terminal").dataset.sessionWebsocketUrl = `${scheme}//${location.host}/ws/${seat()}`;
});
