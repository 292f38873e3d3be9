// Who may do what in Instant, the admin token (Django) apart, which no rule binds. Pushed by `make instant-push`.
// Holders of a cart's share secret send it as the rule parameter `share`.
import type { InstantRules } from "@instantdb/core";

const rules = {
  $default: { allow: { $default: "false" } },
  attrs: { allow: { create: "false" } },
  tenants: { allow: { $default: "false" } },
  products: {
    allow: { view: "'active' in data.ref('tenant.status')", $default: "false" },
  },
  carts: {
    bind: {
      owns: "auth.id != null && data.ownerId == auth.id",
      holds: "ruleParams.share != null && data.shareSecret != null && data.shareSecret == ruleParams.share",
      same: "newData.tenantId == data.tenantId && newData.ownerId == data.ownerId",
    },
    allow: {
      view: "owns || holds",
      create: "owns",
      update: "same && (owns || (holds && newData.shareSecret == data.shareSecret))",
      delete: "owns",
      $default: "false",
    },
  },
  cartItems: {
    bind: {
      owns: "auth.id != null && auth.id in data.ref('cart.ownerId')",
      holds: "ruleParams.share != null && ruleParams.share in data.ref('cart.shareSecret')",
      sane: "newData.quantity >= 1 && newData.quantity <= 999",
    },
    allow: {
      view: "owns || holds",
      create: "(owns || holds) && data.quantity >= 1 && data.quantity <= 999",
      update: "(owns || holds) && sane && newData.productId == data.productId",
      delete: "owns || holds",
      $default: "false",
    },
  },
} satisfies InstantRules;

export default rules;
