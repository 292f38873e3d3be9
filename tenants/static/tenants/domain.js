// Copy buttons, and a panel that keeps itself fresh while a domain is on its way.
const SOON = 4000, LATER = 15000;

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Copied";
  } catch {
    // No permission, or not a secure context: select the text, so that the keyboard copies it.
    const text = button.parentElement.querySelector("code") ?? button.closest("details")?.querySelector("textarea");
    if (text) getSelection().selectAllChildren(text);
    text?.select?.();
    button.textContent = "Press Ctrl+C";
  }
  setTimeout(() => { button.textContent = before; }, 2000);
});

async function follow(panel) {
  for (let tries = 0; ; tries += 1) {
    const shown = panel.firstElementChild;
    const settled = shown?.dataset.kind === "works";
    await new Promise((done) => setTimeout(done, tries < 60 && !settled ? SOON : LATER));
    if (document.hidden) continue;
    try {
      const answer = await fetch(panel.dataset.domainPanel);
      if (!answer.ok) continue;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").body.firstElementChild;
      // Replaced only when something is new: a reader's place, and what is open, stay as they are.
      if (fresh && fresh.dataset.version !== panel.firstElementChild?.dataset.version) panel.replaceChildren(fresh);
    } catch {
      // The network is away for a moment: ask again.
    }
  }
}

for (const panel of document.querySelectorAll("[data-domain-panel]")) follow(panel);
