// Money as storefront/money.py writes it; its rules come with the page, so that there is one place for them.
// tests/edge_worker/test_browser_modules.py holds the two together over a table.

/** How many digits the currency's minor unit has. */
export function digitsOf(rules, currency) {
  return rules.digits[currency] ?? 2;
}

/** `amount` integer minor units of an ISO 4217 `currency`, as the page's shopper reads it. */
export function formatMoney(amount, currency, rules) {
  const digits = digitsOf(rules, currency);
  const plain = String(Math.abs(amount)).padStart(digits + 1, "0");
  const whole = plain.slice(0, plain.length - digits).replace(/\B(?=(\d{3})+$)/g, rules.group);
  const number = digits ? whole + rules.point + plain.slice(-digits) : whole;
  const symbol = rules.symbols[currency] ?? currency;
  const sign = amount < 0 ? "-" : "";
  if (rules.behind) return `${sign}${number}\u00a0${symbol}`;
  return sign + symbol + (/\p{L}$/u.test(symbol) ? "\u00a0" : "") + number;
}
