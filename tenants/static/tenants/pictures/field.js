// A picture field of a form: its thumbnail, and the button that opens the picker.
import { pick, whole } from "./picker.js";

for (const field of document.querySelectorAll("[data-picture-field]")) {
  const input = field.querySelector("input"), thumb = field.querySelector("[data-thumb]"), choose = field.querySelector("[data-choose]");
  const { library, upload, base, alt } = field.dataset;
  const shop = () => field.dataset.shop || input.form.elements.tenant?.value || "";
  const show = () => {
    const source = whole(input.value.trim(), base);
    thumb.hidden = !/^https?:\/\//.test(source);
    if (!thumb.hidden) thumb.src = source;
  };
  thumb.addEventListener("error", () => { thumb.hidden = true; });
  input.addEventListener("input", show);
  show();
  choose.hidden = input.disabled || input.readOnly;
  choose.addEventListener("click", async () => {
    if (!shop()) { input.form.elements.tenant?.focus(); return; }
    const chosen = await pick({ library, upload }, shop(), base);
    if (!chosen) return;
    input.value = chosen.url;
    show();
    const words = input.form.elements[alt];
    if (words && !words.value) words.value = chosen.alt;
    input.focus();
  });
}
