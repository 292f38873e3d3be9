// Two people edited at once: both versions are shown, one is chosen, the other is kept as a revision.
import { post } from "./api.js";
import { find, make, openDialog } from "./dom.js";

export async function resolve(theirs, mine) {
  const dialog = openDialog("conflict");
  const when = theirs.at ? ` at ${new Date(theirs.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}` : "";
  find("conflict-who", dialog).textContent = `${theirs.by} saved this page${when}, while you were editing it.`;
  find("conflict-changes", dialog).replaceChildren(...theirs.changes.map(row));
  const choice = await new Promise((done) => {
    find("take-theirs", dialog).onclick = () => done("theirs");
    find("keep-mine", dialog).onclick = () => done("mine");
  });
  await post("keep", { page: choice === "theirs" ? mine : theirs.page });
  dialog.close();
  return choice;
}

function row([where, what, pieces]) {
  const words = pieces.map(([kind, text]) => make({ gone: "del", new: "ins" }[kind] ?? "span", { textContent: text }));
  return make("tr", {}, make("td", { textContent: where }), make("td", { textContent: what }), make("td", {}, ...words));
}
