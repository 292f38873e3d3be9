/* The shop's address: made from its name until the merchant types one, and looked up while they do. */
const form = document.querySelector("[data-shop-form]");
const name = form.querySelector("#id_name");
const slug = form.querySelector("#id_slug");
const state = form.querySelector("[data-address-state]");
const offer = form.querySelector("[data-address-offer]");
const take = Object.assign(document.createElement("button"), { type: "button", className: "as-link" });
take.textContent = offer.querySelector("span").textContent;
offer.querySelector("span").replaceWith(take);
const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
const WAIT = 300; // ms of silence before a look-up

let own = slug.value !== "";
let timer = 0;
let latest = 0;

const say = (text, kind = "") => {
  state.textContent = text;
  state.dataset.state = kind;
};

const show = (found) => {
  if (!own) slug.value = found.slug;
  slug.closest(".field").classList.toggle("is-bad", Boolean(found.problem));
  slug.setAttribute("aria-invalid", String(Boolean(found.problem)));
  if (found.problem) say(found.problem, "refused");
  else if (found.host) say(`${found.host} is free.`, "free");
  else say("Type an address: 3 to 40 letters, digits and hyphens.");
  take.textContent = found.suggestion ?? "";
  offer.hidden = !found.suggestion;
};

const look = async () => {
  const number = ++latest;
  const body = new URLSearchParams({ name: name.value, slug: own ? slug.value : "" });
  try {
    const answer = await fetch(form.dataset.check, { method: "POST", body, headers: { "X-CSRFToken": token } });
    if (number !== latest) return; // something newer was typed meanwhile
    if (answer.ok) show(await answer.json());
    else say(answer.status === 429 ? (await answer.json()).problem : "");
  } catch {
    if (number === latest) say(""); // the form itself says what is wrong
  }
};

const later = () => {
  clearTimeout(timer);
  latest += 1;
  form.querySelectorAll(".errorlist").forEach((list) => list.remove());
  timer = setTimeout(look, WAIT);
};

name.addEventListener("input", () => {
  if (!own) later();
});
slug.addEventListener("input", () => {
  own = slug.value !== "";
  later();
});
take.addEventListener("click", () => {
  slug.value = take.textContent;
  own = true;
  slug.focus();
  later();
});
