// The one connection of a page to its shop's Instant app.
import { init } from "@instantdb/core";
import { Storage } from "./storage.js";

/**
 * @param {{appId: string, apiURI: string, websocketURI: string}} realtime both addresses, since neither follows
 * from the other; users host Instant themselves
 */
export function connect({ appId, apiURI, websocketURI }) {
  return init({ appId, apiURI, websocketURI, devtool: false }, Storage, network);
}

// navigator.onLine knows of no loopback, and some systems never say true: its word counts when it changes only.
const network = {
  getIsOnline: async () => true,
  listen(callback) {
    for (const name of ["online", "offline"]) addEventListener(name, () => callback(name === "online"));
  },
};

/**
 * Follows the connection: `callback("live" | "connecting" | "offline")`, now and at every change.
 * subscribeQuery stays silent when a connection can't be opened at all, so nothing else would tell.
 */
export function followConnection(db, callback) {
  let current = "";
  const tell = (status) => {
    const next = status === "authenticated" ? "live" : navigator.onLine ? "connecting" : "offline";
    if (next !== current) callback((current = next));
  };
  let status = "connecting";
  db.subscribeConnectionStatus((changed) => tell((status = changed)));
  for (const name of ["online", "offline"]) addEventListener(name, () => tell(status));
  tell(status);
}
