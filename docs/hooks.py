"""What the site takes from outside docs/: whole pages, and links into the repository."""

import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]

TAKEN = {
    "config/README.md": "reference/configuration.md",
    "data/README.md": "reference/inputs.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changelog.md",
    "SECURITY.md": "project/security.md",
}
"""Files of the repository that are pages of the site as well."""

LINK = re.compile(r"\[([^\]]*)\]\((?!https?:|mailto:|#)([^)\s#]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that lie elsewhere."""
    for source, page in TAKEN.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_: Any) -> str:
    """Lead links to pages of the site; those to other files to the repository, if it has a URL."""
    places = {site: source for source, site in TAKEN.items()}
    at = page.file.src_uri
    folder = PurePosixPath(places.get(at, f"docs/{at}")).parent

    def lead(link: re.Match[str]) -> str:
        text, target, anchor = link[1], link[2], link[3] or ""
        path = os.path.normpath(folder / target)
        own = TAKEN.get(path) or (path.removeprefix("docs/") if path.startswith("docs/") else None)
        if own is not None:
            return f"[{text}]({os.path.relpath(own, PurePosixPath(at).parent)}{anchor})"
        if config.repo_url:
            return f"[{text}]({config.repo_url.rstrip('/')}/blob/main/{path})"
        return f"{text} (`{path}`)" if text != path else f"`{path}`"

    return LINK.sub(lead, markdown)
