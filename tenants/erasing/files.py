"""The files of a shop, pictures and copies, by what lies in the storages and not by what the database says of it."""

import uuid
from collections.abc import Callable, Iterator
from typing import TypeVar

from django.core.files.storage import Storage, default_storage

from controlplane.adapters.errors import AdapterError
from tenants.models.closing import shelf

T = TypeVar("T")


def files_of(tenant_id: uuid.UUID) -> list[tuple[Storage, str]]:
    """Raises AdapterError where a storage can't be asked."""
    folders = ((default_storage, f"pictures/{tenant_id}"), (shelf(), str(tenant_id)))
    return _asked(lambda: [(storage, name) for storage, folder in folders for name in _below(storage, folder)])


def erase(tenant_id: uuid.UUID) -> int:
    found = files_of(tenant_id)
    for storage, name in found:
        _asked(lambda storage=storage, name=name: storage.delete(name))  # type: ignore[misc]
    _asked(lambda: shelf().delete(str(tenant_id)))  # the empty folder
    return len(found)


def _below(storage: Storage, folder: str) -> Iterator[str]:
    try:
        folders, files = storage.listdir(folder)
    except FileNotFoundError:
        return
    yield from (f"{folder}/{name}" for name in files)
    for name in folders:
        yield from _below(storage, f"{folder}/{name}")


def _asked(call: Callable[[], T]) -> T:
    try:
        return call()
    except Exception as error:  # whatever a storage's library raises
        raise AdapterError(f"The storage of files failed ({type(error).__name__}).", permanent=False) from error
