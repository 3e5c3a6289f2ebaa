"""A headless Chromium, driven over two pipes by its own protocol: no driver to install.

Pages are opened from files. What a page logs, asks for and pops up is kept, so that a test can say
that there was none of it.
"""

import base64
import json
import os
import select
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

CHROMIUM = "/usr/bin/chromium"
PATIENCE_SECONDS = 30.0
KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "ArrowDown": 40}
TEXTS = {"Enter": "\r", " ": " "}
OPTIONS = [
    *("--headless=new", "--remote-debugging-pipe", "--no-first-run", "--disable-gpu"),
    *("--disable-dev-shm-usage", "--disable-background-networking", "--hide-scrollbars"),
    *("--disable-component-update", "--disable-sync", "--force-color-profile=srgb"),
    "--no-sandbox",  # root may not have one, and every page is ours
]


@contextmanager
def chromium(folder):
    """A browser whose profile is in a folder."""
    command, ours = os.pipe(), os.pipe()
    ends = (command[0], ours[1])
    # The protocol is spoken on file descriptors 3 and 4; sh knows ours only up to 9.
    script = f'exec {CHROMIUM} "$@" 3<&{ends[0]} 4>&{ends[1]}'
    options = [*OPTIONS, f"--user-data-dir={folder}", "about:blank"]
    process = subprocess.Popen(
        ["bash", "-c", script, "bash", *options],
        pass_fds=ends,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(folder)},
    )
    for end in ends:
        os.close(end)
    try:
        yield Browser(command[1], ours[0])
    finally:
        os.close(command[1])
        os.close(ours[0])
        process.terminate()
        process.wait(PATIENCE_SECONDS)


class Browser:
    """The protocol: commands with answers, and events in between."""

    def __init__(self, writes, reads):
        self._writes, self._reads = writes, reads
        self._rest, self._last = b"", 0
        self.events = []

    def ask(self, method, session=None, **given):
        """Send a command and wait for its answer."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": given}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._writes, data) :]
        while True:
            answer = self.next()
            if answer.get("id") == self._last:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]

    def next(self):
        """The next message; an event is kept, too."""
        until = time.monotonic() + PATIENCE_SECONDS
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._reads], [], [], max(until - time.monotonic(), 0))
            assert ready, f"the browser said nothing for {PATIENCE_SECONDS} s"
            part = os.read(self._reads, 1 << 20)
            assert part, "the browser has gone"
            self._rest += part
        line, self._rest = self._rest.split(b"\0", 1)
        message = json.loads(line)
        if "method" in message:
            self.events.append(message)
        return message

    def page(self, path, *, width=1280, height=900, dark=False):
        """Open a file in a window of that size."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, target, session)
        for domain in ("Page", "Runtime", "Network", "Log"):
            page.ask(f"{domain}.enable")
        page.look(width, height, dark=dark)
        page.go(path)
        return page


class Page:
    """One tab."""

    def __init__(self, browser, target, session):
        self._browser, self._target, self._session = browser, target, session

    def ask(self, method, **given):
        return self._browser.ask(method, self._session, **given)

    def look(self, width, height=900, *, dark=False, media=""):
        """Be a window of that size, in light or dark."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", media=media, features=[scheme])

    def go(self, path):
        """Load a file, to its end."""
        before = len(self.of("Page.loadEventFired"))
        self.ask("Page.navigate", url=Path(path).absolute().as_uri())
        while len(self.of("Page.loadEventFired")) == before:
            self._browser.next()

    def of(self, method):
        """What events of one kind there were."""
        return [
            event["params"]
            for event in self._browser.events
            if event["method"] == method and event.get("sessionId") == self._session
        ]

    def asked_for(self):
        """Addresses that the page asked for, its own file first."""
        return [one["request"]["url"] for one in self.of("Network.requestWillBeSent")]

    def complaints(self):
        """What the console and the browser's log have to say, and dialogs."""
        logged = [one["entry"]["text"] for one in self.of("Log.entryAdded")]
        said = [str(one["args"]) for one in self.of("Runtime.consoleAPICalled")]
        thrown = [str(one["exceptionDetails"]) for one in self.of("Runtime.exceptionThrown")]
        dialogs = [one["message"] for one in self.of("Page.javascriptDialogOpening")]
        return [*logged, *said, *thrown, *dialogs]

    def run(self, script):
        """The value of an expression in the page."""
        done = self.ask(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def text(self, selector):
        """The text of the first element of a kind, as it is rendered."""
        return self.run(f"document.querySelector({json.dumps(selector)}).innerText")

    def texts(self, selector):
        """The texts of all elements of a kind."""
        return self.run(
            f"[...document.querySelectorAll({json.dumps(selector)})].map((e) => e.innerText)"
        )

    def click(self, selector):
        """Press the mouse in the middle of an element."""
        place = self.run(
            f"""(() => {{
                const element = document.querySelector({json.dumps(selector)});
                element.scrollIntoView({{ block: "center" }});
                const box = element.getBoundingClientRect();
                return [box.x + box.width / 2, box.y + box.height / 2];
            }})()"""
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.ask(
                "Input.dispatchMouseEvent",
                type=kind,
                x=place[0],
                y=place[1],
                button="left",
                clickCount=1,
            )

    def press(self, *keys):
        """Press keys on the keyboard."""
        for key in keys:
            known = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key]}
            text = {"text": TEXTS[key]} if key in TEXTS else {}
            self.ask("Input.dispatchKeyEvent", type="keyDown", **known, **text)
            self.ask("Input.dispatchKeyEvent", type="keyUp", **known)

    def type(self, text):
        """Write where the focus is."""
        self.ask("Input.insertText", text=text)

    def focused(self):
        """The text, or the label, of what has the focus."""
        return self.run(
            "document.activeElement.getAttribute('aria-label')"
            " || document.activeElement.innerText || document.activeElement.tagName"
        )

    def picture(self, *, whole=True):
        """The page as a PNG."""
        done = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        return base64.b64decode(done["data"])

    def printed(self):
        """The page as a PDF."""
        done = self.ask("Page.printToPDF", printBackground=False, paperWidth=8.27, paperHeight=11.7)
        return base64.b64decode(done["data"])

    def close(self):
        self._browser.ask("Target.closeTarget", targetId=self._target)
