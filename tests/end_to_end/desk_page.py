"""The simulator's page as a person uses it, in a real browser that reaches nothing but this machine."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Playwright, expect

from tools.simulator.customers import CUSTOMERS
from tools.simulator.simulation import Simulation

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
# A machine without a loudspeaker has no voices: what would be spoken is kept instead.
KEPT_SPEECH = """
window.spokenAloud = [];
Object.defineProperty(window, "speechSynthesis", { value: { speak: (each) => window.spokenAloud.push(each.text), cancel: () => {} } });
window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
"""
WAITS_S = 30.0
Rows = list[dict[str, str]]


def launch(playwright: Playwright) -> Browser:
    """Chromium as the system has it."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.fail("these tests need a Chromium: apt-get install chromium", pytrace=False)
    return playwright.chromium.launch(executable_path=found, args=ARGUMENTS)


class DeskPage:
    """One tab with the page in it; it counts what its person clicks."""

    def __init__(self, page: Page, url: str, simulation: Simulation) -> None:
        self.page, self.url, self.simulation, self.clicks = page, url, simulation, 0
        self.complaints: list[str] = []  # of the browser about this page
        self.strangers: list[str] = []  # hosts that are not this machine
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._see)

    def open(self) -> "DeskPage":
        self.page.goto(self.url)
        return self.settled()

    def settled(self) -> "DeskPage":
        """Once the act that was asked for is done, and the page shows what the simulation has come to by it."""
        self.page.wait_for_function(
            "() => !document.querySelector('button[aria-busy=true], select[aria-busy=true], input[aria-busy=true]')", timeout=WAITS_S * 1000
        )
        self.page.wait_for_function(
            """version => { const main = document.querySelector("main");
                 return main.getAttribute("aria-busy") === "false" && Number(main.dataset.version) >= version; }""",
            arg=self.simulation.version,
            timeout=WAITS_S * 1000,
        )
        return self

    # ---- what a person does

    def click(self, name: str, *, role: Any = "button") -> "DeskPage":
        self.page.get_by_role(role, name=name, exact=True).first.click()
        self.clicks += 1
        return self

    def act(self, name: str) -> "DeskPage":
        """Clicks, and waits until it is done."""
        return self.click(name).settled()

    def choose(self, label: str, value: str) -> "DeskPage":
        with self.page.expect_response(lambda answer: "/api/" in answer.url and answer.request.method == "POST"):
            self.page.get_by_label(label, exact=True).select_option(value)
        return self.settled()

    def ask(self, phrase: str) -> str:
        """Picks a phrase; what Alexa answers."""
        return self._heard_after(lambda: self.click(phrase))

    def say(self, text: str) -> str:
        """Types it; what Alexa answers."""
        self.page.get_by_label("What the customer says").fill(text)
        return self._heard_after(lambda: self.page.keyboard.press("Enter"))

    def go_to_sign_in(self, button: str = "Link account") -> "DeskPage":
        """To the identity provider's own page."""
        self.click(button)
        self.page.wait_for_selector("input[type=password]")
        return self

    def sign_in(self, customer: str = "anna", password: str | None = None) -> "DeskPage":
        """With the keyboard alone: the page has put the cursor where it belongs."""
        account = CUSTOMERS[customer]
        self.page.locator("input[name=username], input[type=email]").fill(account.email)
        self.page.locator("input[type=password]").fill(account.password if password is None else password)
        self.page.keyboard.press("Enter")
        return self

    def lands(self) -> "DeskPage":
        """Back on this page, with the outcome told."""
        self.page.wait_for_url(f"{self.url}/")
        self.page.wait_for_selector("#banner-linking")
        return self.settled()

    def link(self, customer: str = "anna") -> "DeskPage":
        return self.act("Enable to use").go_to_sign_in().sign_in(customer).lands()

    # ---- what a person sees

    @property
    def rows(self) -> Rows:
        """The table as the page shows it, whole ids instead of short ones."""
        return self.page.locator("#row-list tr").evaluate_all(
            """rows => rows.map(row => Object.fromEntries([...row.cells].map(cell => [cell.dataset.label,
                 (cell.querySelector("code")?.title || cell.querySelector("time")?.dateTime || cell.innerText).trim()])))"""
        )

    @property
    def open_rows(self) -> int:
        return self.page.locator("#row-list tr.open .badge").count()

    @property
    def link_state(self) -> str:
        return self.page.locator("#link-state").inner_text()

    @property
    def spoken_aloud(self) -> list[str]:
        return self.page.evaluate("window.spokenAloud")

    def banner(self, kind: str) -> Locator:
        return self.page.locator(f".banner.{kind}")

    def wire(self, text: str) -> Locator:
        """Entries of the wire that say so."""
        return self.page.locator(".entry").filter(has_text=text)

    def _heard_after(self, saying: Any) -> str:
        answers = self.page.locator(".turn.alexa")
        before = answers.count()
        saying()
        expect(answers).to_have_count(before + 1, timeout=WAITS_S * 1000)
        self.settled()
        return answers.last.locator(".bubble").inner_text()

    def _hear(self, message: ConsoleMessage) -> None:
        """A refused act is a 409, which browsers always put on the console."""
        is_ours = message.location["url"].startswith(self.url) or not message.location["url"]
        if message.type in {"error", "warning"} and is_ours and "status of 409" not in message.text:
            self.complaints.append(message.text)

    def _see(self, request: Any) -> None:
        host = urlsplit(request.url).hostname or ""
        if not re.fullmatch(r"127\.0\.0\.1|", host):
            self.strangers.append(request.url)


@contextmanager
def opened(browser: Browser, url: str, simulation: Simulation, **looks: Any) -> Iterator[DeskPage]:
    """A tab of its own; whatever the browser complained of fails the test at its end."""
    context: BrowserContext = browser.new_context(**({"viewport": {"width": 1440, "height": 900}} | looks))
    try:
        context.add_init_script(KEPT_SPEECH)
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=url)
        page = DeskPage(context.new_page(), url, simulation).open()
        yield page
        assert (page.complaints, page.strangers) == ([], [])
    finally:
        context.close()
