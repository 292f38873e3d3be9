// The library's list: uploads several pictures, one after the other, and then shows them.
import { dropArea, upload } from "./upload.js";

const area = document.querySelector("[data-drop]");
if (area) {
  const files = area.querySelector("[data-files]"), list = area.querySelector("[data-progress]"), shop = area.querySelector("[data-drop-shop]");
  let underway = Promise.resolve(), added = 0, refused = 0, left = 0;

  const add = (chosen) => {
    for (const file of chosen) {
      const row = Object.assign(document.createElement("li"), { textContent: `${file.name}: waiting …` });
      list.append(row);
      left += 1;
      underway = underway.then(() => send(file, row, shop.value));
    }
    underway = underway.then(() => { if (!left && added && !refused) location.reload(); });
  };

  async function send(file, row, to) {
    const say = (text) => { row.textContent = `${file.name}: ${text}`; };
    try {
      const { known } = await upload(area.dataset.upload, to, file, (share) => say(share < 1 ? `${Math.round(share * 100)} %` : "being prepared …"));
      say(known ? "is in the library already." : "is in the library.");
      added += 1;
    } catch (error) {
      say(error.message);
      row.dataset.refused = "";
      refused += 1;
    }
    left -= 1;
    if (!left && added && refused) list.append(again());
  }

  // Not by itself: the reasons would be gone before they are read.
  function again() {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "pic-button", textContent: "Show the new pictures" });
    button.addEventListener("click", () => location.reload());
    const row = document.createElement("li");
    row.append(button);
    return row;
  }

  files.addEventListener("change", () => { add([...files.files]); files.value = ""; });
  dropArea(area, add);
  area.hidden = false;
}
