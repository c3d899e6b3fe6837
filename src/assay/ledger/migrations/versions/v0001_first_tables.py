"""The first tables."""

from __future__ import annotations

import sqlalchemy as sql
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "assay_meta",
        sql.Column("name", sql.String(64), primary_key=True),
        sql.Column("value", sql.LargeBinary, nullable=False),
    )
    op.create_table(
        "assay_entries",
        sql.Column("position", sql.BigInteger, primary_key=True, autoincrement=False),
        sql.Column("leaf", sql.LargeBinary, nullable=False),
        sql.Column("body", sql.LargeBinary),
    )
    op.create_table(
        "assay_tiles",
        sql.Column("level", sql.Integer, primary_key=True, autoincrement=False),
        sql.Column("position", sql.BigInteger, primary_key=True, autoincrement=False),
        sql.Column("hashes", sql.LargeBinary, nullable=False),
    )
    op.create_table(
        "assay_checkpoints",
        sql.Column("size", sql.BigInteger, primary_key=True, autoincrement=False),
        sql.Column("note", sql.LargeBinary, nullable=False),
    )
    op.create_table(
        "assay_names",
        sql.Column("name", sql.String(200), primary_key=True),
        sql.Column("position", sql.BigInteger, primary_key=True, autoincrement=False),
    )
