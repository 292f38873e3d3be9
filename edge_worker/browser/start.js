// The only script that a page waits for: it starts the rest once the page has been painted.
// A further feature is a further dynamic import here; esbuild gives it a chunk of its own.
import { page } from "./page.js";

function afterPaint(start) {
  requestAnimationFrame(() => setTimeout(start));
}

afterPaint(() => {
  import("./main.js").then(({ start }) => start(page()));
});
