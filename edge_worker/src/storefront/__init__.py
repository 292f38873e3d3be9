"""The storefront at the edge: pure Python, no Django, the same under CPython and in the Worker."""
