"""The JSON Schemas of what Assay writes and reads.

Those of documents that Assay writes are made from the code (`generate`) and shipped as files, so
that they can be read where there is no Assay; a test compares the two.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from assay.model.boot import SCHEMA_VERSION as boot_check_version  # noqa: N811
from assay.model.boot import BootCheck
from assay.model.comparison import SCHEMA_VERSION as comparison_version  # noqa: N811
from assay.model.comparison import Comparison
from assay.model.measured_boot import SCHEMA_VERSION as boot_version  # noqa: N811
from assay.model.measured_boot import BootComparison, Prediction
from assay.model.verdict import SCHEMA_VERSION, Verdict
from assay.policy.cases import VERSION as cases_version  # noqa: N811
from assay.policy.facts import VERSION as facts_version  # noqa: N811
from assay.policy.facts import Facts
from assay.policy.model import VERSION as policy_version  # noqa: N811
from assay.policy.schema import cases_schema, policy_schema
from assay.report.contents import PackageList
from assay.report.files import FileList, ListedFile

FOLDER = Path(__file__).parent / "schema"

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def names() -> list[str]:
    """The schemas in the package."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def text_of(name: str) -> str:
    """A schema as it is shipped; the newest where a name has no version (``policy``). Raises
    KeyError when there is none of that name."""
    versions = [each for each in names() if each.rpartition("-")[0] == name]
    name = max(versions, key=lambda each: int(each.rpartition("-")[2]), default=name)
    if name not in names():
        raise KeyError(name)
    return (FOLDER / f"{name}.json").read_text("utf-8")


def title_of(name: str) -> str:
    """What a schema is for."""
    title: str = json.loads(text_of(name)).get("title", "")
    return title


def _definitions(*written: type) -> dict[str, Any]:
    """The schemas of types and of all types in them, as they are written."""
    _, definitions = msgspec.json.schema_components(written, ref_template="#/$defs/{name}")
    for definition in definitions.values():
        if "description" in definition:
            definition["description"] = inspect.cleandoc(definition["description"])
        if "properties" in definition:
            # every field is written, those that have their default value as well
            definition["required"] = list(definition["properties"])
            for field in definition["properties"].values():
                field.pop("default", None)
    return definitions


def _verdict() -> dict[str, Any]:
    """`report.json.render`: the verdicts, with what it adds to them."""
    definitions = _definitions(Verdict, FileList, PackageList)
    verdict, coverage = definitions["Verdict"], definitions["Coverage"]
    verdict["properties"]["schema_version"] = {"const": SCHEMA_VERSION}
    verdict["properties"]["exit_status"] = {
        "description": "0 verified and allowed, 1 refused, 3 could not be checked.",
        "enum": [0, 1, 3],
    }
    verdict["required"].append("exit_status")
    verdict["properties"]["file_indexes"] = {
        "description": "With `assay inspect --files`: the files of each image in it.",
        "type": "array",
        "items": {"$ref": "#/$defs/FileList"},
    }
    verdict["properties"]["package_lists"] = {
        "description": "With `assay inspect --packages`: the packages of each image in it.",
        "type": "array",
        "items": {"$ref": "#/$defs/PackageList"},
    }
    files = definitions["FileAccount"]
    files["properties"]["accounted"] = {
        "description": "The files accounted for in any of these ways.",
        "type": "integer",
    }
    files["properties"]["fraction"] = {
        "description": "Files accounted for out of all; 1 where there is none.",
        "type": "number",
        "minimum": 0,
        "maximum": 1,
    }
    files["required"] += ["accounted", "fraction"]
    definitions["ListedFile"]["required"] = [
        field.name for field in msgspec.structs.fields(ListedFile) if field.required
    ]
    coverage["properties"]["fraction"] = {
        "description": "Bound bytes out of those that no scheme leaves out by definition.",
        "type": "number",
        "minimum": 0,
        "maximum": 1,
    }
    coverage["required"].append("fraction")
    return {
        "title": f"Verdicts of Assay, version {SCHEMA_VERSION}",
        "description": "What `assay verify --format json` and `assay inspect --format json` write."
        " A minor release may add properties and enumerated values; none is removed and none"
        " changes its meaning without a new version.",
        "type": "object",
        "properties": {
            "schema_version": {"const": SCHEMA_VERSION},
            "verdicts": {"type": "array", "items": {"$ref": "#/$defs/Verdict"}},
        },
        "required": ["schema_version", "verdicts"],
        "$defs": dict(sorted(definitions.items())),
    }


