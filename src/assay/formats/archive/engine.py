"""Reads an image as the Docker engine loads it: a configuration, and the layers that it claims."""

from __future__ import annotations

from msgspec import Struct, structs

from assay.formats.archive.docker import MANIFEST, DockerImage, blob_claim, config_claim
from assay.formats.archive.scene import Scene
from assay.formats.oci.config import Config, parse_config
from assay.formats.oci.context import Context, below
from assay.formats.oci.layers import read_file_system
from assay.formats.oci.manifest import check_counts
from assay.formats.oci.platforms import Platform
from assay.model.claim import Claim, DigestIs
from assay.model.codes import content as content_codes
from assay.model.component import Component
from assay.model.finding import AssayError, Finding
from assay.printable import printable
from assay.sources.tar import TarMember


class Parts(Struct):
    """The members that an image consists of; None for those that are not there."""

    config: TarMember | None
    layers: list[TarMember | None]


def parts_of(scene: Scene, image: DockerImage) -> Parts:
    """Look the members up that a description names. What is missing is reported."""
    return Parts(
        _find(scene, image, image.config, "Config"),
        [
            _find(scene, image, name, f"Layers[{number}]")
            for number, name in enumerate(image.layers)
        ],
    )


def _find(scene: Scene, image: DockerImage, name: str, field: str) -> TarMember | None:
    origin = scene.site.child(MANIFEST)
    try:
        member = scene.member(name)
    except AssayError as error:
        scene.find(error.finding, origin)
        return None
    if member is None:
        scene.find(
            Finding.of(
                content_codes.MISSING_COMPONENT,
                origin,
                f"[{image.position}].{field} names {name[:200]!r}, and the archive has no such"
                " member",
                expected=ascii(name[:200]),
                actual="nothing",
            )
        )
    return member


def claim_names(scene: Scene, image: DockerImage, config: str, layers: list[str]) -> None:
    """What the names of configuration and layers say of their digests. ``config`` and ``layers``
    are components."""
    origin, where = scene.site.child(MANIFEST), f"[{image.position}]"
    digest = config_claim(image)
    if digest is not None:
        scene.reading.claims.append(Claim(config, origin, DigestIs(digest), f"{where}.Config"))
    for number, (layer, name) in enumerate(zip(layers, image.layers, strict=True)):
        digest = blob_claim(name)
        if digest is not None and layer:
            scene.reading.claims.append(
                Claim(layer, origin, DigestIs(digest), f"{where}.Layers[{number}]")
            )


def read_image(scene: Scene, image: DockerImage, parts: Parts, prefix: str) -> str:
    """Add the configuration and the layers of an image. The id of the configuration; empty when
    it cannot be read, or is of another platform than the one asked for."""
    if parts.config is None:
        return ""
    context = Context(structs.replace(scene.site, store=scene.store, options=scene.options))
    found = _read(context, scene, image, parts, prefix)
    scene.reading.absorb(context.reading)
    return found


def _read(context: Context, scene: Scene, image: DockerImage, parts: Parts, prefix: str) -> str:
    assert parts.config is not None
    config = Config(below(prefix, "config"))
    extent = scene.store.slice_of(parts.config)
    labels = {"name": printable(image.shown)} if image.names else {}
    try:
        blob = scene.members.open(parts.config)
        data = context.hold(extent, blob, "the configuration")
        document = Component(
            config.component, "oci-config", extent, scene.archive, len(data), labels=labels
        )
        context.keep(document, data)
    except AssayError as error:
        context.find(error.finding, config.component)
        return ""
    parse_config(context, data, config)
    asked = scene.options.platform
    if asked and config.platform is not None:
        scene.platforms.append(config.platform.name)
        if not config.platform.meets(Platform.asked(asked)):
            scene.leave(image.position, f"outside --platform {asked}")
            return ""
    layers = [
        _layer(context, scene, below(prefix, f"layer[{number}]"), member, config, number)
        for number, member in enumerate(parts.layers)
    ]
    if config.diff_ids is not None:
        check_counts(context, config.component, config, len(layers))
    claim_names(scene, image, config.component, layers)
    return config.component


def _layer(
    context: Context,
    scene: Scene,
    component: str,
    member: TarMember | None,
    config: Config,
    number: int,
) -> str:
    if member is None:
        return ""
    extent = scene.store.slice_of(member)
    context.add(Component(component, "oci-layer", extent, config.component, member.size))
    read_file_system(context, component, scene.members.open(member), None, config, number)
    return component
