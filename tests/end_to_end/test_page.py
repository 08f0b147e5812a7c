"""The simulator's page in a real browser: what a person does with it, and that the table on it is the table in DynamoDB."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.end_to_end.desk_page import DeskPage, Rows, launch, opened
from tools.mapping_table import COLUMNS
from tools.setup import ROOT
from tools.simulator.customers import CUSTOMERS
from tools.simulator.page.server import PageServer
from tools.simulator.simulation import Options, Simulation

DESKTOP, PHONE = (1440, 900), (390, 844)
SCREENSHOTS = ROOT / "build" / "screenshots"
FOR_DOCS = {"desktop-light": "simulator-desktop.png", "phone-dark": "simulator-phone.png"}
ANNA = CUSTOMERS["anna"]
# What a screen reader would call by its role alone.
NAMELESS = r"^\s*- (button|textbox|combobox|switch|checkbox|link|region|log|img|table)(\s*\[[^\]]*\])*:?\s*$"
# The lowest contrast of a text with what is behind it, and the text.
CONTRAST = (Path(__file__).parent / "contrast.js").read_text("utf-8")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = launch(playwright)
        yield running
        running.close()


@pytest.fixture(scope="module")
def desk() -> Iterator[tuple[Simulation, str]]:
    with Simulation() as simulation, simulation.ticking(), PageServer(simulation) as server:
        yield simulation, server.url


@pytest.fixture
def simulation(desk: tuple[Simulation, str]) -> Simulation:
    """As it was at first, but for the rows of those who were there before."""
    simulation = desk[0]
    for provider in ("lwa", "cognito"):
        if provider == simulation.provider or provider in {side.provider.name for side in simulation.desk.sides if side.provider}:
            put_back(simulation, provider)
    return simulation


def put_back(simulation: Simulation, provider: str) -> None:
    simulation.choose_provider(provider)
    simulation.set_fault("none")
    if provider == "lwa":
        simulation.set_linking_setup("correct")
    simulation.plan_delivery("normal")
    simulation.set_send_alexa_events(False)
    for customer in reversed(CUSTOMERS):
        simulation.choose_customer(customer)
        simulation.set_purchases(False)
        if simulation.alexa.enablement:
            simulation.disable()
        simulation.household.conversation.clear()


@pytest.fixture
def page(browser: Browser, simulation: Simulation, desk: tuple[Simulation, str]) -> Iterator[DeskPage]:
    with opened(browser, desk[1], simulation) as page:
        yield page


def stored(simulation: Simulation) -> Rows:
    """What DynamoDB holds, read past the simulation."""
    assert simulation.desk.aws
    assert simulation.side.stack
    client = simulation.desk.aws.client("dynamodb")
    pages = client.get_paginator("scan").paginate(TableName=simulation.side.stack.table, ConsistentRead=True)
    items = [item for page in pages for item in page["Items"] if item["SK"]["S"].startswith("L#")]
    return [{name: item.get(name, {}).get("S", "") for name in COLUMNS} for item in items]


def shown(page: DeskPage) -> Rows:
    """The page's table, with the words for what is absent taken away; it follows DynamoDB within a moment."""
    absent = {"EndDatetime": {"open"}, "AccountID": {"not known"}}
    return [{name: "" if text in absent.get(name, ()) else text for name, text in row.items()} for row in page.rows]


def expect_the_table_of_dynamodb(page: DeskPage) -> Rows:
    """The rows of the customer that the page is about."""
    by_id = lambda rows: sorted(rows, key=lambda row: row["ID"])  # noqa: E731
    assert by_id(shown(page)) == by_id(stored(page.simulation))
    user_ids = set(page.simulation.alexa.user_ids[-1:])
    return [row for row in stored(page.simulation) if row["AmazonUserID"] in user_ids]


