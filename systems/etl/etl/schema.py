"""The tables: what is loaded, and the ledger of batches by which every row is accounted for."""

from typing import LiteralString

SCHEMA_LOCK = 1_510_000_010
"""Of PostgreSQL's advisory locks; any number that nobody else uses."""

SCHEMA: tuple[LiteralString, ...] = (
    "CREATE SCHEMA IF NOT EXISTS etl",
    """
    CREATE TABLE IF NOT EXISTS orders (
        order_id bigint PRIMARY KEY,
        customer text NOT NULL,
        amount_cents bigint NOT NULL,
        currency text NOT NULL,
        country text NOT NULL,
        ordered_at timestamptz NOT NULL,
        batch_id text NOT NULL,
        loaded_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX IF NOT EXISTS orders_ordered_at ON orders (ordered_at)",
    # One row a batch. A stage that has not done it yet is NULL.
    """
    CREATE TABLE IF NOT EXISTS etl.batches (
        batch_id text PRIMARY KEY,
        object_key text NOT NULL,
        extracted integer NOT NULL,
        extracted_at timestamptz NOT NULL DEFAULT now(),
        published_at timestamptz,
        transformed integer,
        rejected integer,
        transformed_at timestamptz,
        loaded integer,
        loaded_at timestamptz,
        CHECK (extracted = transformed + rejected),
        CHECK (transformed = loaded)
    )
    """,
    "CREATE INDEX IF NOT EXISTS batches_not_loaded ON etl.batches (extracted_at) WHERE loaded_at IS NULL",
    "CREATE INDEX IF NOT EXISTS batches_extracted_at ON etl.batches (extracted_at)",
    # A row for each stage that is added to: sums that survive the deletion of old batches, for `sereno exporter sql`.
    """
    CREATE TABLE IF NOT EXISTS etl.stages (
        pipeline text NOT NULL,
        stage text NOT NULL,
        rows_in bigint NOT NULL,
        rows_out bigint NOT NULL,
        rows_rejected bigint NOT NULL,
        finished_at timestamptz NOT NULL,
        PRIMARY KEY (pipeline, stage)
    )
    """,
    # The row as text: what is wrong may be no JSON.
    """
    CREATE TABLE IF NOT EXISTS etl.rejected_rows (
        batch_id text NOT NULL,
        position integer NOT NULL,
        reason text NOT NULL,
        raw text NOT NULL,
        rejected_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (batch_id, position)
    )
    """,
    "CREATE TABLE IF NOT EXISTS etl.positions (pipeline text PRIMARY KEY, position bigint NOT NULL)",
)
