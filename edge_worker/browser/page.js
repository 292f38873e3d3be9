// What the server tells this page's scripts: <script type="application/json" id="page"> in base.html.

/** @returns {object} `tenant`, `currency`, `locale`, `realtime`, `money`, `words` (see storefront/browser_page.py) */
export function page() {
  return JSON.parse(document.getElementById("page").textContent);
}
