"""A shop's picture library: what is uploaded, how it is kept, where it is used."""