def _comparison() -> dict[str, Any]:
    """`report.comparison.render_json`."""
    definitions = _definitions(Comparison)
    comparison = definitions.pop("Comparison")
    version = comparison_version
    comparison["title"] = f"Comparisons of Assay, version {version}"
    comparison["description"] = "What `assay compare --format json` writes."
    comparison["properties"]["schema_version"] = {"const": version}
    comparison["properties"]["exit_status"] = {
        "description": "0 the same, 1 different, 3 something could not be compared.",
        "enum": [0, 1, 3],
    }
    comparison["required"].append("exit_status")
    return {**comparison, "$defs": dict(sorted(definitions.items()))}


def _boot_prediction() -> dict[str, Any]:
    """`report.measured_boot.render_json`."""
    definitions = _definitions(Prediction)
    prediction = definitions.pop("Prediction")
    prediction["title"] = f"Predictions of what a boot measures, version {boot_version}"
    prediction["description"] = "What `assay boot predict --format json` writes."
    prediction["properties"]["schema_version"] = {"const": boot_version}
    return {**prediction, "$defs": dict(sorted(definitions.items()))}


def _boot_comparison() -> dict[str, Any]:
    """`report.measured_boot.render_comparison_json`."""
    definitions = _definitions(BootComparison)
    comparison = definitions.pop("BootComparison")
    comparison["title"] = f"Comparisons of a prediction with an event log, version {boot_version}"
    comparison["description"] = "What `assay boot compare --format json` writes."
    comparison["properties"]["schema_version"] = {"const": boot_version}
    comparison["properties"]["exit_status"] = {
        "description": "0 as predicted, 1 different, 3 no PCR could be compared in full.",
        "enum": [0, 1, 3],
    }
    comparison["required"].append("exit_status")
    return {**comparison, "$defs": dict(sorted(definitions.items()))}


def _boot_check() -> dict[str, Any]:
    """`report.boot.render_json`."""
    definitions = _definitions(BootCheck)
    check = definitions["BootCheck"]
    check["properties"]["schema_version"] = {"const": boot_check_version}
    check["properties"]["exit_status"] = {
        "description": "0 all would be started, 1 something would not, 3 it could not be checked.",
        "enum": [0, 1, 3],
    }
    check["required"].append("exit_status")
    return {
        "title": f"Checks of Secure Boot by Assay, version {boot_check_version}",
        "description": "What `assay boot check --format json` writes.",
        "type": "object",
        "properties": {
            "schema_version": {"const": boot_check_version},
            "checks": {"type": "array", "items": {"$ref": "#/$defs/BootCheck"}},
        },
        "required": ["schema_version", "checks"],
        "$defs": dict(sorted(definitions.items())),
    }


def _facts() -> dict[str, Any]:
    """`policy.facts.written`."""
    definitions = _definitions(Facts)
    facts = definitions.pop("Facts")
    facts["title"] = f"Facts that policies of Assay are judged on, version {facts_version}"
    facts["description"] = "What `assay verify --record-facts` writes."
    facts["properties"]["assay_facts"] = {"const": facts_version}
    return {**facts, "$defs": dict(sorted(definitions.items()))}


GENERATED: dict[str, Callable[[], dict[str, Any]]] = {
    f"verdict-{SCHEMA_VERSION}": _verdict,
    f"comparison-{comparison_version}": _comparison,
    f"policy-{policy_version}": policy_schema,
    f"policy-cases-{cases_version}": cases_schema,
    f"facts-{facts_version}": _facts,
    f"boot-prediction-{boot_version}": _boot_prediction,
    f"boot-comparison-{boot_version}": _boot_comparison,
    f"boot-check-{boot_check_version}": _boot_check,
}
"""The schemas that are made from code, by name."""


def generate(name: str) -> str:
    """A schema as the code has it now."""
    schema = {"$schema": _DIALECT, "$id": f"urn:assay:schema:{name}", **GENERATED[name]()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
