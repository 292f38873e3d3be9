// Keeps the list's badges fresh while files or pages are being read; stops when all are done, or a row is chosen.
const WAIT = 1500, TRIES = 200;
const UNDER_WAY = /^(Waiting|Reading…)$/;

const busy = (root) => [...root.querySelectorAll("#result_list span")].some((one) => UNDER_WAY.test(one.textContent.trim()));

for (let tries = 0; tries < TRIES && busy(document); tries += 1) {
  await new Promise((done) => setTimeout(done, WAIT));
  if (document.querySelector("#result_list input[type=checkbox]:checked")) continue;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) continue;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelectorAll("#result_list tbody");
    const shown = document.querySelectorAll("#result_list tbody");
    if (fresh.length === shown.length) shown.forEach((body, index) => body.replaceWith(document.adoptNode(fresh[index])));
    else break;
  } catch {
    // The network is away for a moment: ask again.
  }
}
