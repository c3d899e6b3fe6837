"""Writes the JSON Schemas that come from code into the package. Run it after a change of the
model; a test says when it is due."""

from __future__ import annotations

from assay.report import schemas


def main() -> None:
    for name in schemas.GENERATED:
        path = schemas.FOLDER / f"{name}.json"
        path.write_text(schemas.generate(name), "utf-8")
        print(f"written: {path.name}")


if __name__ == "__main__":
    main()
