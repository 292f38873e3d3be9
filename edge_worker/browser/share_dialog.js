// The dialog with a cart's link and its code; loaded when somebody asks for it. The code is drawn here: no server sees it.
import { encode } from "uqr";
import { h, icon, say } from "./dom.js";

const QUIET = 2; // modules of white around the code

export function openShareDialog({ link, purpose, t, toasts, pending, cart }) {
  const note = h("p", { class: "share__note", role: "status" });
  const field = h("input", { class: "share__link", readonly: true, value: link, "aria-label": t("share_link"), onfocus: () => field.select() });
  const close = h("button", { type: "button", class: "icon-button", "aria-label": t("close"), onclick: () => dialog.close() }, icon("close"));
  const copy = h("button", { type: "button", class: "button", onclick: () => copyLink(field, t, toasts) }, t("copy"));
  const send = navigator.share && h("button", { type: "button", class: "button button--secondary", onclick: () => sendLink(link, t) }, t("share_send"));
  const title = h("h2", { id: "share-title", tabindex: -1 }, t(`${purpose}_title`));
  const dialog = h(
    "dialog",
    { class: "share", "aria-labelledby": "share-title" },
    h("header", { class: "drawer__head" }, title, close),
    h("p", {}, t(`${purpose}_text`)),
    purpose === "phone" && picture(link, t("qr_label")),
    h("p", { class: "share__row" }, field),
    h("p", { class: "share__buttons" }, copy, send),
    note,
  );
  const refresh = () => say(note, pending() && !navigator.onLine ? t("share_pending") : "");
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  cart.onChange(() => dialog.isConnected && refresh());
  document.body.append(dialog);
  refresh();
  dialog.showModal();
  title.focus({ focusVisible: false });
}

async function copyLink(field, t, toasts) {
  try {
    await navigator.clipboard.writeText(field.value);
    toasts.show(t("copied"));
  } catch {
    field.focus(); // which selects it
    toasts.show(t("copy_by_hand"));
  }
}

function sendLink(url, t) {
  navigator.share({ title: t("share_title"), url }).catch(() => {}); // closed without a choice
}

/** One path of unit squares, dark on white in every colour scheme: cameras want it so. */
function picture(text, label) {
  const { data, size } = encode(text, { ecc: "M", border: QUIET });
  const marks = data.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : "")));
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  for (const [name, value] of Object.entries({ viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": label, class: "share__code", "shape-rendering": "crispEdges" })) svg.setAttribute(name, value);
  path.setAttribute("d", marks.join(""));
  svg.append(path);
  return svg;
}
