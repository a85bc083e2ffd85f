"""Invented phenopackets for tests."""

import json
from pathlib import Path
from typing import Any

__all__ = ["packet", "write_packets"]


def packet(
    id: str,
    disease: str,
    findings: tuple[str, ...],
    absent: tuple[str, ...] = (),
    paper: str = "PMID:1",
    **subject: Any,
) -> dict[str, Any]:
    """One case as the schema writes it, with a field that nobody reads."""
    features = [{"type": {"id": one, "label": one}} for one in findings]
    features += [{"type": {"id": one, "label": one}, "excluded": True} for one in absent]
    return {
        "id": id,
        "subject": subject,
        "phenotypicFeatures": features,
        "interpretations": [
            {"id": "i", "diagnosis": {"disease": {"id": disease, "label": disease}}}
        ],
        "metaData": {"created": "2026", "externalReferences": [{"id": paper}]},
        "measurements": [{"unread": True}],
    }


def write_packets(folder: Path, packets: list[dict[str, Any]]) -> Path:
    """A folder of phenopackets, each under its id."""
    for one in packets:
        path = folder / "GENE" / f"{one['id']}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(one), encoding="utf-8")
    return folder
