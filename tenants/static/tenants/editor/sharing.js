// Links that show the draft to people without a login.
import { post } from "./api.js";
import { find, make } from "./dom.js";

const list = find("links"), said = find("share-said");
const opener = document.querySelector("[data-open=share]");

async function ask(name, body) {
  const answer = await post(name, body);
  if (answer.status !== 200) { said.textContent = answer.body.message; return; }
  list.replaceChildren(...answer.body.links.map(row));
}

function row({ id, url, ends }) {
  const address = make("input", { className: "ed-input", readOnly: true, value: url });
  address.setAttribute("aria-label", "Address of the shared draft");
  const copy = make("button", { type: "button", className: "ed-button", textContent: "Copy" });
  const stop = make("button", { type: "button", className: "ed-button", textContent: "Take back" });
  copy.addEventListener("click", async () => { await navigator.clipboard.writeText(url); said.textContent = "Copied."; });
  stop.addEventListener("click", () => ask("unshare", { id }));
  return make("li", {}, address, make("span", { textContent: `until ${new Date(ends).toLocaleString([], { dateStyle: "medium", timeStyle: "short" })}` }), copy, stop);
}

if (opener) {
  opener.addEventListener("click", () => ask("share", { days: 0 }));
  find("share-new").addEventListener("click", async () => {
    await ask("share", { days: Number(find("share-days").value) });
    said.textContent = "The link works in a moment, once the edge has it.";
  });
}
