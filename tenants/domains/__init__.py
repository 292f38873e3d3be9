"""A merchant's own hosts: names, proof of control, certificates, and what the merchant reads about them."""
