"""Flags on shops' content: by rules when something goes live (`checking`), by shoppers (`collecting`)."""
