"""Reading a Metathesaurus: `kg.umls` beside plain Python and pandas, in one run.

    python -m benchmarks.rrf --concepts 750000          # 3M + 9M rows, all three
    python -m benchmarks.rrf --concepts 4500000 --only kg.umls

Writes an invented folder (`benchmarks.rrf_folder`), lets each engine turn it into the two parquet
tables in a process of its own, checks that the tables are equal, and prints a Markdown table of CPU
seconds (user + system, of all threads), wall seconds and peak memory. `kg.umls` also checks every
line, counts what it drops and summarises the graph; the others do not.
"""

import argparse
import importlib
import os
import subprocess
import sys
import time
from pathlib import Path

import polars as pl

from benchmarks.rrf_folder import write_rrf_folder

__all__ = ["ENGINES", "measure", "measured"]

ENGINES = ("kg.umls", "pandas", "plain")
TABLES = ("concepts.parquet", "triplets.parquet")


def measure(engine: str, folder: Path, out: Path) -> dict[str, float]:
    """What the engine takes, in a process of its own."""
    out.mkdir(parents=True, exist_ok=True)
    if engine == "kg.umls":
        command = [sys.executable, "-m", "kg.umls", "--folder", str(folder), "--out", str(out)]
    else:
        command = [sys.executable, "-m", "benchmarks.rrf", "--run", engine]
        command += ["--folder", str(folder), "--out", str(out)]
    return measured(command)


def measured(command: list[str]) -> dict[str, float]:
    """CPU seconds, wall seconds and peak memory (MB) of a command."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(command)} ended with {status}")
    return {
        "cpu": usage.ru_utime + usage.ru_stime,
        "wall": time.perf_counter() - start,
        "peak": usage.ru_maxrss / 1e3,
    }


def compare(engines: list[str], folder: Path, out: Path) -> None:
    """Measure every engine, check that the tables agree, print the table."""
    size = sum((folder / f"{name}.RRF").stat().st_size for name in ("MRCONSO", "MRREL")) / 1e6
    sys.stdout.write("| engine | CPU s | wall s | MB per CPU s | peak MB | CPU / kg.umls |\n")
    sys.stdout.write("|---|---|---|---|---|---|\n")
    first = None
    for engine in engines:
        found = measure(engine, folder, out / engine)
        first = first or found
        sys.stdout.write(
            f"| {engine} | {found['cpu']:.1f} | {found['wall']:.1f} | {size / found['cpu']:.0f} "
            f"| {found['peak']:.0f} | {found['cpu'] / first['cpu']:.1f} |\n"
        )
        sys.stdout.flush()
    for table in TABLES:
        tables = [pl.read_parquet(out / engine / table) for engine in engines]
        assert all(other.equals(tables[0]) for other in tables), f"{table} differ"
        sys.stdout.write(f"{table}: {tables[0].height} rows, equal\n")


def run(engine: str, folder: Path, out: Path) -> None:
    """One engine in this process."""
    tables = importlib.import_module(f"benchmarks.rrf_{engine}").build(folder)
    for name, table in zip(TABLES, tables, strict=True):
        table.write_parquet(out / name)


def main() -> None:
    """Generate where needed, then compare."""
    parser = argparse.ArgumentParser(description="time the reading of a Metathesaurus")
    parser.add_argument("--folder", type=Path, default=Path("data/benchmark/META"))
    parser.add_argument("--out", type=Path, default=Path("data/benchmark/out"))
    parser.add_argument("--concepts", type=int, default=750_000, help="4 + 12 rows each")
    parser.add_argument("--only", choices=ENGINES, help="one engine instead of all")
    parser.add_argument("--run", choices=ENGINES[1:], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        run(arguments.run, arguments.folder, arguments.out)
        return
    if not (arguments.folder / "MRFILES.RRF").is_file():
        write_rrf_folder(arguments.folder, arguments.concepts)
    engines = [arguments.only] if arguments.only else list(ENGINES)
    compare(engines, arguments.folder, arguments.out)


if __name__ == "__main__":
    main()
