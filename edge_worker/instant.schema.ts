// What Instant holds: products are written by Django only (controlplane/publishing), carts by browsers only.
// Pushed by `make instant-push`. Field names are the contract of storefront/documents.py.
import { i } from "@instantdb/core";

const schema = i.schema({
  entities: {
    tenants: i.entity({
      slug: i.string().unique().indexed(),
      name: i.string(),
      status: i.string().indexed(),
      currency: i.string(),
      locale: i.string(),
    }),
    products: i.entity({
      tenantId: i.string().indexed(),
      slug: i.string().indexed(),
      title: i.string().indexed(),
      descriptionHtml: i.string(),
      price: i.number().indexed(),
      compareAtPrice: i.number().optional(),
      currency: i.string(),
      imageUrl: i.string(),
      imageAlt: i.string(),
      stock: i.number().optional(),
      available: i.boolean().indexed(),
      tags: i.json<string[]>(),
      tagKeys: i.string().indexed().optional(), // what lists are filtered by: `tags` in a form that $like finds
      position: i.number().indexed(),
      updatedAt: i.date(),
    }),
    // A cart belongs to the guest that made it. Whoever knows `shareSecret` may see and change its lines; the owner
    // ends that by clearing it. Nothing about money is stored: prices are those of the live products.
    carts: i.entity({
      tenantId: i.string().indexed(),
      ownerId: i.string().indexed(),
      shareSecret: i.string().indexed().optional(),
      createdAt: i.date(),
    }),
    // A line's id is UUIDv5(cart id, product id): two devices that add the same product write the same line.
    cartItems: i.entity({
      productId: i.string().indexed(),
      quantity: i.number(),
      addedAt: i.date(),
    }),
  },
  links: {
    productTenant: {
      forward: { on: "products", has: "one", label: "tenant", onDelete: "cascade" },
      reverse: { on: "tenants", has: "many", label: "products" },
    },
    cartItemCart: {
      forward: { on: "cartItems", has: "one", label: "cart", required: true, onDelete: "cascade" },
      reverse: { on: "carts", has: "many", label: "items" },
    },
  },
});

export default schema;
