// The page: who am I, my notes, a new note. It holds no token; the cookie goes along by itself.
"use strict";
const show = (id, on) => { document.getElementById(id).hidden = !on; };
const say = (text) => { document.getElementById("status").textContent = text; };

async function ask(path, options) {
  const response = await fetch(path, { headers: { Accept: "application/json" }, ...options });
  if (response.ok) return response.json();
  const json = (response.headers.get("Content-Type") || "").startsWith("application/problem+json");
  const problem = json ? await response.json() : {};
  show("login", Boolean(problem.login)); // logging in is a navigation, never a fetch
  show("member", false);
  say(response.status === 401 ? "" : problem.detail || response.statusText);
  throw new Error(problem.reason);
}

function list(notes) {
  const items = notes.map((text) => Object.assign(document.createElement("li"), { textContent: text }));
  document.getElementById("notes").replaceChildren(...items);
}

async function start() {
  const me = await ask("/api/me");
  document.getElementById("name").textContent = me.name;
  show("login", false);
  show("member", true);
  list(me.notes);
}

document.getElementById("new").addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = document.getElementById("text");
  list((await ask("/api/notes", { method: "POST", body: JSON.stringify({ text: field.value }) })).notes);
  say(document.getElementById("status").dataset.saved);
  field.value = "";
  field.focus();
});

start().catch(() => {});