def test_an_e_mail_address_is_spoken_within_six_clicks_when_somebody_comes_for_the_first_time(page: DeskPage) -> None:
    page.act("Enable to use").go_to_sign_in().sign_in().lands()
    page.ask("what is my email address")
    page.page.get_by_role("button", name="Speak").last.click()
    assert ANNA.email in page.spoken_aloud[-1]
    assert page.clicks + 1 <= 6
    (row,) = expect_the_table_of_dynamodb(page)
    assert (row["EndDatetime"], row["Status"], row["Source"]) == ("", "RESOLVED", "EVENT")


@pytest.mark.parametrize("provider", ["cognito", "lwa"])
def test_the_account_is_linked_when_a_wrong_password_is_followed_by_the_right_one(provider: str, page: DeskPage) -> None:
    page.choose("Identity provider", provider).act("Enable to use").go_to_sign_in().sign_in(password="Wrong-2026")
    expect(page.page.locator("body")).to_contain_text("assword")
    page.page.wait_for_selector("input[type=password]")
    assert stored_of_customer(page) == []
    page.sign_in().lands()
    expect(page.banner("ok")).to_contain_text("The account is linked")
    assert (page.link_state, len(expect_the_table_of_dynamodb(page))) == ("Account linked", 1)
    assert provider_accounts(page)["anna"] == stored_of_customer(page)[0]["AccountID"]


def stored_of_customer(page: DeskPage) -> Rows:
    user_ids = set(page.simulation.alexa.user_ids[-1:])
    return [row for row in stored(page.simulation) if row["AmazonUserID"] in user_ids]


def provider_accounts(page: DeskPage) -> Any:
    assert page.simulation.side.provider
    return page.simulation.side.provider.account_ids


def test_each_question_is_answered_when_the_account_is_linked(page: DeskPage) -> None:
    page.link()
    answers = {
        "what is my name": ANNA.name,
        "what is my phone number": ANNA.phone_number,
        "what is my street address": ANNA.address,
        "what is my email address": ANNA.email,
    }
    for phrase, value in answers.items():
        assert value in page.ask(phrase)
    assert ANNA.given_name in page.say("open link demo")
    assert len(expect_the_table_of_dynamodb(page)) == 1


def test_a_second_row_is_open_and_the_first_closed_when_another_account_is_linked(page: DeskPage) -> None:
    page.link()
    page.simulation.move_clock(5)  # events of the same second have no order
    page.settled().go_to_sign_in("Link again").sign_in("carlos").lands()
    first, second = sorted(expect_the_table_of_dynamodb(page), key=lambda row: row["StartDatetime"])
    assert [first["AccountID"], second["AccountID"]] == [provider_accounts(page)[key] for key in ("anna", "carlos")]
    assert (bool(first["EndDatetime"]), second["EndDatetime"], page.open_rows) == (True, "", 1)
    assert CUSTOMERS["carlos"].email in page.ask("what is my email address")


def test_alexa_refreshes_and_the_row_stays_when_the_token_has_expired(page: DeskPage) -> None:
    page.link().act("+1 hour")
    assert ANNA.email in page.ask("what is my email address")
    expect(page.wire("refresh").first).to_be_visible()
    assert page.link_state == "Account linked"
    assert expect_the_table_of_dynamodb(page)[0]["EndDatetime"] == ""


def test_the_customer_is_asked_to_link_again_when_the_refresh_is_refused(page: DeskPage) -> None:
    page.link().choose("Fault", "revoked").act("+1 hour")
    page.ask("what is my email address")
    assert page.link_state == "Account linking required"
    expect(page.page.locator(".card .card-title").last).to_have_text("Link your account")
    dropped = page.wire("drops the tokens")
    expect(dropped.locator(".reason")).to_be_visible()
    assert len(expect_the_table_of_dynamodb(page)) == 1


