"""Chromium over the DevTools protocol's pipe: what assistive technology is told, keys, sizes, themes."""

import base64
import fcntl
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS: Final = ("--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--hide-scrollbars")


class Page:
    """One page of a browser; messages are JSON, each ended by a zero byte."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers, self._rest = commands, answers, b""
        self._last, self._session = 0, ""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """The result of a command; events in between are dropped."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._last:
                assert "error" not in answer, (method, answer)
                result: dict[str, Any] = answer["result"]
                return result

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            got = os.read(self._answers, 1 << 16)
            assert got, "Chromium has ended"
            self._rest += got
        text, _, self._rest = self._rest.partition(b"\0")
        answer: dict[str, Any] = json.loads(text)
        return answer

    def open(self, path: Path, state: str = "", width: int = 1200, height: int = 900, theme: str = "light") -> None:
        """Show a page, and wait until its plots have begun."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.send("Emulation.setDeviceMetricsOverride", **size)
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        self.send("Page.navigate", url="about:blank")
        self.send("Page.navigate", url=f"file://{path}{state}")
        self.wait_for("document.documentElement?.dataset.renderedAfter")

    def wait_for(self, condition: str) -> None:
        """Until an expression is true; at most a minute."""
        deadline = time.monotonic() + 60
        while not self.run(condition):
            assert time.monotonic() < deadline, condition
            time.sleep(0.02)

    def run(self, script: str) -> Any:
        """The value of an expression; a promise's once it is kept."""
        answer = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """A key, by its name and its code on the keyboard."""
        code = {"Tab": 9, "Enter": 13, " ": 32}[key]
        text = {"Enter": {"text": "\r"}, " ": {"text": " "}}.get(key, {})
        for kind in ("keyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                windowsVirtualKeyCode=code,
                **(text if kind == "keyDown" else {}),
            )

    def tree(self) -> list[dict[str, Any]]:
        """What a screen reader is told: role, name and properties of every element that it is told of."""
        nodes = self.send("Accessibility.getFullAXTree")["nodes"]
        return [_plain(node) for node in nodes if not node.get("ignored")]

    def picture(self, path: Path) -> None:
        """The whole page, from top to bottom."""
        height = self.run("document.documentElement.scrollHeight")
        self.run("window.scrollTo(0, 0)")
        shot = self.send(
            "Page.captureScreenshot",
            captureBeyondViewport=True,
            clip={"x": 0, "y": 0, "width": self.run("innerWidth"), "height": height, "scale": 1},
        )
        path.write_bytes(base64.b64decode(shot["data"]))


def _plain(node: dict[str, Any]) -> dict[str, Any]:
    properties = {one["name"]: one["value"].get("value") for one in node.get("properties", ())}
    return {"role": node["role"]["value"], "name": node.get("name", {}).get("value", ""), **properties}


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """A page of a fresh Chromium whose profile lies in ``folder``."""
    assert CHROMIUM is not None
    (their_in, our_out), (our_in, their_out) = os.pipe(), os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (their_in, their_out)]

    def pipes() -> None:
        os.dup2(high[0], 3)  # where Chromium reads commands
        os.dup2(high[1], 4)  # where it answers

    words = [CHROMIUM, *FLAGS, f"--user-data-dir={folder}"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(words, pass_fds=(3, 4), preexec_fn=pipes, **quiet)
    for end in (their_in, their_out, *high):
        os.close(end)
    try:
        yield Page(our_out, our_in)
    finally:
        with suppress(OSError):
            os.write(our_out, json.dumps({"id": 0, "method": "Browser.close"}).encode() + b"\0")
        os.close(our_out)
        process.wait(timeout=30)
        os.close(our_in)
