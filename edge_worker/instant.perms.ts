// Who may do what in Instant, the admin token (Django) apart, which no rule binds. Pushed by `make instant-push`.
// Holders of a cart's share secret send it as the rule parameter `share`. What each rule keeps out is tested in
// tests/localcloud/test_instant_attacks.py; after a change run `make instant-json`.
import type { InstantRules } from "@instantdb/core";

const rules = {
  $default: { allow: { $default: "false" } },
  attrs: { allow: { create: "false" } },
  // A guest may sign in (`data` holds an id only); nobody becomes a user by e-mail, and nobody reads users.
  $users: { allow: { create: "data.email == null", $default: "false" } },
  $files: { allow: { $default: "false" } },
  tenants: { allow: { $default: "false" } },
  products: {
    allow: { view: "'active' in data.ref('tenant.status')", $default: "false" },
  },
  carts: {
    bind: {
      owns: "auth.id != null && data.ownerId == auth.id",
      holds: "ruleParams.share != null && data.shareSecret != null && data.shareSecret == ruleParams.share",
      same: "newData.tenantId == data.tenantId && newData.ownerId == data.ownerId",
      // A secret that can be guessed is none: 192 bits are 32 characters of base64.
      strong: "newData.shareSecret == null || size(newData.shareSecret) >= 32",
    },
    allow: {
      view: "owns || holds",
      create: "owns && strong",
      update: "same && ((owns && strong) || (holds && newData.shareSecret == data.shareSecret))",
      delete: "owns",
      $default: "false",
    },
  },
  cartItems: {
    bind: {
      owns: "auth.id != null && auth.id in data.ref('cart.ownerId')",
      holds: "ruleParams.share != null && ruleParams.share in data.ref('cart.shareSecret')",
      whole: "type(newData.quantity) == int && newData.quantity >= 1 && newData.quantity <= 999",
    },
    allow: {
      view: "owns || holds",
      create: "(owns || holds) && whole",
      update: "(owns || holds) && whole && newData.productId == data.productId",
      delete: "owns || holds",
      // A line stays in its cart, or who holds one cart's secret could carry its lines off into another. This is asked
      // before the write of lines that exist and after it of new ones, so the present cart is the only one it allows.
      link: { cart: "(owns || holds) && linkedData.id in data.ref('cart.id')" },
      unlink: { cart: "false" },
      $default: "false",
    },
  },
} satisfies InstantRules;

export default rules;
