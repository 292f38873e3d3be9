"""A development stand-in for the open-source Instant server, on SQLite: sync, runtime auth, admin and platform HTTP.

Behaviour follows the vendor's server at github.com/instantdb/instant, commit a4d2ef33b (2026-08-21); docstrings
name the Clojure namespaces that were read. Where this stand-in is stricter than the vendor, the comment says so.

schema → attrs → triples (storage) → steps, transactions (writes) and forms, conditions, instaql (reads) → engine (one
app, no HTTP in it) → admin, runtime, platform (routes) and session (a browser, over `sockets` or `sse`) → app.
`permissions` alone decides what a caller may do. A query notes what it `reads`; by that `subscriptions` finds which
live answers a write concerns.
"""
