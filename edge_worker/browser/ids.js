// Ids and secrets of carts. A secret only ever stands in a link's fragment, which browsers don't send to a server.
import { v5, validate } from "uuid";

/** Two devices that add the same product to the same cart write the same line. */
export function lineId(cartId, productId) {
  return v5(productId, cartId);
}

/** 192 random bits, base64url. */
export function newSecret(random = crypto) {
  return base64url(random.getRandomValues(new Uint8Array(24)));
}

/** The room of a shared cart. Rooms have no permissions, so its name must be as hard to guess as the secret. */
export async function roomOf(secret, subtle = crypto.subtle) {
  const digest = await subtle.digest("SHA-256", new TextEncoder().encode(`cart room ${secret}`));
  return base64url(new Uint8Array(digest));
}

/** The fragment that invites to a cart. */
export function invitation(cartId, secret) {
  return `#cart=${cartId}.${secret}`;
}

/** @returns {{cartId: string, secret: string} | null} what a fragment invites to. */
export function readInvitation(fragment) {
  const [, cartId, secret] = /^#cart=([0-9a-f-]{36})\.([\w-]{22,64})$/.exec(fragment) ?? [];
  return validate(cartId) ? { cartId, secret } : null;
}

function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
