"""Reads an image archive: the file, and the images in it as slices of the file.

A checksum or signature over the file so reaches every image in it, and the digest of an image
covers as much of the file as that image takes up; headers and all else stay unclaimed.
"""

from __future__ import annotations

from msgspec import structs

from assay.formats.archive import recognise
from assay.formats.archive.agree import Pair, pair_up
from assay.formats.archive.docker import MANIFEST, DockerImage, choose, parse_manifest
from assay.formats.archive.engine import Parts, claim_names, parts_of, read_image
from assay.formats.archive.layout import LayoutImage, read_images, read_index
from assay.formats.archive.scene import Scene
from assay.measure.inflate import compression_of
from assay.model.codes import archive as codes
from assay.model.codes import oci as oci_codes
from assay.model.component import Component, Derived
from assay.model.finding import AssayError, Finding
from assay.model.measurement import HashRequest
from assay.model.reading import Reading, Site
from assay.model.selection import Selection
from assay.sources.tar_fields import BLOCK, has_header

REPOSITORIES = "repositories"


def read_archive(site: Site, name: str) -> Reading:
    """Read an archive; ``name`` says which description counts where there are both."""
    top = site.component.id or "file"
    reading = Reading(targets=[top], requests=[(top, HashRequest("sha256"))])
    try:
        head = site.blob.read_at(0, BLOCK)
        compression = compression_of(head)
        if not compression and head and not has_header(head):
            raise _no_image("it is no tar archive")
        reading.components = _file(site, top, name, compression)
        members = recognise.members_of(site.blob)
    except AssayError as error:
        reading.components = reading.components or _file(site, top, "file", "")
        place = reading.components[-1].id
        reading.findings.append(structs.replace(error.finding, component=place))
        return reading
    scene = Scene(site, members, reading.components[-1].id)
    for finding in members.index.findings:
        scene.find(finding)
    try:
        _read_images(scene, name)
    except AssayError as error:
        scene.find(error.finding)
    reading.absorb(scene.reading)
    reading.targets = list(dict.fromkeys(scene.reading.targets)) or reading.targets
    reading.roots = scene.reading.roots
    reading.store = scene.store
    return reading


def _file(site: Site, top: str, kind: str, compression: str) -> list[Component]:
    extent, size = site.component.extent, site.blob.size
    if not compression:
        return [Component(top, kind, extent, site.component.parent, size)]
    return [
        Component(top, compression, extent, site.component.parent, size),
        Component(f"{top}/content", kind, Derived(top, compression), top),
    ]


def _no_image(detail: str) -> AssayError:
    return AssayError(
        Finding.of(
            codes.NOT_AN_IMAGE,
            detail=detail,
            expected="a tar archive with manifest.json, or with index.json and oci-layout",
        )
    )


def _read_images(scene: Scene, kind: str) -> None:
    """Read the images that are meant, by the description that counts. Raises AssayError."""
    index = read_index(scene)
    manifest = scene.document(MANIFEST)
    if scene.unreadable:
        return
    described = _described(scene, manifest, kind)
    pairs: list[Pair] = []
    if described and index is not None and index.entries:
        pairs, odd = pair_up(described, read_images(scene, index, Selection(), ""))
        for finding in odd:
            scene.find(finding)
    if kind == recognise.DOCKER:
        _read_described(scene, described, pairs)
    elif index is None:
        raise _no_image("there is no index.json in it")
    else:
        if manifest is None:
            _check_for_third_view(scene)
        options = scene.site.options
        for image in read_images(scene, index, options.selection, options.platform):
            _take(scene, image)
            scene.reading.targets += image.reading.targets


def _check_for_third_view(scene: Scene) -> None:
    """Without manifest.json, old versions of the Docker engine load what a file ``repositories``
    names."""
    if scene.members.index.find(REPOSITORIES) is None:
        return
    scene.find(
        Finding.of(
            codes.ARCHIVE_VIEWS_DISAGREE,
            detail="a file 'repositories' describes images for old programs, beside index.json",
            expected="one description of the same images",
        )
    )


def _described(scene: Scene, manifest: bytes | None, kind: str) -> list[tuple[DockerImage, Parts]]:
    """The images of manifest.json with their members. Where the layout counts, it may be some
    other document of that name. Raises AssayError."""
    if kind == recognise.OCI and not recognise.is_docker_manifest(manifest):
        return []
    if manifest is None:
        raise _no_image("there is no manifest.json in it")
    return [(image, parts_of(scene, image)) for image in parse_manifest(manifest)]


def _read_described(
    scene: Scene, described: list[tuple[DockerImage, Parts]], pairs: list[Pair]
) -> None:
    """Read the images that manifest.json describes and that are meant; those that the layout has
    as well have been read there."""
    selection = scene.site.options.selection
    by_digest = [pair.docker for pair in pairs if pair.layout.digest == selection.digest]
    meant = by_digest or choose([image for image, _ in described], selection)
    taken: set[int] = set()
    for image, parts in described:
        if image not in meant:
            scene.leave(image.position, f"not asked for: {image.shown}")
            continue
        mine = [pair for pair in pairs if pair.docker is image]
        for pair in mine:
            if id(pair.layout) not in taken:
                taken.add(id(pair.layout))
                _take(scene, pair.layout)
            claim_names(scene, image, pair.config, pair.layers)
            if not scene.options.platform or pair.manifest in pair.layout.reading.targets:
                _aim_at(scene, pair.config)
        if not mine:
            prefix = scene.site.prefix
            if len(meant) > 1 or pairs:
                prefix = scene.site.child(f"{'described' if pairs else 'image'}[{image.position}]")
            _aim_at(scene, read_image(scene, image, parts, prefix))
    if scene.options.platform and not scene.reading.targets:
        raise AssayError(
            Finding.of(
                oci_codes.NO_SUCH_PLATFORM,
                scene.archive,
                expected=scene.options.platform,
                actual=", ".join(dict.fromkeys(scene.platforms)) or "an image without platforms",
            )
        )


def _aim_at(scene: Scene, config: str) -> None:
    """What the engine calls the image is its configuration, which claims all layers."""
    if config:
        scene.reading.targets.append(config)
        scene.reading.roots.append(config)


def _take(scene: Scene, image: LayoutImage) -> None:
    """Add what was read of an image of the layout."""
    scene.reading.absorb(image.reading)
    if image.root:
        scene.reading.roots.append(image.root)
