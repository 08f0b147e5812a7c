"""All that a person sees of a simulation at a glance, as JSON; no token in it is whole."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tools.simulator import faults, providers
from tools.simulator.customers import CUSTOMERS
from tools.simulator.delivery import MODES
from tools.simulator.envelopes import iso
from tools.simulator.interaction_model import examples
from tools.simulator.linking_configuration import REDIRECT_HOSTS
from tools.simulator.wire import Entry, shorten_id

if TYPE_CHECKING:
    from tools.simulator.simulation import Simulation

SHOWN_MESSAGES = 200
PERMISSIONS = {
    "alexa::profile:name:read": "Full name",
    "alexa::profile:email:read": "Email address",
    "alexa::devices:all:address:full:read": "Device address",
}
DELIVERIES = {
    "normal": "Once, as it should be",
    "duplicated": "Twice, one after the other",
    "delayed": "Five minutes late",
    "reordered": "Held back, the newest first",
    "twice-at-once": "Twice at the same moment",
    "lost": "Lost on the way",
}


def described(simulation: "Simulation") -> dict[str, Any]:
    """Everything, in the order of the page."""
    return {
        "simulator": settings(simulation),
        "customers": [customer(key) for key in CUSTOMERS],
        "customer": simulation.customer,
        "card": card(simulation),
        "conversation": list(simulation.household.conversation),
        "session_open": simulation.alexa.session is not None,
        "examples": examples(simulation.alexa.model),
        "rows": rows(simulation),
        "pending_events": [asdict(each) | {"type": each.kind} for each in simulation.alexa.deliveries.pending],
        "devices": devices(simulation),
        "wire": [message(entry) for entry in simulation.wire.entries()[-SHOWN_MESSAGES:]],
    }


def settings(simulation: "Simulation") -> dict[str, Any]:
    """What is switched how, and what else it could be."""
    ahead = simulation.clock.now_ahead()
    return {
        "version": simulation.version,
        "busy": simulation.busy,
        "clock": iso(simulation.clock.now()),
        "clock_ahead_s": int(ahead.total_seconds()),
        "provider": simulation.provider,
        "providers": [{"name": name, "label": label} for name, label in providers.PROVIDERS.items()],
        "locale": simulation.locale,
        "locales": list(simulation.desk.models),
        "region": simulation.region,
        "regions": list(REDIRECT_HOSTS),
        "redirect_host": urlsplit(dict(REDIRECT_HOSTS)[simulation.region]).hostname,
        "fault": simulation.fault,
        "faults": [asdict(fault) for fault in faults.FAULTS],
        "linking_setup": simulation.linking_setup,
        "linking_setups": providers.linking_setups() if simulation.provider == "lwa" else [],
        "delivery": simulation.delivery,
        "deliveries": [{"name": mode, "label": DELIVERIES[mode]} for mode in MODES],
        "skill": simulation.desk.skill_kind,
        "lands_here": simulation.side.provider is not None,
    }


def customer(key: str) -> dict[str, str]:
    """With the password: these are test accounts, and a person has to type it into the login page."""
    found = CUSTOMERS[key]
    return {"key": key, "name": found.name, "email": found.email, "password": found.password}


def card(simulation: "Simulation") -> dict[str, Any]:
    """The skill as the Alexa app shows it to this customer."""
    alexa = simulation.alexa
    enablement, expires = alexa.enablement, alexa.token_expires
    return {
        "skill_name": alexa.model.invocation_name.title(),
        "invocation_name": alexa.model.invocation_name,
        "enabled": enablement is not None,
        "linked": expires is not None,
        "linking": alexa.pending_link is not None,
        "user_id": enablement.amazon_user_id if enablement else "",
        "user_id_short": shorten_id(enablement.amazon_user_id) if enablement else "",
        "token_expires": iso(expires) if expires else None,
        "purchases": alexa.has_purchases,
        "permissions": [{"scope": scope, "label": label, "granted": scope in alexa.permissions} for scope, label in PERMISSIONS.items()],
        "last_link_error": simulation.household.link_problem,
    }


def rows(simulation: "Simulation") -> list[dict[str, Any]]:
    """The mapping table with the names of whose Alexa and whose account a row is about."""
    side = simulation.side
    homes = {user_id: key for key, household in side.households.items() for user_id in household.alexa.user_ids}
    accounts = {account_id: key for key, account_id in side.provider.account_ids.items()} if side.provider else {}
    return [
        {
            **row,
            "customer": homes.get(row["AmazonUserID"], ""),
            "account": accounts.get(row.get("AccountID", ""), ""),
            "open": "EndDatetime" not in row,
        }
        for row in simulation.rows()
    ]


def devices(simulation: "Simulation") -> dict[str, Any] | None:
    """The customer's smart home and what the event gateway was sent; None where the skill is somebody else's."""
    home = simulation.household.smart_home
    if home is None:
        return None
    return {
        "send_alexa_events": simulation.sends_alexa_events,
        "endpoints": [asdict(device) for device in home.devices],
        "events": list(simulation.gateway_events),
    }


def message(entry: Entry) -> dict[str, Any]:
    """One line of the wire."""
    return {"number": entry.number, "at": entry.at, "customer": entry.customer, **asdict(entry.message)}
