"""The demo: three shops of our own, and the command that starts the whole platform on loopback."""
