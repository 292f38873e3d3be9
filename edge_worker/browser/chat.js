// The button that opens a shop's chat. The panel itself is loaded by whoever presses it.
import { h, icon } from "./dom.js";

const OPEN = "chat-open"; // in sessionStorage: the panel stays open from page to page, where there is room beside the page

/** @param shop see main.js; @param page see page.js: `page.chat` is what the panel needs to know */
export function offerChat(shop, page) {
  const { t } = shop;
  const button = h("button", { type: "button", class: "chat-launch", "aria-haspopup": "dialog", "aria-expanded": "false" }, icon("chat"), h("span", {}, t("chat_open")));
  let panel;
  const open = async (options = {}) => {
    button.disabled = true;
    try {
      panel ??= new (await import("./chat_panel.js")).ChatPanel(shop, page, onClose);
      panel.open(options);
      button.hidden = true;
      button.setAttribute("aria-expanded", "true");
      remember(true);
    } catch (error) {
      console.error("The chat can't be opened:", error);
      shop.toasts.show(t("chat_error_offline"));
    } finally {
      button.disabled = false;
    }
  };
  function onClose() {
    button.hidden = false;
    button.setAttribute("aria-expanded", "false");
    button.focus({ preventScroll: true });
    remember(false);
  }
  button.addEventListener("click", () => open());
  document.body.append(button);
  if (wasOpen() && matchMedia("(min-width: 60rem)").matches) open({ focus: false });
}

function remember(isOpen) {
  try {
    if (isOpen) sessionStorage.setItem(OPEN, "1");
    else sessionStorage.removeItem(OPEN);
  } catch {
    // without storage it opens when it is pressed
  }
}

function wasOpen() {
  try {
    return sessionStorage.getItem(OPEN) === "1";
  } catch {
    return false;
  }
}
