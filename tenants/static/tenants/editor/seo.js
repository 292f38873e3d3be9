// How search engines and social networks may show the page, as it is typed.
import { start } from "./api.js";
import { find } from "./dom.js";

const TITLE = 60, TEXT = 160;
const cut = (text, length) => (text.length > length ? `${text.slice(0, length - 1).replace(/\s\S*$/, "")} …` : text);

export function showSeo(seo) {
  const title = seo.title || start.shop.name;
  const text = seo.description || "Search engines choose words from the page.";
  const host = new URL(start.shop.origin).host;
  find("result-url").textContent = host;
  find("result-title").textContent = cut(title, TITLE);
  find("result-text").textContent = cut(text, TEXT);
  find("social-host").textContent = host;
  find("social-title").textContent = cut(title, 70);
  find("social-text").textContent = cut(seo.description, 110);
  const image = find("social-image"), looks = /^(https?:\/\/|\/(?!\/))/.test(seo.image_url);
  const source = seo.image_url.startsWith("/") ? start.shop.origin + seo.image_url : seo.image_url;
  image.hidden = !looks;
  find("social-none").hidden = looks;
  if (looks && image.src !== source) image.src = source;
  find("seo-hint").textContent = hint(seo);
}

function hint(seo) {
  if (seo.noindex) return "This page asks search engines not to show it.";
  const said = [];
  said.push(seo.title ? `Title: ${seo.title.length} of about ${TITLE} characters${seo.title.length > TITLE ? ", the end may be cut off" : ""}.` : "No title: the shop's name stands in.");
  said.push(seo.description ? `Description: ${seo.description.length} of about ${TEXT} characters${seo.description.length > TEXT ? ", the end may be cut off" : ""}.` : "No description yet: one or two sentences that make people come in.");
  return said.join(" ");
}
