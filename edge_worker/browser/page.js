// What the server tells this page's scripts: <script type="application/json" id="page"> in base.html.

/** @returns {object} what storefront/browser_page.py wrote: `tenant`, `realtime`, `money`, `words` and more. */
export function page() {
  return JSON.parse(document.getElementById("page").textContent);
}

/** `t(key, values)`: the page's word with its {placeholders} filled in; the form `key_one` for a count of one. */
export function translator(words) {
  return (key, values = {}) => {
    const text = (values.count === 1 && words[`${key}_one`]) || words[key] || key;
    return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
  };
}
