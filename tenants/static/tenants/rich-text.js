// Sets Trix up for what the platform keeps when it sanitises: paragraphs, two headings, quotes, lists, links.
"use strict";
{
  const { blockAttributes, textAttributes, toolbar } = window.Trix.config;
  blockAttributes.default = { tagName: "p", breakOnReturn: true, parse: false };
  for (const name of ["heading1", "code"]) delete blockAttributes[name];
  for (const level of [3, 4]) {
    blockAttributes[`heading${level}`] = { tagName: `h${level}`, terminal: true, breakOnReturn: true, group: false };
  }
  delete textAttributes.strike;

  const template = () => document.querySelector(".rich-text-toolbar");
  addEventListener("trix-before-initialize", () => { toolbar.getDefaultHTML = () => template().innerHTML; });
  addEventListener("trix-file-accept", (event) => event.preventDefault()); // pictures have their own fields
  addEventListener("trix-initialize", ({ target }) => {
    const label = document.querySelector(`label[for="${CSS.escape(target.id)}"]`);
    if (label) target.setAttribute("aria-label", label.textContent.trim());
  });
}
