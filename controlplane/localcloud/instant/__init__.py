"""A development stand-in for the open-source Instant server: today its admin HTTP API, on SQLite.

Behaviour follows the vendor's server at github.com/instantdb/instant, commit a4d2ef33b (2026-08-21); docstrings
name the Clojure namespaces that were read. Where this stand-in is stricter than the vendor, the comment says so.

schema → attrs → triples (storage) → steps, transactions (writes) and forms, conditions, instaql (reads) → engine (one
app's `query` and `transact`, no HTTP in it) → admin (routes) → app. The websocket session of the next issue speaks to
`engine` too; `permissions` is the only place that decides what a caller may do.
"""