def test_the_customer_hears_an_apology_and_stays_linked_when_the_provider_is_down(page: DeskPage) -> None:
    page.link().choose("Fault", "down")
    expect(page.page.locator("#notice")).to_contain_text("Fault: Down.")
    assert "Sorry" in page.ask("what is my email address")
    assert page.link_state == "Account linked"
    assert expect_the_table_of_dynamodb(page)[0]["EndDatetime"] == ""
    page.choose("Fault", "none")
    assert ANNA.email in page.ask("what is my email address")


def test_the_row_is_closed_when_the_skill_is_disabled(page: DeskPage) -> None:
    page.link().act("Disable skill")
    (row,) = expect_the_table_of_dynamodb(page)
    assert row["EndDatetime"] >= row["StartDatetime"]
    assert page.link_state == "Not enabled"
    expect(page.page.get_by_role("button", name="Enable to use")).to_be_focused()


def test_everything_is_still_there_when_the_page_is_loaded_again(page: DeskPage) -> None:
    page.link().ask("what is my name")
    before = (page.rows, page.page.locator("#log").inner_text(), page.page.locator(".entry").count(), page.link_state)
    page.page.reload()
    page.settled()
    assert (page.rows, page.page.locator("#log").inner_text(), page.page.locator(".entry").count(), page.link_state) == before


def test_what_failed_and_what_mends_it_stand_in_the_open_when_the_secret_is_wrong(page: DeskPage) -> None:
    page.choose("Identity provider", "lwa").choose("Linking set-up", "secret")
    page.act("Enable to use").go_to_sign_in().sign_in().lands()
    expect(page.banner("failed")).to_contain_text("code exchange")
    expect(page.banner("failed")).to_contain_text("clientSecret")
    entry = page.page.locator(".entry.failed").last
    expect(entry.locator(".reason")).to_be_visible()
    expect(entry.locator(".mend")).to_be_visible()
    assert (page.link_state, stored_of_customer(page)) == ("Account linking required", [])


def test_the_page_goes_on_and_says_what_it_waits_for_when_the_provider_is_slow(page: DeskPage) -> None:
    page.link().choose("Fault", "slow").click("what is my name")
    expect(page.page.locator("#busy")).to_contain_text("Waiting for the skill's answer")
    expect(page.page.get_by_role("button", name="what is my name")).to_have_attribute("aria-busy", "true")
    page.page.get_by_text("Show SSML").click()
    expect(page.page.locator(".turn.customer")).to_have_count(1)
    expect(page.page.locator(".turn.alexa")).to_have_count(1, timeout=30_000)
    page.settled()
    expect(page.page.locator(".ssml").last).to_be_visible()


def test_each_customer_has_an_alexa_and_a_conversation_when_another_is_chosen(page: DeskPage) -> None:
    page.link().ask("what is my name")
    page.choose("Customer", "emi")
    assert (page.link_state, page.page.locator(".turn").count()) == ("Not enabled", 0)
    page.choose("Customer", "anna")
    assert (page.link_state, page.page.locator(".turn").count()) == ("Account linked", 2)


def test_the_account_is_linked_when_somebody_pastes_the_address_where_the_browser_ended(page: DeskPage) -> None:
    page.act("Enable to use").go_to_sign_in()
    assert page.simulation.side.provider
    page.simulation.side.provider.front.landing_url = None  # as where the provider is somewhere else
    with page.page.expect_event("requestfailed") as failed:
        page.sign_in()
    page.page.wait_for_url("chrome-error://**")
    page.simulation.land_on(page.url)
    ended = page.strangers.pop()
    assert ended == failed.value.url
    page.open()
    page.page.get_by_text("The sign-in page did not come back here?").click()
    page.page.get_by_label("Paste the address that the browser shows now").fill(ended)
    page.act("Finish linking")
    assert (page.link_state, len(expect_the_table_of_dynamodb(page))) == ("Account linked", 1)


def test_the_account_is_linked_without_a_browser_when_somebody_asks_for_it(page: DeskPage) -> None:
    page.act("Enable to use").act("Sign in for me")
    assert (page.link_state, len(expect_the_table_of_dynamodb(page))) == ("Account linked", 1)


