"""Reading files: processor time as a multiple of the underlying reader's, and peak memory.

From the project's folder: `python -m benchmarks.reading` or `python benchmarks/reading.py`.
"""

# ruff: noqa: PLC0415 - libraries that one kind alone needs stay out of the others' memory.

import argparse
import csv
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

# Run as a file, Python looks for packages beside the file and not in the project's folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.process import peak_resident_bytes, resident_bytes, run_child
from mrl_explorer.data import read_records

TABLES = ("csv", "jsonl", "json", "txt", "parquet", "uncompressed")
ARROW = ("csv", "jsonl", "json", "parquet", "uncompressed")
DOCUMENTS = ("md", "html", "docx")
PARQUET = ("parquet", "uncompressed")
_WORDS = 80
_PARAGRAPHS_A_FILE = 2_000


def texts(n_bytes: int) -> Iterator[str]:
    """Make passages of 80 words until they hold about so many bytes."""
    random = np.random.default_rng(0)
    # Curly quotes are what Python's strings double their size for.
    words = [f"w{number:05}" for number in range(20_000)] + ["“quoted”"] * 40
    made = 0
    while made < n_bytes:
        text = " ".join(words[place] for place in random.integers(len(words), size=_WORDS))
        made += len(text.encode())
        yield text


def write(kind: str, path: Path, *, n_bytes: int) -> None:
    """Write a file of passages."""
    if kind in PARQUET:
        column = pa.array(texts(n_bytes), pa.large_string())
        table = pa.table({"id": np.arange(len(column)), "text": column})
        pq.write_table(table, path, compression="snappy" if kind == "parquet" else "none")
        return
    if kind == "docx":
        from docx import Document

        document = Document()
        for text in texts(_PARAGRAPHS_A_FILE * _WORDS * 7):
            document.add_paragraph(text)
        document.save(str(path))
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        if kind == "csv":
            writer = csv.writer(file)
            writer.writerow(["id", "text"])
            writer.writerows(enumerate(texts(n_bytes)))
        elif kind in ("json", "jsonl"):
            start, between, end = ("[", ",\n", "]") if kind == "json" else ("", "\n", "\n")
            file.write(start)
            for row, text in enumerate(texts(n_bytes)):
                file.write(between if row else "")
                file.write(json.dumps({"id": row, "text": text}, ensure_ascii=False))
            file.write(end)
        elif kind == "html":
            file.writelines(f"<p>{text}</p>\n" for text in texts(_PARAGRAPHS_A_FILE * _WORDS * 7))
        else:
            many = n_bytes if kind == "txt" else _PARAGRAPHS_A_FILE * _WORDS * 7
            between = "\n" if kind == "txt" else "\n\n"
            file.writelines(f"{text}{between}" for text in texts(many))


def named(stem: str, kind: str) -> str:
    """Give a name of a file of a kind."""
    return f"{stem}.{'parquet' if kind in PARQUET else kind}"


def mine(kind: str, path: Path) -> object:
    """Read a file as the product does, with its checks."""
    del kind
    return read_records(path)


def underlying(kind: str, path: Path) -> object:
    """Read a file with the library that decides what is valid in it, and nothing more."""
    if kind in PARQUET:
        return pq.read_table(path, columns=["id", "text"])
    if kind == "docx":
        from docx import Document

        return [paragraph.text for paragraph in Document(str(path)).paragraphs]
    if kind in ("html", "md"):
        import html_text
        from markdown_it import MarkdownIt

        page = path.read_text(encoding="utf-8")
        return html_text.extract_text(MarkdownIt().render(page) if kind == "md" else page)
    return _by_python(kind, path)


def _by_python(kind: str, path: Path) -> list[object]:
    with path.open(encoding="utf-8", newline="") as file:
        if kind == "csv":
            return [(fields[0], fields[1]) for fields in csv.reader(file)]
        if kind == "txt":
            return list(file)
        records = json.load(file) if kind == "json" else map(json.loads, file)
        return [(record["id"], record["text"]) for record in records]


