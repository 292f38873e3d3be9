"""The one error that every adapter raises, whatever the vendor's SDK threw."""


class AdapterError(Exception):
    """A vendor refused or did not answer.

    `permanent` is true when the same request would fail again (bad input, bad credentials, over a size
    limit); `retry_after` is the vendor's own wish in seconds, where it named one. `message` is shown to
    merchants and must not carry a secret.
    """

    def __init__(self, message: str, *, permanent: bool, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.permanent = permanent
        self.retry_after = retry_after
