"""A folder of results belongs to one graph.

Only the graph's own files carry its name: models, predictions and results are named after data set,
model and variant. So those of a second graph would take the place of the first one's.
"""

from pathlib import Path

from kg.shared.errors import InputError

__all__ = ["check_owner"]


def check_owner(graphs: Path, name: str) -> None:
    """Raises InputError when the folder `results/kg` holds another graph than that of `name`."""
    found = [path.name for path in graphs.glob("[!.]*") if path.is_dir()]
    others = sorted(set(found) - {name})
    if others:
        raise InputError(
            f"the results here are of the graph {', '.join(others)} ({graphs}), and the "
            f"configuration's kg.name is {name}: its models and results would take their place. "
            f"Give each graph a folder of its own: snakemake --directory runs/{name} ...\n"
            "(Relative paths of the configuration are sought in that folder too: "
            f'mkdir -p runs/{name} && ln -s "$PWD/data" runs/{name}/data)'
        )