def test_events_wait_on_the_page_and_are_brought_when_their_delivery_is_delayed(page: DeskPage) -> None:
    page.choose("Event delivery", "delayed").link()
    expect(page.page.locator("#pending-events li").first).to_contain_text("SkillEnabled")
    assert expect_the_table_of_dynamodb(page) == []
    page.act("Bring them now")
    expect(page.page.locator("#pending")).to_be_hidden()
    assert len(expect_the_table_of_dynamodb(page)) == 1


def test_a_row_appears_by_itself_when_an_operator_writes_it(page: DeskPage) -> None:
    page.link().act("Disable skill")
    user_id = page.simulation.alexa.user_ids[-1]
    assert page.simulation.side.stack
    assert page.simulation.desk.aws
    key = {"AmazonUserID": {"S": user_id}, "SK": {"S": "L#9999999999999#x"}}
    row = {"ID": {"S": "BYHAND"}, "StartDatetime": {"S": "2286-11-20T17:46:39Z"}, "Status": {"S": "PENDING"}, "Source": {"S": "OPERATOR"}}
    page.simulation.desk.aws.client("dynamodb").put_item(TableName=page.simulation.side.stack.table, Item=key | row)
    expect(page.page.locator("#row-list tr").filter(has_text="BYHAND")).to_be_visible()
    page.simulation.desk.aws.client("dynamodb").delete_item(TableName=page.simulation.side.stack.table, Key=key)
    expect(page.page.locator("#row-list tr").filter(has_text="BYHAND")).to_have_count(0)


def test_the_lamp_is_switched_and_the_gateway_hears_of_it_when_alexa_events_are_sent(page: DeskPage) -> None:
    switches = page.page.locator("#devices").get_by_role("switch")
    page.page.get_by_text("Send Alexa Events").click()
    page.settled().link().act("Discover")
    page.page.locator("#endpoints label").click()
    expect(page.page.locator("#gateway-events li").first).to_contain_text("ChangeReport")
    page.settled().act("Ask Virtual lamp how it is")
    expect(switches.first).to_be_checked()
    assert page.say("turn the virtual lamp off") == "OK."
    expect(switches.first).not_to_be_checked()


def test_the_json_is_shown_without_a_whole_token_when_it_is_asked_for(page: DeskPage) -> None:
    page.link()
    token = page.simulation.alexa.enablement
    assert token
    assert token.access_token
    toggle = page.wire("SkillAccountLinked").last.get_by_role("button")
    toggle.click()
    expect(toggle).to_have_attribute("aria-expanded", "true")
    expect(page.wire("SkillAccountLinked").last.locator("pre")).to_contain_text("accessToken")
    assert token.access_token not in page.page.content()


def test_the_whole_id_is_copied_when_its_button_is_pressed(page: DeskPage) -> None:
    page.link()
    page.page.get_by_role("button", name="Copy the whole account id").last.click()
    expect(page.page.locator("#busy")).to_have_text("Copied.")
    assert page.page.evaluate("navigator.clipboard.readText()") in provider_accounts(page).values()


def test_answers_are_spoken_by_themselves_when_that_is_switched_on(page: DeskPage) -> None:
    page.link().page.get_by_text("Speak answers aloud").click()
    page.ask("what is my name")
    assert [ANNA.name in text for text in page.spoken_aloud] == [True]
    page.page.reload()
    page.settled()
    assert page.spoken_aloud == []  # what was said before is not said again


