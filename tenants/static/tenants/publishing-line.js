// Keeps the publishing lines fresh while something is on its way; stops when it has arrived or failed.
const SOON = 700, LATER = 4000, TRIES = 300;

async function follow(line) {
  const label = line.querySelector("[data-publishing-label]");
  for (let tries = 0; tries < TRIES && line.dataset.state === "publishing"; tries += 1) {
    await new Promise((done) => setTimeout(done, tries < 20 ? SOON : LATER));
    try {
      const answer = await fetch(line.dataset.publishingLine, { headers: { Accept: "application/json" } });
      if (!answer.ok) continue;
      const status = await answer.json();
      line.dataset.state = status.state;
      if (label.textContent !== status.label) label.textContent = status.label;
    } catch {
      // The network is away for a moment: ask again.
    }
  }
}

for (const line of document.querySelectorAll("[data-publishing-line]")) follow(line);
