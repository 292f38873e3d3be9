// Shows one revision as shoppers saw it.
import { Preview } from "./frame.js";

const { origin, page } = JSON.parse(document.getElementById("editor-data").textContent);
const preview = new Preview(origin);
const answer = await fetch(page, { headers: { Accept: "application/json" } });
if (answer.ok) await preview.show((await answer.json()).html);
