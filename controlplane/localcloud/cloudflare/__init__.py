"""A stand-in for Cloudflare's REST API: Workers KV and Workers AI embeddings."""