def test_every_control_has_a_name_and_can_be_reached_with_the_tab_key(page: DeskPage) -> None:
    page.link().ask("what is my name")
    snapshot = page.page.locator("body").aria_snapshot()
    nameless = [line for line in snapshot.splitlines() if re.match(NAMELESS, line)]
    assert nameless == []
    everything = "a[href], button, input, select, summary, [tabindex='0']"
    can_be_used = page.page.locator(everything).evaluate_all("all => all.filter(each => each.checkVisibility()).length")
    page.page.evaluate("window.reached = new Set(); addEventListener('focusin', event => window.reached.add(event.target))")
    page.page.locator("h1").click()
    for _ in range(can_be_used + 5):
        page.page.keyboard.press("Tab")
    missed = page.page.locator(everything).evaluate_all(
        "all => all.filter(each => each.checkVisibility() && !window.reached.has(each)).map(each => each.outerHTML.slice(0, 120))"
    )
    assert missed == []


@pytest.mark.parametrize("width", [320, 375, 390])
def test_nothing_is_wider_than_the_screen_when_it_is_a_phone(width: int, browser: Browser, simulation: Simulation, desk: Any) -> None:
    with opened(browser, desk[1], simulation, viewport={"width": width, "height": 844}) as page:
        page.link().ask("what is my full profile")
        page.page.get_by_text("Set-up:").click()
        page.page.locator(".json").first.click()
        assert page.page.evaluate("document.scrollingElement.scrollWidth") <= width
        wide = page.page.locator("body *").evaluate_all(
            "all => all.filter(each => each.checkVisibility() && !each.closest('pre, .aside, .skip, thead') "
            "&& each.getBoundingClientRect().right > innerWidth + 1).map(each => each.outerHTML.slice(0, 120))"
        )
        assert wide == []


@pytest.fixture
def desk_of_its_own() -> Iterator[tuple[Simulation, str]]:
    """With nobody's rows in the table, for pictures."""
    with Simulation(Options(in_process=True)) as simulation, PageServer(simulation) as server:
        yield simulation, server.url


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("device", "size"), [("desktop", DESKTOP), ("phone", PHONE)])
def test_text_stands_out_from_its_ground_when_it_is_light_or_dark(
    device: str, size: tuple[int, int], scheme: Any, browser: Browser, desk_of_its_own: tuple[Simulation, str]
) -> None:
    simulation, url = desk_of_its_own
    looks = {"viewport": {"width": size[0], "height": size[1]}, "color_scheme": scheme, "reduced_motion": "reduce"}
    with opened(browser, url, simulation, **looks) as page:
        converse(page)
        take(page, f"{device}-{scheme}")
        get_into_trouble(page)
        take(page, f"{device}-{scheme}-trouble", full_page=True)
        assert [text for text in page.page.evaluate(CONTRAST) if text["contrast"] < 4.5] == []


def converse(page: DeskPage) -> None:
    """Links one account and then another, asks, and leaves the page as somebody would look at it."""
    page.link().act("Close this message").ask("what is my name")
    page.simulation.move_clock(5)
    page.go_to_sign_in("Link again").sign_in("carlos").lands().act("Close this message")
    page.ask("what is my email address")
    page.page.locator("#conversation").evaluate("node => matchMedia('(max-width: 759px)').matches && node.scrollIntoView()")


def get_into_trouble(page: DeskPage) -> None:
    """A skill that is not linked, a provider that is down, and a linking that fails of it; the devices and the JSON in sight."""
    page.act("Discover").act("Disable skill").act("Enable to use").ask("what is my name")
    if page.page.get_by_text("Set-up:").is_visible():
        page.page.get_by_text("Set-up:").click()
    page.choose("Fault", "down").click("Link account")
    expect(page.banner("failed")).to_be_visible()
    page.settled().page.locator(".json").last.click()


def take(page: DeskPage, name: str, *, full_page: bool = False) -> None:
    """A picture for whoever looks at the build; README's two are renewed when somebody asks for it."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=full_page)
    if os.environ.get("RENEW_DOCS") and name in FOR_DOCS:
        assert (SCREENSHOTS / f"{name}.png").stat().st_size < 300_000
        (ROOT / "docs").mkdir(exist_ok=True)
        shutil.copy(SCREENSHOTS / f"{name}.png", ROOT / "docs" / FOR_DOCS[name])
