"""What identifies this build of the storefront's look: the style sheet's digest and the templates' digest."""

import hashlib
import importlib
from pathlib import Path
from typing import Final

STYLESHEET_DIGEST: Final = "9caf6f9caf"
"""Of public/static/storefront.css, which is a static asset and not a file of the Worker. A test keeps it true:
`python -m storefront.assets` (with edge_worker/src on the path) writes it anew."""

STYLESHEET: Final = f"/static/storefront.css?v={STYLESHEET_DIGEST}"

_HERE = Path(__file__).parent

TEMPLATES: Final = {
    path.relative_to(_HERE / "templates").as_posix(): path.read_text("utf-8")
    for path in sorted((_HERE / "templates").rglob("*.html"))
}
"""Read once, at import: on Cloudflare that is part of the snapshot."""


BUNDLE: Final[dict[str, str]] = (
    importlib.import_module("storefront.bundle").FILES if (_HERE / "bundle.py").exists() else {}
)
"""Where the browser's files are, by name; empty before `make bundle`: pages then are complete, but not live."""


def digest(*parts: bytes) -> str:
    """Ten hexadecimal digits."""
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:10]


BUILD: Final = digest(
    *(path.read_bytes() for path in sorted(_HERE.glob("*.py"))), *(text.encode() for text in TEMPLATES.values())
)
"""Changes with every deploy that can change a page: part of each ETag."""


def _rewrite() -> None:
    """Puts the style sheet's present digest into this file."""
    css = _HERE.parents[1] / "public" / "static" / "storefront.css"
    here = Path(__file__)
    here.write_text(here.read_text("utf-8").replace(STYLESHEET_DIGEST, digest(css.read_bytes()), 1), "utf-8")


if __name__ == "__main__":
    _rewrite()
