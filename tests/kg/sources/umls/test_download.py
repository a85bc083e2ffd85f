"""Downloading a release: from a server of our own that behaves as UTS does."""

import io
import threading
import urllib.parse
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from kg.shared.errors import InputError
from kg.sources.umls.download import API_KEY, FILES, download_umls

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

    def start(body: bytes, **headers: str):
        asked = []
        headers = headers or {"Content-Length": str(len(body))}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
                asked.append(query["url"][0])
                right = query["apiKey"] == [SECRET]
                self.send_response(200 if right else 401)
                for name, value in headers.items() if right else ():
                    self.send_header(name, value)
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
        assert sorted(path.stem for path in tmp_path.glob("*.RRF")) == sorted(FILES)
        assert (tmp_path / "MRREL.RRF").read_text() == "2026AA/META/MRREL.RRF|\n"
        assert asked[0].endswith("/umls/kss/2026AA/umls-2026AA-metathesaurus-full.zip")
        assert SECRET not in caplog.text

    def test_what_is_there_is_not_asked_for_again(self, serve, tmp_path):
        service, asked = serve(_zip(MEMBERS))
        download_umls("2026AA", tmp_path, service)
        download_umls("2026AA", tmp_path, service)
        assert len(asked) == 1

    def test_zipped_files_count_too(self, serve, tmp_path):
        service, asked = serve(_zip(MEMBERS))
        download_umls("2026AA", tmp_path, service)
        zipped = tmp_path / "MRREL.RRF.gz"
        (tmp_path / "MRREL.RRF").rename(zipped)
        (tmp_path / "MRSTY.RRF").unlink()
        download_umls("2026AA", tmp_path, service)
        assert len(asked) == 2
        assert zipped.is_file()
        assert not (tmp_path / "MRREL.RRF").exists()
        assert (tmp_path / "MRSTY.RRF").is_file()

    def test_files_of_another_release_are_not_mixed_with_it(self, serve, tmp_path):
        service, asked = serve(_zip(MEMBERS))
        download_umls("2026AA", tmp_path, service)
        (tmp_path / "MRSTY.RRF").unlink()
        with pytest.raises(InputError, match="has files of 2026AA, expected 2026AB; give another"):
            download_umls("2026AB", tmp_path, service)
        (tmp_path / "release.txt").unlink()
        with pytest.raises(InputError, match=r"that no release\.txt beside them names"):
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
        service, _ = serve(_zip(MEMBERS), **{"Content-Length": "99999"})
        assert "of 99999 bytes" in self._message(tmp_path, service)

    def test_broken_off_inside_a_chunk(self, serve, tmp_path):
        service, _ = serve(b"ffff\r\nPK", **{"Transfer-Encoding": "chunked"})
        assert "the download broke off (IncompleteRead" in self._message(tmp_path, service)

    def test_broken_off_without_a_length(self, serve, tmp_path):
        service, _ = serve(_zip(MEMBERS)[:-30], Connection="close")
        assert "cut short or damaged" in self._message(tmp_path, service)

    def test_damaged_inside(self, serve, tmp_path):
        service, _ = serve(_zip(MEMBERS).replace(b"MRREL.RRF|", b"MRREL.RRF?"))
        assert "damaged (Bad CRC-32 for file" in self._message(tmp_path, service)

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
