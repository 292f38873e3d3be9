"""Development stand-ins that speak the vendors' wire protocols on loopback. Never deployed, no Django."""