def by_arrow(kind: str, path: Path) -> pa.Table:
    """Parse a table by pyarrow on one core, the same two columns, and nothing more."""
    if kind == "csv":
        import pyarrow.csv as pv

        return pv.read_csv(
            path,
            pv.ReadOptions(use_threads=False),
            pv.ParseOptions(newlines_in_values=True),
            pv.ConvertOptions(column_types={"text": pa.large_string()}),
        )
    if kind in PARQUET:
        return pq.read_table(path, columns=["id", "text"], use_threads=False)
    return arrow_json(kind, path)


def arrow_json(kind: str, path: Path) -> pa.Table:
    """Read JSON by pyarrow on one core, the same two columns, as the product does."""
    import pyarrow.json as pj

    fields = [pa.field("id", pa.int64()), pa.field("text", pa.large_string())]
    source, block_bytes = str(path), 2**20
    if kind == "json":
        # Arrow reads objects only, so the array becomes the value of one.
        raw = b'{"rows":' + path.read_bytes() + b"}"
        source, block_bytes = pa.BufferReader(raw), len(raw) + 1
        fields = [pa.field("rows", pa.list_(pa.struct(fields)))]
    how = pj.ParseOptions(explicit_schema=pa.schema(fields), unexpected_field_behavior="ignore")
    return pj.read_json(source, pj.ReadOptions(use_threads=False, block_size=block_bytes), how)


def seconds(work: Callable[[], object]) -> float:
    """Give the processor time of a piece of work, all threads, freeing what it made included."""
    start = time.process_time()
    work()
    return time.process_time() - start


def peak(kind: str, path: Path) -> dict[str, float]:
    """Give the growth of this process's peak memory by reading a file."""
    with tempfile.TemporaryDirectory() as folder:
        # What the libraries themselves take is loaded by a small file first.
        small = Path(folder) / named("small", kind)
        write(kind, small, n_bytes=10_000)
        read_records(small)
    before = resident_bytes()
    records = read_records(path)
    return {"peak": peak_resident_bytes() - before, "records": len(records)}


def compare(other: str, kind: str, path: Path, *, n_rounds: int) -> dict[str, float]:
    """Time reading a file and one yardstick in turn, once before anything counts.

    A yardstick has a process of its own: what another one left of the heap made pyarrow several
    times as slow.
    """
    yardstick = {"underlying": underlying, "by_arrow": by_arrow}[other]
    rounds = [
        (seconds(partial(mine, kind, path)), seconds(partial(yardstick, kind, path)))
        for _ in range(n_rounds + 1)
    ][1:]
    own, others = zip(*rounds, strict=True)
    return {
        "seconds": statistics.median(own),
        "median": statistics.median(a / b for a, b in rounds),
        "fastest": min(own) / min(others),
    }


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=200, help="size of each table")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--kinds", nargs="*", default=[*TABLES, *DOCUMENTS])
    parser.add_argument("--peak", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--compare", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        kind, path = options.peak
        print(json.dumps(peak(kind, Path(path))))
        return
    if options.compare:
        other, kind, path = options.compare
        print(json.dumps(compare(other, kind, Path(path), n_rounds=options.rounds)))
        return
    print(
        f"{options.rounds} rounds; median (and fastest by fastest) of read_records / the library "
        "that decides what is valid, and / pyarrow alone"
    )
    print(
        f"{'kind':12} {'file':>9} {'records':>9} {'seconds':>8} {'time':>12} {'pyarrow':>12} "
        f"{'memory/file':>12}"
    )
    with tempfile.TemporaryDirectory() as folder:
        for kind in options.kinds:
            path = Path(folder) / named("texts", kind)
            write(kind, path, n_bytes=options.megabytes * 10**6)
            size = path.stat().st_size
            times = [
                run_child("reading", "--compare", other, kind, path, "--rounds", options.rounds)
                for other in ("underlying", *(["by_arrow"] if kind in ARROW else []))
            ]
            told = "".join(f"{time['median']:5.2f} ({time['fastest']:4.2f}) " for time in times)
            found = run_child("reading", "--peak", kind, path)
            own = times[0]["seconds"]
            print(
                f"{kind:12} {size / 10**6:6.0f} MB {found['records']:9,.0f} {own:8.2f} "
                f"{told:26}{found['peak'] / size:12.2f}",
                flush=True,
            )
            with suppress(OSError):
                path.unlink()


if __name__ == "__main__":
    main()
