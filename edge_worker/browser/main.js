export function start(page) {
  document.documentElement.dataset.live = page.tenant;
}
