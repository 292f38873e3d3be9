"""The files of a shop's picture library, by what lies in the storage and not by what the database says of it."""

import uuid
from collections.abc import Callable, Iterator
from typing import TypeVar

from django.core.files.storage import default_storage

from controlplane.adapters.errors import AdapterError

T = TypeVar("T")


def files_of(tenant_id: uuid.UUID) -> list[str]:
    """Raises AdapterError where the storage can't be asked."""
    return _asked(lambda: list(_below(f"pictures/{tenant_id}")))


def erase_files(tenant_id: uuid.UUID) -> int:
    names = files_of(tenant_id)
    for name in names:
        _asked(lambda name=name: default_storage.delete(name))  # type: ignore[misc]
    return len(names)


def _below(folder: str) -> Iterator[str]:
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    yield from (f"{folder}/{name}" for name in files)
    for name in folders:
        yield from _below(f"{folder}/{name}")


def _asked(call: Callable[[], T]) -> T:
    try:
        return call()
    except Exception as error:  # whatever a storage's library raises
        raise AdapterError(f"The storage of pictures failed ({type(error).__name__}).", permanent=False) from error
