// A picture field of the editor: its thumbnail, and the button that opens the shop's library.
import { pick, whole } from "../pictures/picker.js";
import { start } from "./api.js";
import { find } from "./dom.js";

export function mountPicture(field, changed) {
  const input = find("value", field), thumb = find("thumb", field);
  const show = () => {
    const looks = /^(https?:\/\/|\/(?!\/))/.test(input.value);
    thumb.hidden = !looks;
    if (looks) thumb.src = whole(input.value, start.shop.origin);
  };
  thumb.addEventListener("error", () => { thumb.hidden = true; });
  input.addEventListener("input", show);
  show();
  find("choose", field).addEventListener("click", async () => {
    const chosen = await pick(start.pictures, start.shop.id, start.shop.origin);
    if (!chosen) return;
    input.value = chosen.url;
    show();
    describe(field, chosen.alt);
    changed();
    input.focus();
  });
}

// The library's description, where the picture's own field for it is empty: image_url → image_alt.
function describe(field, alt) {
  const name = field.dataset.field.replace(/_url$/, "_alt");
  const words = name !== field.dataset.field && field.parentElement.querySelector(`:scope > [data-field="${name}"] [data-value]`);
  if (words && !words.value) words.value = alt;
}
