// Elements without mark-up in strings: whatever a merchant wrote stays text.

/**
 * `h("button", {class: "x", onclick: f, disabled: true}, "text", child)`: attributes by name, listeners by on…,
 * values of false, null and undefined left out.
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) set(element, name, value);
  element.append(...children.filter((child) => child != null && child !== false));
  return element;
}

export function set(element, name, value) {
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (value === false || value == null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value === true ? "" : value);
}

/** Sets text only where it differs, so that a live region does not repeat itself. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const PATHS = {
  bag: "M5 8h14l1 12.5H4zM8.5 10.5V7a3.5 3.5 0 0 1 7 0v3.5",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  close: "m6 6 12 12M18 6 6 18",
  trash: "M4 7h16M9.5 7V4.5h5V7M6.5 7l1 13h9l1-13M10.2 11v5.5M13.8 11v5.5",
  share: "M12 15V4m-4.5 4L12 3.5 16.5 8M5 13v7h14v-7",
  phone: "M7.5 2.5h9a1 1 0 0 1 1 1v17a1 1 0 0 1-1 1h-9a1 1 0 0 1-1-1v-17a1 1 0 0 1 1-1zM11 18.5h2",
  check: "m5 12.5 4.5 4.5L19 7.5",
  chat: "M4 5.5h16v11h-8.5L7 20.5v-4H4zM8.5 9.5h7M8.5 12.7h4.5",
  send: "M12 19.5V5M5.8 11 12 4.8 18.2 11",
  stop: "M7.5 7.5h9v9h-9z",
  fresh: "M12 5H5v14h14v-7M10 14l.8-3L18 3.8l2.2 2.2-7.2 7.2z",
  up: "M7.5 11v9H4.5v-9zM7.5 11.5 11 3.8c1.6 0 2.4 1 2.2 2.5l-.5 3.2h5.1a2 2 0 0 1 2 2.3l-1 6.4a2 2 0 0 1-2 1.8H7.5",
  down: "M7.5 13V4H4.5v9zM7.5 12.5 11 20.2c1.6 0 2.4-1 2.2-2.5l-.5-3.2h5.1a2 2 0 0 0 2-2.3l-1-6.4a2 2 0 0 0-2-1.8H7.5",
  again: "M19.5 12a7.5 7.5 0 1 1-2.3-5.4M19.5 3.5v4.5h-4.5",
  arrow: "M4 12h15M13 6l6 6-6 6",
  page: "M6.5 3.5h7.5l4 4v13H6.5zM13.5 3.5V8H18M9.5 12.5h5M9.5 16h5",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const attributes = {
    class: "glyph", viewBox: "0 0 24 24", width: 20, height: 20, fill: "none", stroke: "currentColor", "stroke-width": 1.75,
    "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true", focusable: "false",
  };
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** The address of a picture if it is http(s) or within the site, else "": as storefront/links.py has it. */
export function safeImage(address) {
  const trimmed = (address ?? "").trim();
  if (/[\x00-\x20\x7f\\]/.test(trimmed)) return "";
  return /^(?:https?:\/\/[^/?#]|\/(?!\/))/i.test(trimmed) ? trimmed : "";
}
