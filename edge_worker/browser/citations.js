// An answer's text as the parts that it is shown by. The text is a model's: it never becomes mark-up.

/**
 * @param {{n: number}[]} sources
 * @returns {(string | object)[]} plain text, and in the place of each [n] the source that it cites
 */
export function parts(text, sources) {
  const byNumber = new Map(sources.map((source) => [source.n, source]));
  const found = [];
  let end = 0;
  for (const match of text.matchAll(/\s?\[(\d{1,2})\]/g)) {
    const source = byNumber.get(Number(match[1]));
    if (!source) continue; // cites nothing: it stays as it was written
    if (match.index > end) found.push(text.slice(end, match.index));
    found.push(source);
    end = match.index + match[0].length;
  }
  if (end < text.length) found.push(text.slice(end));
  return found;
}

/** The answer as it is read aloud: without the numbers. */
export function spoken(text, sources) {
  return parts(text, sources).filter((part) => typeof part === "string").join("").trim();
}

/** The address within this site that `url` is, else "": an answer leads nowhere else. */
export function within(url, origin) {
  try {
    const address = new URL(url, origin);
    return url && address.origin === origin ? address.pathname + address.search + address.hash : "";
  } catch {
    return "";
  }
}
