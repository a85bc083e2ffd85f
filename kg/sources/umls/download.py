"""The files of a UMLS release, from the terminology services of the NLM (UTS).

A free licence and its API key are needed. UTS takes the key as part of the address
(documentation.uts.nlm.nih.gov/automating-downloads.html), so addresses are never logged or shown.
"""

import http.client
import logging
import os
import re
import shutil
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import zipfile
import zlib
from pathlib import Path

from tqdm import tqdm

from kg.shared.errors import InputError
from kg.sources.umls.rrf import find_rrf

__all__ = ["API_KEY", "FILES", "download_umls"]

API_KEY = "UMLS_API_KEY"
"""Environment variable that holds the key."""

FILES = ("MRCONSO", "MRREL", "MRSTY", "MRDEF", "MRDOC", "MRRANK", "MRFILES")
"""What `kg.umls` reads of a release."""

RELEASE = "release.txt"
"""Beside the files: the release that they were downloaded from."""

SERVICE = "https://uts-ws.nlm.nih.gov/download"
ARCHIVE = "https://download.nlm.nih.gov/umls/kss/{0}/umls-{0}-metathesaurus-full.zip"
_PIECE = 1 << 20
_TIMEOUT = 60
"""Seconds without a byte."""

log = logging.getLogger(__name__)


def download_umls(release: str, folder: Path, service: str = SERVICE) -> None:
    """Put `FILES` of a release ("2026AA") into `folder`; does nothing where all are there.

    Raises InputError when the key is missing or refused, when what arrives is no release, and when
    the folder has files of another one.
    """
    if not re.fullmatch(r"\d{4}A[AB]", release):
        raise InputError(f"unknown UMLS release {release!r}; expected a year and AA or AB: 2026AA")
    missing = [name for name in FILES if find_rrf(folder, name) is None]
    if len(missing) < len(FILES):
        _check_release(folder, release)
    if not missing:
        log.info("%s has every file already", folder)
        return
    key = os.environ.get(API_KEY)
    if not key:
        raise InputError(
            f"{API_KEY} is not set; get a UMLS licence and copy the key of your profile at "
            "https://uts.nlm.nih.gov/uts/profile"
        )
    query = urllib.parse.urlencode({"url": ARCHIVE.format(release), "apiKey": key})
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        archive = Path(temporary) / "umls.zip"
        _fetch(f"{service}?{query}", archive)
        _extract(archive, missing)
        (folder / RELEASE).write_text(f"{release}\n", encoding="utf-8")
        for name in missing:
            (archive.parent / f"{name}.RRF").replace(folder / f"{name}.RRF")


def _check_release(folder: Path, release: str) -> None:
    path = folder / RELEASE
    found = path.read_text(encoding="utf-8").strip() if path.is_file() else None
    if found != release:
        raise InputError(
            f"{folder} has files of {found or f'a release that no {RELEASE} beside them names'}, "
            f"expected {release}; give another --folder, or leave out --download to use them"
        )


def _fetch(address: str, target: Path) -> None:
    try:
        with (
            urllib.request.urlopen(address, timeout=_TIMEOUT) as answer,
            target.open("wb") as file,
        ):
            length = int(answer.headers.get("Content-Length", 0))
            bar = tqdm(total=length or None, unit="B", unit_scale=True, desc="UMLS", disable=None)
            while piece := answer.read(_PIECE):
                file.write(piece)
                bar.update(len(piece))
            bar.close()
            received = file.tell()
    except urllib.error.HTTPError as error:
        raise InputError(
            f"UTS answers {error.code} {error.reason}; is {API_KEY} right, and the release out?"
        ) from None
    except urllib.error.URLError as error:
        raise InputError(f"UTS cannot be reached ({error.reason}); try again later") from None
    except (OSError, http.client.HTTPException) as error:
        raise InputError(f"the download broke off ({error}); try again") from None
    if length and received != length:
        raise InputError(f"the download broke off after {received} of {length} bytes; try again")


def _extract(archive: Path, names: list[str]) -> None:
    """Unpack the files beside the archive."""
    with archive.open("rb") as file:
        if file.read(2) != b"PK":
            raise InputError(
                f"UTS sent no archive; is {API_KEY} right, and the licence still valid?"
            )
    try:
        with zipfile.ZipFile(archive) as members:
            places = {Path(place).name: place for place in members.namelist() if "META/" in place}
            for name in (f"{name}.RRF" for name in names):
                if name not in places:
                    raise InputError(f"the archive has no META/{name}; is it a full Metathesaurus?")
                log.info("unpacking %s", name)
                with (
                    members.open(places[name]) as source,
                    (archive.parent / name).open("wb") as target,
                ):
                    shutil.copyfileobj(source, target, _PIECE)
    except (zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise InputError(
            f"the archive is cut short or damaged ({error}); download it again"
        ) from error
