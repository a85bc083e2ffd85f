"""A page in a headless chromium, driven by its DevTools protocol: look, click, type."""

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websocket import create_connection

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
needs_browser = pytest.mark.skipif(
    BROWSER is None, reason="no chromium or google-chrome: the pages were not drawn"
)
PATIENCE = 60
"""Seconds that a browser may take to start, or a page to become what is waited for."""


class Page:
    """One page. What JavaScript throws in it is raised here."""

    def __init__(self, address: str) -> None:
        self._socket = create_connection(address, timeout=PATIENCE, suppress_origin=True)
        self._number = 0

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol, and its result."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:  # events come between
            answer = json.loads(self._socket.recv())
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                return answer["result"]

    def open(self, url: str, width: int, height: int = 900, dark: bool = False) -> None:
        """Show a page at a screen's width, in pixels of CSS."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1}
        self.call("Emulation.setDeviceMetricsOverride", **size, mobile=width < 600)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Page.navigate", url=url)
        self.until("document.readyState == 'complete' && location.href != 'about:blank'")

    def run(self, code: str) -> Any:
        """The value of a JavaScript expression."""
        found = self.call("Runtime.evaluate", expression=code, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, code: str) -> None:
        """Wait for an expression to become true."""
        end = time.monotonic() + PATIENCE
        while not self.run(code):
            assert time.monotonic() < end, f"never came true: {code}\n{self.text()[-2000:]}"
            time.sleep(0.1)

    def text(self) -> str:
        """What a person reads."""
        return str(self.run("document.body.innerText"))

    def type(self, text: str) -> None:
        """Text into what has the focus."""
        self.call("Input.insertText", text=text)

    def press(self, key: str, code: int) -> None:
        """One key down and up, such as Tab (9) or Enter (13)."""
        about = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        typed = {"text": "\r"} if key == "Enter" else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", **about, **typed)
        self.call("Input.dispatchKeyEvent", type="keyUp", **about)

    def screenshot(self, path: Path, whole: bool = False) -> None:
        """PNG of the window, or of the whole page."""
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))

    def wider(self) -> int:
        """By how many pixels the page is wider than the window."""
        root = "document.documentElement"
        return int(self.run(f"{root}.scrollWidth - {root}.clientWidth"))


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """An empty page; the browser keeps its files in `folder`, and ends with the context."""
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]
    flags += ["--remote-allow-origins=*", f"--user-data-dir={folder}"]
    process = subprocess.Popen([str(BROWSER), *flags], stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        says = next(line for line in process.stderr if "DevTools listening on" in line)
        yield Page(_first_page(says.split()[-1]))
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _first_page(address: str) -> str:
    """Address of a new page's socket, from that of the browser."""
    page = Page(address)
    target = page.call("Target.createTarget", url="about:blank")["targetId"]
    return f"{address.partition('/devtools')[0]}/devtools/page/{target}"
