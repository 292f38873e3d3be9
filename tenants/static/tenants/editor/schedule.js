// When the draft goes live and offline, in the shop's time zone.
import { post, start } from "./api.js";
import { find } from "./dom.js";

const publish = document.getElementById("schedule-publish"), unpublish = document.getElementById("schedule-unpublish");
const problem = find("schedule-problem"), planned = find("planned"), save = find("schedule-save");

function show(times) {
  publish.value = times.publish;
  unpublish.value = times.unpublish;
  const words = (value) => value.replace("T", " ");
  const said = [times.publish && `goes live ${words(times.publish)}`, times.unpublish && `goes offline ${words(times.unpublish)}`].filter(Boolean);
  planned.hidden = !said.length;
  planned.textContent = said.length ? `The draft ${said.join(", ")} (${start.schedule.zone})` : "";
}

async function keep(times) {
  const { status, body } = await post("schedule", times);
  problem.textContent = status === 200 ? "" : body.message;
  if (status !== 200) return;
  show(body);
  save.closest("dialog").close();
}

save.addEventListener("click", () => keep({ publish: publish.value, unpublish: unpublish.value }));
find("schedule-clear").addEventListener("click", () => keep({ publish: "", unpublish: "" }));
show(start.schedule);
