"""`meg`: the stages of this package, listed and run."""

from pathlib import Path

from kg.shared.stages import run_stage

__all__ = ["main"]


def main() -> None:
    """Entry point of the command `meg`, the same as `python -m meg`."""
    run_stage(Path(__file__).parent)


if __name__ == "__main__":
    main()
