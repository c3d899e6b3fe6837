"""SLSA provenance v1, v0.2 and v0.1 (slsa.dev/provenance/v1 and so on): which builder built the
image, from what, in which way."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from assay.model.statement import Facts, Provenance, Resource, Source
from assay.predicates.fields import Fields
from assay.predicates.locations import split
from assay.predicates.model import Affirming, Predicate, PredicateFamily

V1 = "https://slsa.dev/provenance/v1"
V0_2 = "https://slsa.dev/provenance/v0.2"
V0_1 = "https://slsa.dev/provenance/v0.1"
_TITLES = {kind: f"SLSA provenance {kind.rpartition('/')[2]}" for kind in (V1, V0_2, V0_1)}

_SOURCES = ("workflow", "source", "sourceToBuild", "buildConfigSource", "configSource")
"""External parameters by which the known build types of v1 name what was built: GitHub's, Google
Cloud Build's, BuildKit's."""
_LOCATION = ("repository", "uri")


class SlsaProvenance(Affirming):
    name = "slsa-provenance"

    def title(self, predicate_type: str) -> str:
        return _TITLES.get(predicate_type, "")

    def read(self, predicate: Predicate) -> Facts:
        fields = Fields(predicate.content, predicate.document)
        return {V1: _v1, V0_2: _v0_2}.get(predicate.type, _v0_1)(fields)


def _v1(fields: Fields) -> Provenance:
    definition, details = fields.within("buildDefinition"), fields.within("runDetails")
    metadata = details.within_or_empty("metadata")
    dependencies = definition.resources("resolvedDependencies")
    definition.within("externalParameters")
    return Provenance(
        builder=details.within("builder").text("id"),
        build_type=definition.text("buildType"),
        sources=tuple(
            _known(source, dependencies) for source in _named(definition, "externalParameters")
        ),
        parameters=definition.leaves("externalParameters"),
        dependencies=dependencies,
        invocation=metadata.text_or_none("invocationId"),
        started=metadata.time("startedOn"),
        finished=metadata.time("finishedOn"),
    )


def _named(definition: Fields, where: str) -> list[Source]:
    """What the external parameters name as a source, by the names of known build types."""
    parameters = definition.within(where)
    found: list[Source] = []
    for name in _SOURCES:
        value = parameters.raw(name)
        field = f"{parameters.path}.{name}"
        if isinstance(value, str) and value:
            uri, ref = split(value)
            found.append(Source(uri, ref, field=field))
        elif isinstance(value, dict):
            place = parameters.within(name)
            for key in _LOCATION:
                if location := place.text_or_none(key):
                    uri, ref = split(location)
                    digests = place.text_map("digest")
                    ref = place.text_or_none("ref") or ref
                    found.append(Source(uri, ref, digests, f"{field}.{key}"))
    return found


def _known(source: Source, dependencies: Sequence[Resource]) -> Source:
    """The source with its digests, which v1 tells among the dependencies."""
    if source.digests:
        return source
    for dependency in dependencies:
        uri, ref = split(dependency.uri)
        if uri == source.uri and ref in (source.ref, ""):
            return replace(source, digests=dependency.digests)
    return source


def _v0_2(fields: Fields) -> Provenance:
    invocation = fields.within_or_empty("invocation")
    metadata = fields.within_or_empty("metadata")
    config = invocation.within_or_empty("configSource")
    invocation.within_or_empty("parameters")
    sources: tuple[Source, ...] = ()
    if location := config.text_or_none("uri"):
        uri, ref = split(location)
        sources = (Source(uri, ref, config.text_map("digest"), f"{config.path}.uri"),)
    parameters = invocation.leaves("parameters") if "parameters" in invocation else {}
    if entry := config.text_or_none("entryPoint"):
        parameters = {"configSource.entryPoint": entry, **parameters}
    return Provenance(
        builder=fields.within("builder").text("id"),
        build_type=fields.text("buildType"),
        sources=sources,
        parameters=parameters,
        dependencies=fields.resources("materials"),
        invocation=metadata.text_or_none("buildInvocationId")
        or metadata.text_or_none("buildInvocationID"),
        started=metadata.time("buildStartedOn"),
        finished=metadata.time("buildFinishedOn"),
    )


def _v0_1(fields: Fields) -> Provenance:
    recipe, metadata = fields.within("recipe"), fields.within_or_empty("metadata")
    materials = fields.resources("materials")
    sources: tuple[Source, ...] = ()
    if "definedInMaterial" in recipe:
        number = recipe.raw("definedInMaterial")
        if (
            not isinstance(number, int)
            or isinstance(number, bool)
            or not (0 <= number < len(materials))
        ):
            raise recipe.wrong("definedInMaterial", "the number of a material")
        uri, ref = split(materials[number].uri)
        field = f"materials[{number}].uri"
        sources = (Source(uri, ref, materials[number].digests, field),)
    arguments = isinstance(recipe.raw("arguments"), dict)
    parameters = recipe.leaves("arguments") if arguments else {}
    if entry := recipe.text_or_none("entryPoint"):
        parameters = {"recipe.entryPoint": entry, **parameters}
    return Provenance(
        builder=fields.within("builder").text("id"),
        build_type=recipe.text("type"),
        sources=sources,
        parameters=parameters,
        dependencies=materials,
        invocation=metadata.text_or_none("buildInvocationId"),
        started=metadata.time("buildStartedOn"),
        finished=metadata.time("buildFinishedOn"),
    )


FAMILY: PredicateFamily = SlsaProvenance()
