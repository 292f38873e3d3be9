// Where the last publish has got to: queued, in KV, seen at the edge.
import { get, post } from "./api.js";
import { find, say } from "./dom.js";

const box = find("receipt"), problem = find("receipt-problem"), retry = find("retry");
const LABELS = { queued: "Queued", stored: "In KV", seen: "Seen at the edge" };
let asking = false;

export async function follow() {
  if (asking) return;
  asking = true;
  for (let tries = 0; tries < 400; tries += 1) {
    let receipt;
    try { ({ receipt } = await get("receipt")); } catch { receipt = undefined; }
    if (receipt !== undefined) show(receipt);
    if (receipt === null || receipt?.done) break;
    await new Promise((done) => { setTimeout(done, tries < 20 ? 400 : 3000); });
  }
  asking = false;
}

function show(receipt) {
  box.hidden = false;
  step("queued", receipt ? 0 : null);
  step("stored", receipt?.stored_after ?? null);
  step("seen", receipt?.seen_after ?? null);
  problem.hidden = !receipt?.problem;
  if (problem.textContent !== (receipt?.problem ?? "")) problem.textContent = receipt?.problem ?? "";
  if (retry) retry.hidden = !receipt?.can_retry;
  box.dataset.state = receipt?.problem ? "problem" : receipt?.done ? "done" : "underway";
}

function step(name, seconds) {
  const item = box.querySelector(`[data-step="${name}"]`);
  const done = seconds !== null;
  if (done && name === "seen" && !item.hasAttribute("data-done") && asking) say("Seen at the edge");
  item.toggleAttribute("data-done", done);
  find("step-text", item).textContent = done && name !== "queued" && seconds < 3600 ? `${LABELS[name]} after ${seconds.toFixed(1)} s` : LABELS[name];
}

retry?.addEventListener("click", async () => { await post("retry", {}); follow(); });
document.addEventListener("published", follow);
follow();
