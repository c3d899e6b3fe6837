"""Trust policies of other tools, read into anchors and requirements; one importer a file format."""
