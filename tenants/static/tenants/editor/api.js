// Requests to the landing page's own addresses; JSON both ways.
const data = JSON.parse(document.getElementById("editor-data").textContent);
const token = () => document.querySelector("[name=csrfmiddlewaretoken]").value;

export const start = data;

export async function post(name, body, options = {}) {
  const answer = await fetch(data.urls[name] ?? name, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": token() },
    body: JSON.stringify(body),
    ...options,
  });
  return { status: answer.status, body: await json(answer) };
}

export async function get(name, query = {}) {
  const answer = await fetch(`${data.urls[name]}?${new URLSearchParams(query)}`, { headers: { Accept: "application/json" } });
  return json(answer);
}

async function json(answer) {
  const isJson = (answer.headers.get("content-type") ?? "").includes("json");
  if (isJson) return answer.json();
  return { message: answer.redirected || answer.status === 403 ? "You are logged out. Log in in another tab, then try again." : "The server did not answer as it should. Try again." };
}
