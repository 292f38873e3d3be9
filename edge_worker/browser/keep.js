// Small JSON values in localStorage, shared by a shop's tabs; in memory where the browser keeps or takes nothing.

const memory = new Map();
let onTrouble = () => {};

/** `callback()` runs once, when something can't be kept beyond this page. */
export function whenNotKept(callback) {
  onTrouble = () => {
    onTrouble = () => {};
    callback();
  };
}

export function read(key) {
  if (memory.has(key)) return memory.get(key);
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null; // blocked, or not ours
  }
}

export function write(key, value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(value));
    memory.delete(key);
  } catch {
    memory.set(key, value); // storage is full, or blocked
    onTrouble();
  }
}

/** Calls back when another tab has changed `key`. */
export function onOtherTab(key, callback) {
  addEventListener("storage", (event) => {
    if (event.key === key || event.key === null) callback();
  });
}

/** Runs `work` while no other tab of this shop runs work of that name; where there are no locks, at once. */
export function alone(name, work) {
  return navigator.locks ? navigator.locks.request(name, work) : work();
}
