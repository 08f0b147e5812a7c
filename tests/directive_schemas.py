"""JSON schemas of what Alexa takes as the answer to a directive; what is not named is forbidden."""

from typing import Any

from jsonschema import Draft202012Validator

ERROR_TYPES = [
    *(
        "ALREADY_IN_OPERATION",
        "BRIDGE_UNREACHABLE",
        "CLOUD_CONTROL_DISABLED",
        "ENDPOINT_BUSY",
        "ENDPOINT_LOW_POWER",
        "ENDPOINT_UNREACHABLE",
    ),
    *("EXPIRED_AUTHORIZATION_CREDENTIAL", "FIRMWARE_OUT_OF_DATE", "HARDWARE_MALFUNCTION", "INSUFFICIENT_PERMISSIONS", "INTERNAL_ERROR"),
    *("INVALID_AUTHORIZATION_CREDENTIAL", "INVALID_DIRECTIVE", "INVALID_VALUE", "NO_SUCH_ENDPOINT", "NOT_CALIBRATED", "NOT_IN_OPERATION"),
    *("NOT_SUPPORTED_IN_CURRENT_MODE", "PARTNER_OUTAGE", "POWER_LEVEL_NOT_SUPPORTED", "RATE_LIMIT_EXCEEDED"),
    *("TEMPERATURE_VALUE_OUT_OF_RANGE", "TOO_MANY_FAILED_ATTEMPTS", "VALUE_OUT_OF_RANGE"),
]
MUSIC_ERROR_TYPES = [
    *("ACCOUNT_PROBLEM", "EXPIRED_AUTHORIZATION_CREDENTIAL", "INTERNAL_ERROR", "INVALID_AUTHORIZATION_CREDENTIAL", "INVALID_DIRECTIVE"),
    "RATE_LIMIT_EXCEEDED",
]
TEXT = {"type": "string", "minLength": 1}
MESSAGE_ID = {"type": "string", "pattern": "^[A-Za-z0-9-]{1,127}$"}


