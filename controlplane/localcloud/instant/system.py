"""The attributes that every app has from the start, `$users` among them (server: system_catalog.clj).

Their ids are the same in every app: a name of at most 12 letters, five bits a letter, filled up with ones.
"""

import uuid
from typing import Any

from controlplane.localcloud.instant.attrs import Attr, DataType, Identity

ALPHABET = "abcdefghijklmnopqrstuvwxzy/"  # x, z, y: the vendor's order

ETYPE_CODES = {
    "$users": "us",
    "$magicCodes": "mc",
    "$userRefreshTokens": "ur",
    "$oauthProviders": "op",
    "$oauthUserLinks": "ol",
    "$oauthClients": "oc",
    "$oauthCodes": "co",
    "$oauthRedirects": "or",
    "$files": "fi",
    "$streams": "st",
}

# Only labels whose code is not simply their first ten letters in lower case.
LABEL_CODES = {
    "$oauthClient": "oauclient",
    "$oauthProvider": "oprovider",
    "$files": "$files",
    "$user": "user",
    "abortReason": "abrtreasn",
    "codeChallenge": "codechall",
    "codeChallengeMethod": "cchalmeth",
    "content-disposition": "cdisp",
    "content-type": "ctype",
    "cookieHash": "cookihash",
    "discoveryEndpoint": "discovend",
    "encryptedClientSecret": "encclisec",
    "hashedReconnectToken": "hashretok",
    "hashedToken": "hashedtok",
    "key-version": "kv",
    "linkedGuestUsers": "lgu",
    "linkedPrimaryUser": "lpu",
    "location-id": "lid",
    "redirectTo": "redirecto",
    "redirectUrl": "redireurl",
    "sub+$oauthProvider": "subprovid",
    "useSharedCredentials": "usesharcr",
    "userInfo": "usernfo",
}

# Namespaces of the system that an app may give attributes of its own.
EXTENSIBLE = {"$users", "$files", "$streams"}


def _pack(text: str) -> bytes:
    bits = "".join(f"{ALPHABET.index(char):05b}" for char in text).ljust(64, "1")
    return int(bits, 2).to_bytes(8, "big")


def _uuid(kind: str, etype: str, label: str) -> str:
    code = ETYPE_CODES.get(label) or LABEL_CODES.get(label) or label.lower()
    return str(uuid.UUID(bytes=_pack(f"system{kind}") + _pack(f"{ETYPE_CODES[etype]}/{code}")))


def attr_id(etype: str, label: str) -> str:
    """`$users.email` is 96653230-13ff-ffff-a4b4-46010bffffff in every app."""
    return _uuid("at", etype, label)


def _identity(etype: str, label: str) -> Identity:
    return (_uuid("id", etype, label), etype, label)


def _blob(etype: str, label: str, data_type: DataType | None, *flags: str) -> Attr:
    return Attr(
        id=attr_id(etype, label),
        forward=_identity(etype, label),
        data_type=data_type,
        unique="unique" in flags,
        indexed="indexed" in flags,
        required="required" in flags,
        catalog="system",
    )


def _ref(etype: str, label: str, to: tuple[str, str], **options: Any) -> Attr:
    return Attr(
        id=attr_id(etype, label),
        forward=_identity(etype, label),
        reverse=_identity(*to),
        value_type="ref",
        catalog="system",
        **options,
    )


SYSTEM_ATTRS: tuple[Attr, ...] = (
    *(_blob(etype, "id", None, "unique", "indexed") for etype in ETYPE_CODES),
    _blob("$users", "email", "string", "unique", "indexed"),
    _blob("$users", "type", "string"),
    _blob("$users", "imageURL", "string"),
    _ref("$users", "linkedPrimaryUser", ("$users", "linkedGuestUsers"), on_delete="cascade"),
    _blob("$magicCodes", "codeHash", "string", "indexed"),
    _blob("$magicCodes", "email", "string", "indexed"),
    _blob("$userRefreshTokens", "hashedToken", "string", "unique", "indexed"),
    _ref("$userRefreshTokens", "$user", ("$users", "$userRefreshTokens"), indexed=True, on_delete="cascade"),
    _blob("$files", "path", "string", "unique", "indexed", "required"),
    _blob("$files", "size", "number", "indexed", "required"),
    _blob("$files", "content-type", "string", "indexed"),
    _blob("$files", "content-disposition", "string", "indexed"),
    _blob("$files", "location-id", "string", "unique", "indexed", "required"),
    _blob("$files", "key-version", "number"),
    _blob("$files", "url", "string"),
)
"""What this stand-in keeps of the vendor's catalogue. Sign-in by OAuth and streams are not spoken, so theirs are left
out but for the ids, which reserve the namespaces."""
