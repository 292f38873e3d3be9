// Choosing a picture among those that the shop uses already.
import { get, start } from "./api.js";
import { find, make, openDialog } from "./dom.js";

const whole = (address) => (address.startsWith("/") ? start.shop.origin + address : address);

export function mountPicture(field, changed) {
  const input = find("value", field), thumb = find("thumb", field);
  const show = () => {
    const looks = /^(https?:\/\/|\/(?!\/))/.test(input.value);
    thumb.hidden = !looks;
    if (looks) thumb.src = whole(input.value);
  };
  thumb.addEventListener("error", () => { thumb.hidden = true; });
  input.addEventListener("input", show);
  show();
  find("choose", field).addEventListener("click", async () => {
    const chosen = await choose();
    if (chosen === null) return;
    input.value = chosen;
    show();
    changed();
    input.focus();
  });
}

async function choose() {
  const dialog = openDialog("pictures"), list = find("pictures", dialog);
  const { pictures } = await get("pictures");
  const { promise, resolve } = withResolvers();
  list.replaceChildren(...pictures.map(({ url, title }) => {
    const image = make("img", { src: whole(url), alt: "", loading: "lazy", width: 96, height: 96 });
    const button = make("button", { type: "button" }, image, make("span", { textContent: title }));
    button.addEventListener("click", () => { resolve(url); dialog.close(); });
    return make("li", {}, button);
  }));
  if (!pictures.length) list.append(make("li", { textContent: "There is no picture yet: add one to a product first." }));
  dialog.addEventListener("close", () => resolve(null), { once: true });
  return promise;
}

function withResolvers() {
  let resolve;
  const promise = new Promise((done) => { resolve = done; });
  return { promise, resolve };
}
