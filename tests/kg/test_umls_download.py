"""Downloading a release: from a server of our own that behaves as UTS does."""

import io
import threading
import urllib.parse
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from kg.errors import InputError
from kg.umls_download import API_KEY, FILES, download_umls

SECRET = "5ecret-key"
MEMBERS = [f"2026AA/META/{name}.RRF" for name in FILES]


def _zip(members: list[str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for member in members:
            archive.writestr(member, f"{member}|\n")
    return content.getvalue()


@pytest.fixture
def serve(monkeypatch):
    """A server that gives `body` to who asks with the key: its address, what was asked for."""
    servers = []
    monkeypatch.setenv(API_KEY, SECRET)

    def start(body: bytes, length: int | None = None):
        asked = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
                asked.append(query["url"][0])
                right = query["apiKey"] == [SECRET]
                self.send_response(200 if right else 401)
                self.send_header("Content-Length", str(length or len(body)) if right else "0")
                self.end_headers()
                self.wfile.write(body if right else b"")

            def log_message(self, *_):
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/download", asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


class TestDownload:
    def test_files_arrive_and_the_key_is_not_logged(self, serve, tmp_path, caplog):
        service, asked = serve(_zip([*MEMBERS, "2026AA/META/MRHIER.RRF", "2026AA/README"]))
        with caplog.at_level("DEBUG"):
            download_umls("2026AA", tmp_path, service)
        assert sorted(path.stem for path in tmp_path.iterdir()) == sorted(FILES)
        assert (tmp_path / "MRREL.RRF").read_text() == "2026AA/META/MRREL.RRF|\n"
        assert asked[0].endswith("/umls/kss/2026AA/umls-2026AA-metathesaurus-full.zip")
        assert SECRET not in caplog.text

    def test_what_is_there_is_not_asked_for_again(self, serve, tmp_path):
        service, asked = serve(_zip(MEMBERS))
        download_umls("2026AA", tmp_path, service)
        download_umls("2026AA", tmp_path, service)
        assert len(asked) == 1


class TestFailure:
    def _message(self, folder, service) -> str:
        with pytest.raises(InputError) as error:
            download_umls("2026AA", folder, service)
        assert SECRET not in str(error.value)
        assert not list(folder.iterdir())
        return str(error.value)

    def test_wrong_key(self, serve, tmp_path, monkeypatch):
        service, _ = serve(_zip(MEMBERS))
        monkeypatch.setenv(API_KEY, "wrong")
        assert "UTS answers 401" in self._message(tmp_path, service)

    def test_a_page_instead_of_an_archive(self, serve, tmp_path):
        service, _ = serve(b"<html>sign in</html>")
        assert "sent no archive" in self._message(tmp_path, service)

    def test_broken_off(self, serve, tmp_path):
        service, _ = serve(_zip(MEMBERS), length=99_999)
        assert "of 99999 bytes" in self._message(tmp_path, service)

    def test_archive_without_a_file(self, serve, tmp_path):
        service, _ = serve(_zip(MEMBERS[1:]))
        assert "no META/MRCONSO.RRF" in self._message(tmp_path, service)

    def test_no_server(self, serve, tmp_path):
        assert "cannot be reached" in self._message(tmp_path, "http://127.0.0.1:9/download")

    def test_no_key(self, tmp_path, monkeypatch):
        monkeypatch.delenv(API_KEY, raising=False)
        with pytest.raises(InputError, match=f"{API_KEY} is not set; get a UMLS licence"):
            download_umls("2026AA", tmp_path)

    @pytest.mark.parametrize("release", ["", "2026", "2026AC", "../2026AA"])
    def test_no_release(self, tmp_path, release):
        with pytest.raises(InputError, match="unknown UMLS release"):
            download_umls(release, tmp_path)
