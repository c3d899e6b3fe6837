"""`docker://registry/repository[:tag|@digest]`: an image in a registry.

A tag is looked up exactly once: the bytes received then are the root of everything that follows,
and all else is asked for by digest.
"""

from __future__ import annotations

import os
import threading

from assay.model.codes import content as content_codes
from assay.model.codes import network as codes
from assay.model.finding import AssayError, Finding, UsageError
from assay.sources.blobs import MemoryBlob
from assay.sources.credentials import CredentialFiles
from assay.sources.http.client import client_for, identity_from, refuse_offline
from assay.sources.http.url import parse_authority
from assay.sources.model import OpenedImage, OpenOptions
from assay.sources.registry.certificates import identity_of
from assay.sources.registry.connection import RegistryConnection
from assay.sources.registry.reference import DEFAULT_TAG, Reference, parse_reference
from assay.sources.registry.repository import Repository

_CONNECTIONS: dict[tuple[object, ...], RegistryConnection] = {}
_LOCK = threading.Lock()


class RegistrySource:
    name = "docker"

    def open(self, rest: str, options: OpenOptions) -> list[OpenedImage]:
        reference = parse_name(rest)
        refuse_offline(options, f"{reference} is in a registry, on the network")
        repository = open_repository(reference, options)
        manifest = repository.manifest(reference.digest or reference.tag or DEFAULT_TAG)
        if manifest is None:
            raise AssayError(
                Finding.of(
                    content_codes.NOT_FOUND, detail=f"{reference}: the registry has no such image"
                )
            )
        findings = list(manifest.findings)
        if reference.tag and reference.digest is not None:
            findings.append(Finding.of(codes.TAG_NOT_ASKED, detail=f"the tag is {reference.tag}"))
        return [
            OpenedImage(
                name=f"docker:{rest}",
                resolved=f"docker://{reference.name}@{manifest.digest}",
                root=MemoryBlob(manifest.content),
                root_key=str(manifest.digest),
                store=repository,
                media_type=manifest.media_type,
                pinned=reference.digest,
                label=reference.repository.rpartition("/")[2],
                findings=findings,
            )
        ]


def parse_name(rest: str) -> Reference:
    """What follows ``docker:`` in an image's name. Raises UsageError."""
    default = os.environ.get("ASSAY_DEFAULT_REGISTRY", "")
    if default:
        try:
            parse_authority(default)
        except ValueError as error:
            raise UsageError(f"ASSAY_DEFAULT_REGISTRY in the environment: {error}") from error
    if not rest.startswith("//"):
        raise UsageError(f"docker:{rest}: expected docker://REGISTRY/REPOSITORY[:TAG|@DIGEST]")
    try:
        return parse_reference(rest[2:], default)
    except ValueError as error:
        raise UsageError(f"docker:{rest}: {error}") from error


def open_repository(reference: Reference, options: OpenOptions) -> Repository:
    """The repository that a reference names, over connections and tokens that all images of one
    call share. Makes no request. Raises AssayError (offline), UsageError."""
    http = client_for(options)
    identity = identity_of(reference.registry, identity_from(options), os.environ)
    files = CredentialFiles(options.auth_file, os.environ)
    key = (reference.registry, options, identity, tuple(files.places()))
    with _LOCK:
        connection = _CONNECTIONS.get(key)
        if connection is None:
            connection = _CONNECTIONS[key] = RegistryConnection(
                http, reference.registry, files, identity, plain_http=options.plain_http
            )
    store = None
    if options.keep_facts:
        from assay.kept.store import shared_store

        store = shared_store()
    return Repository(connection, reference.repository, store)


SOURCE = RegistrySource()
