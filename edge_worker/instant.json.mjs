// `make instant-json`: prints instant.schema.ts and instant.perms.ts as the JSON that instant.json holds.
import rules from "./instant.perms.ts";
import schema from "./instant.schema.ts";

// What the vendor's builder adds for its own use is left out: `metadata`, `isIndexed`, and each entity's own list of links.
const kept = (key, value) => (key === "metadata" || key === "isIndexed" ? undefined : value);
const entities = Object.fromEntries(Object.entries(schema.entities).map(([name, { attrs }]) => [name, { attrs }]));

process.stdout.write(JSON.stringify({ schema: { entities, links: schema.links }, rules }, kept, 2) + "\n");