def closed(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """An object of just these parts."""
    properties = {**required, **(optional or {})}
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def header(namespace: str, name: str, version: str, *, correlated: bool = True) -> dict[str, Any]:
    constants = {"namespace": {"const": namespace}, "name": {"const": name}, "payloadVersion": {"const": version}, "messageId": MESSAGE_ID}
    return closed(constants, {"correlationToken": TEXT} if correlated else {})


ENDPOINT = closed({"endpointId": {"type": "string", "pattern": "^.{1,256}$"}})
STATE = closed(
    {
        "namespace": TEXT,
        "name": TEXT,
        "value": {},
        "timeOfSample": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$"},
        "uncertaintyInMilliseconds": {"type": "integer", "minimum": 0},
    }
)
STATES = closed({"properties": {"type": "array", "items": STATE}})
CAPABILITY = closed(
    {"type": {"const": "AlexaInterface"}, "interface": TEXT, "version": {"const": "3"}},
    {
        "properties": closed(
            {
                "supported": {"type": "array", "items": closed({"name": TEXT})},
                "proactivelyReported": {"type": "boolean"},
                "retrievable": {"type": "boolean"},
            }
        )
    },
)
DISCOVERED = closed(
    {
        "endpointId": {"type": "string", "pattern": r"^[A-Za-z0-9 _\-=#;:?@&]{1,256}$"},
        "manufacturerName": {"type": "string", "minLength": 1, "maxLength": 128},
        "friendlyName": {"type": "string", "minLength": 1, "maxLength": 128},
        "description": {"type": "string", "minLength": 1, "maxLength": 128},
        "displayCategories": {"type": "array", "items": {"enum": ["LIGHT", "SWITCH", "SMARTPLUG", "OTHER"]}, "minItems": 1},
        "cookie": {"type": "object", "additionalProperties": {"type": "string"}},
        "capabilities": {"type": "array", "items": CAPABILITY, "minItems": 1},
    }
)
ERROR = closed({"type": {"enum": ERROR_TYPES}, "message": TEXT})
SCHEMAS = {
    "error": closed({"event": closed({"header": header("Alexa", "ErrorResponse", "3"), "payload": ERROR}, {"endpoint": ENDPOINT})}),
    "accept_grant_error": closed(
        {
            "event": closed(
                {
                    "header": header("Alexa.Authorization", "ErrorResponse", "3", correlated=False),
                    "payload": closed({"type": {"const": "ACCEPT_GRANT_FAILED"}, "message": TEXT}),
                }
            )
        }
    ),
    "accept_grant": closed(
        {"event": closed({"header": header("Alexa.Authorization", "AcceptGrant.Response", "3", correlated=False), "payload": closed({})})}
    ),
    "discovery": closed(
        {
            "event": closed(
                {
                    "header": header("Alexa.Discovery", "Discover.Response", "3", correlated=False),
                    "payload": closed({"endpoints": {"type": "array", "items": DISCOVERED, "maxItems": 300}}),
                }
            )
        }
    ),
    "state_report": closed(
        {
            "event": closed({"header": header("Alexa", "StateReport", "3"), "endpoint": ENDPOINT, "payload": closed({})}),
            "context": STATES,
        }
    ),
    "response": closed(
        {"event": closed({"header": header("Alexa", "Response", "3"), "payload": closed({})}, {"endpoint": ENDPOINT})},
        {"context": STATES},
    ),
    "music_error": closed(
        {
            "header": header("Alexa", "ErrorResponse", "3.0", correlated=False),
            "payload": closed({"type": {"enum": MUSIC_ERROR_TYPES}, "message": TEXT}),
        }
    ),
    "media_error": closed(
        {
            "header": header("Alexa.Media", "ErrorResponse", "1.0", correlated=False),
            "payload": closed({"type": TEXT, "message": TEXT}),
        }
    ),
    "music": closed(
        {
            "header": closed(
                {"namespace": TEXT, "name": {"pattern": r"\.Response$"}, "payloadVersion": {"const": "1.0"}, "messageId": MESSAGE_ID}
            ),
            "payload": {"type": "object"},
        }
    ),
}
VALIDATORS = {name: Draft202012Validator(schema) for name, schema in SCHEMAS.items()}
for schema in SCHEMAS.values():
    Draft202012Validator.check_schema(schema)
NAMED = {
    ("Alexa", "ErrorResponse"): "error",
    ("Alexa.Authorization", "ErrorResponse"): "accept_grant_error",
    ("Alexa.Authorization", "AcceptGrant.Response"): "accept_grant",
    ("Alexa.Discovery", "Discover.Response"): "discovery",
    ("Alexa", "StateReport"): "state_report",
    ("Alexa", "Response"): "response",
}


def check_answer(directive: Any, answer: Any) -> None:
    """The answer is one that Alexa takes for this very directive."""
    if "directive" not in directive:
        is_error = answer["header"]["name"] == "ErrorResponse"
        name = ("music_error" if answer["header"]["namespace"] == "Alexa" else "media_error") if is_error else "music"
        return VALIDATORS[name].validate(answer)
    said, asked = answer["event"]["header"], directive["directive"]["header"]
    VALIDATORS[NAMED[said["namespace"], said["name"]]].validate(answer)
    assert said["messageId"] != asked.get("messageId")
    correlation_token, endpoint = asked.get("correlationToken"), directive["directive"].get("endpoint")
    assert said.get("correlationToken") == (correlation_token if isinstance(correlation_token, str) and correlation_token else None)
    endpoint_id = endpoint.get("endpointId") if isinstance(endpoint, dict) else None
    is_echoed = isinstance(endpoint_id, str) and endpoint_id
    assert answer["event"].get("endpoint") == ({"endpointId": endpoint_id} if is_echoed else None)
