"""The running app, and a tab of a real browser that may talk to nothing but 127.0.0.1."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
SHOTS = Path(__file__).parent / "shots"
ARGUMENTS = [
    "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--font-render-hinting=none",
    # No other host is found. (Playwright's routes would do it, too, but then the browser caches nothing.)
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]  # fmt: skip
BRIEF = {"RIGHTSIZE_MEASURE_SECONDS": "1", "RIGHTSIZE_SEARCH_SECONDS": "12"}
START_S = 120
PATIENCE_S = 180
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
SIDEWAYS = """() => Math.max(...[document.documentElement, ...document.querySelectorAll(
    '[data-testid=stMain],[data-testid=stMainBlockContainer]')].map(e => e.scrollWidth - e.clientWidth))"""
# Findings in Streamlit's own markup that a page cannot change are named here, each with its reason.
NOT_OURS: dict[str, str] = {}


def browser_path() -> str | None:
    """A Chromium of this machine."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class serve:
    """Starts the app on a free port with this home; stops it at the end."""

    def __init__(self, home: Path, **variables: str) -> None:
        self.home, self.variables = home, variables

    def __enter__(self) -> str:
        for _ in range(3):  # between looking for a free port and taking it another process may have taken it
            if self._opens(port := _free_port()):
                return f"http://127.0.0.1:{port}"
            said = self.output()
            self.__exit__()
            assert "is not available" in said, "the app did not start: " + said
        raise AssertionError("no port stayed free long enough")

    def _opens(self, port: int) -> bool:
        """Whether the app answers; False where it ended or stays silent."""
        self.log = (self.home / "server.log").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
            cwd=ROOT,
            env={**os.environ, **self.variables, "RIGHTSIZE_HOME": str(self.home)},
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        deadline = time.monotonic() + START_S
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=10):
                    return True
            except OSError:
                time.sleep(0.1)
        return False

    def output(self) -> str:
        """What the server printed so far."""
        self.log.seek(0)
        return self.log.read()

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self.log.close()


class Walk:
    """A browser tab with what our tests ask of it. `outside` lists every request that was not for 127.0.0.1."""

    def __init__(self, chromium, address: str, *, width: int = 1440, height: int = 900, scheme: str = "light") -> None:
        self.address = address
        self.outside: list[str] = []
        self.failures: list[str] = []
        self.context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
        )
        self.context.set_default_timeout(PATIENCE_S * 1000)  # a page may take its time where the machine is busy
        self.context.on("request", lambda request: self._note(request.url))
        self.page = self.context.new_page()
        self.page.on("websocket", lambda socket: self._note(socket.url))
        self.page.on("pageerror", lambda error: self.failures.append(str(error)))

    def _note(self, url: str) -> None:
        if urlsplit(url).hostname != "127.0.0.1" and not url.startswith(("data:", "blob:", "about:")):
            self.outside.append(url)

    def open(self, path: str = "") -> "Walk":
        """Go to a page by its address and wait until its script rests."""
        self.page.goto(f"{self.address}/{path}")
        return self.idle()

    def idle(self, timeout_s: float = PATIENCE_S) -> "Walk":
        """Wait until the script rests and the skeletons are gone."""
        self.page.wait_for_selector(IDLE, timeout=timeout_s * 1000)
        self.page.wait_for_function(
            "() => !document.querySelector('[data-testid=stSkeleton],[data-stale=true]')", timeout=timeout_s * 1000
        )
        return self

    def resize(self, width: int) -> "Walk":
        """Make the window this wide and let the page settle."""
        self.page.set_viewport_size({"width": width, "height": 844 if width < 600 else 900})
        self.page.wait_for_timeout(200)
        return self

    def turn(self, scheme: str) -> "Walk":
        """Make the system "light" or "dark" and run the page once more: charts are drawn for a mode on the server."""
        self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        shown = "scheme => getComputedStyle(document.querySelector('.stApp')).colorScheme === scheme"
        self.page.wait_for_function(shown, arg=scheme)
        self.page.keyboard.press("r")
        self.page.wait_for_timeout(200)
        return self.idle()

    def sideways_px(self, patience_s: float = 5.0) -> int:
        """By how many pixels the page stays wider than the window (the app's own scroller counts): charts follow a
        resized window after a moment."""
        deadline = time.monotonic() + patience_s
        while (excess := self.page.evaluate(SIDEWAYS)) > 0 and time.monotonic() < deadline:
            self.page.wait_for_timeout(200)
        return excess

    def problems(self) -> list[str]:
        """Texts of uncaught exceptions on the page."""
        return self.page.locator('[data-testid="stException"]').all_inner_texts()

    def findings(self) -> list[str]:
        """Serious findings of axe-core that are ours: "rule: selector"."""
        from axe_playwright_python.sync_playwright import Axe

        self.page.wait_for_timeout(200)
        results = Axe().run(self.page).response["violations"]
        return [
            f"{finding['id']}: {node['target']} {node.get('failureSummary', '')[:200]}"
            for finding in results
            if finding["impact"] in ("serious", "critical") and finding["id"] not in NOT_OURS
            for node in finding["nodes"]
        ]

    def shot(self, name: str) -> None:
        """A picture of the whole page, in a folder git does not track; only where RIGHTSIZE_SHOTS asks for them."""
        if not os.environ.get("RIGHTSIZE_SHOTS"):
            return
        SHOTS.mkdir(exist_ok=True)
        path = SHOTS / f"{name}.png"
        width = self.page.viewport_size["width"]
        height = self.page.evaluate("() => document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight")
        before = self.page.viewport_size
        self.page.set_viewport_size({"width": width, "height": max(before["height"], int(height) + 20)})
        self.page.wait_for_timeout(700)
        self.page.screenshot(path=path)
        self.page.set_viewport_size(before)

    def close(self) -> None:
        self.context.close()
