"""Which methods of the simulation may be called over HTTP, and how their arguments are read."""

import inspect
import types
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from tools.simulator.wire import redacted

ACTS = (
    "enable",
    "disable",
    "begin_link",
    "finish_link",
    "link",
    "say",
    "stay_silent",
    "end_session",
    "set_permission",
    "set_purchases",
    "choose_customer",
    "choose_provider",
    "choose_locale",
    "choose_region",
    "set_fault",
    "set_linking_setup",
    "move_clock",
    "plan_delivery",
    "deliver_held",
    "replay",
    "set_send_alexa_events",
    "discover",
    "switch_device",
    "report_state",
)
SHORT_NAMES: Mapping[type, str] = {str: "text", bool: "true or false", float: "a number", int: "a whole number", dict: "an object"}


class WrongCallError(Exception):
    """There is no such act, or it takes other arguments; the message says which."""


def bind(simulation: object, name: str, arguments: object) -> Callable[[], Any]:
    """The act, ready to be done. Raises WrongCallError."""
    method = getattr(simulation, name, None) if name in ACTS else None
    if method is None:
        raise WrongCallError(f"there is no act {name!r}")
    if not isinstance(arguments, dict):
        raise WrongCallError("the arguments are a JSON object")
    try:
        inspect.signature(method).bind(**arguments)
    except TypeError as error:
        raise WrongCallError(f"{name}: {error}") from error
    hints = get_type_hints(method)
    for argument, value in arguments.items():
        if not fits(value, hints[argument]):
            raise WrongCallError(f"{name}: {argument} is {in_words(hints[argument])}")
    return lambda: method(**arguments)


def fits(value: object, hint: Any) -> bool:
    """Whether a JSON value is what an annotation says."""
    origin = get_origin(hint)
    if origin in {Union, types.UnionType}:
        return any(fits(value, each) for each in get_args(hint))
    if origin is Literal:
        return value in get_args(hint)
    kind = origin or hint
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def in_words(hint: Any) -> str:
    """For who typed something else."""
    parts = get_args(hint) if get_origin(hint) in {Union, types.UnionType} else (hint,)
    if get_origin(hint) is Literal:
        return f"one of {', '.join(map(str, get_args(hint)))}"
    return " or ".join(SHORT_NAMES[kind] for part in parts if (kind := get_origin(part) or part) in SHORT_NAMES)


def as_json(result: Any) -> Any:
    """What an act gave, with every secret in it shortened."""
    return redacted(asdict(result) if is_dataclass(result) and not isinstance(result, type) else result)
