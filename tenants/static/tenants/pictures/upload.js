// Sends one picture to a shop's library; says how far it is and, in words, why it was refused.
export const MOST = 10 * 1024 * 1024;

const token = () => document.querySelector("[name=csrfmiddlewaretoken]").value;

// Resolves to {picture, known}; rejects with an Error whose message is for the merchant.
export function upload(address, shop, file, progressed = () => {}) {
  if (file.size > MOST) return Promise.reject(new Error("This picture is too large: at most 10 MB."));
  if (/svg/i.test(file.type)) return Promise.reject(new Error("SVG pictures can't be uploaded: such a file may hold a script. Export it as PNG or WebP and upload that."));
  const body = new FormData();
  body.append("shop", shop);
  body.append("file", file);
  // XMLHttpRequest, since fetch does not tell how much has been sent.
  const request = new XMLHttpRequest();
  return new Promise((resolve, reject) => {
    request.upload.addEventListener("progress", ({ loaded, total }) => progressed(loaded / total));
    request.addEventListener("error", () => reject(new Error("The network broke off. Try again.")));
    request.addEventListener("load", () => {
      const answer = parsed(request.responseText);
      if (request.status === 200 && answer.picture) resolve(answer);
      else reject(new Error(answer.message ?? reason(request.status)));
    });
    request.open("POST", address);
    request.setRequestHeader("X-CSRFToken", token());
    request.setRequestHeader("Accept", "application/json");
    request.send(body);
  });
}

function parsed(text) {
  try { return JSON.parse(text); } catch { return {}; }
}

function reason(status) {
  if (status === 413) return "This picture is too large: at most 10 MB.";
  if (status === 403 || status === 404) return "You may not add pictures to this shop, or you are logged out. Log in in another tab, then try again.";
  return "The server did not answer as it should. Try again.";
}

// Makes `area` a place to drop files on; `taken` gets them.
export function dropArea(area, taken) {
  const over = (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    area.dataset.over = "";
  };
  area.addEventListener("dragenter", over);
  area.addEventListener("dragover", over);
  area.addEventListener("dragleave", (event) => { if (!area.contains(event.relatedTarget)) delete area.dataset.over; });
  area.addEventListener("drop", (event) => {
    event.preventDefault();
    delete area.dataset.over;
    taken([...event.dataTransfer.files]);
  });
}
