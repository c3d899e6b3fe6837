"""GUIDs as UEFI writes them, and the names of those that matter for Secure Boot."""

from __future__ import annotations

import uuid

SIZE = 16

GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
"""EFI_GLOBAL_VARIABLE: the vendor of PK, KEK and the variables that the specification names."""
IMAGE_SECURITY = "d719b2cb-3d3a-4596-a3bc-dad00e67656f"
"""EFI_IMAGE_SECURITY_DATABASE_GUID: the vendor of db, dbx, dbt and dbr."""
SHIM_LOCK = "605dab50-e046-4300-abb6-3dd810dd8b23"
"""The vendor of shim's variables (MokList ...)."""
PKCS7 = "4aafd29d-68df-49ee-8aa9-347d375665a7"
"""EFI_CERT_TYPE_PKCS7_GUID: the kind of signature on an authenticated variable."""

_NAMES = {
    GLOBAL: "EFI global variable",
    IMAGE_SECURITY: "EFI image security database",
    SHIM_LOCK: "shim",
    "77fa9abd-0359-4d32-bd60-28f4e78f784b": "Microsoft",
    "d9bee56e-75dc-49d9-b4d7-b534210f637a": "EFI certificate database",
    "f0a30bc7-af08-4556-99c4-001009c93a44": "EFI secure boot enable/disable",
    "c076ec0c-7028-4399-a072-71ee5c448b9f": "EFI custom mode",
    "a0baa8a3-041d-48a8-bc87-c36d121b5e3d": "OVMF platform keys",
    "4e32566d-8e9e-4f52-81d3-5bb9715f9727": "OVMF platform keys",
    "9d132b61-59d5-4388-ab1c-185c3cb2eb92": "Windows boot manager SVN",
    "e8f82e9d-e127-4158-a488-4c18abe2f284": "Windows CD boot SVN",
    "c999cac2-7ffe-496f-8127-9e2a8a535976": "Windows WDS boot manager SVN",
}


def read_guid(data: bytes) -> str:
    """The text form of 16 bytes: the first three fields are little-endian."""
    return str(uuid.UUID(bytes_le=data))


def encode(text: str) -> bytes:
    """The 16 bytes of a GUID. Raises ValueError for text that is none."""
    return uuid.UUID(text).bytes_le


def name_of(guid: str) -> str:
    """What people call it; the GUID itself where they call it nothing."""
    return _NAMES.get(guid, guid)
