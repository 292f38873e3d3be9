"""Takes a shop, a person or a shopper out of every store, and looks afterwards whether anything is left."""
