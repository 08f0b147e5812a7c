"""skill.json for each kind of skill, out of one source: `python -m tools.skill_manifest --model custom,smart-home --endpoint arn:…`.

The texts, the privacy answers and the event subscriptions are those of skill-package/skill.json; which interfaces there are and where they
lead is put in here. What comes out is checked before it is written.
"""

import argparse
import copy
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "skill-package" / "skill.json"
SCHEMA = Path(__file__).with_suffix(".schema.json")
MODELS = {"custom": "custom", "smart-home": "smartHome", "video": "video", "music": "music"}
CERTIFICATES = ("Trusted", "Wildcard", "SelfSigned")
REGIONS = ("NA", "EU", "FE")
SEND_EVENTS = "alexa::async_event:write"
MUSIC_CAPABILITIES = (
    ("Alexa.Media.Search", "GetPlayableContent"),
    ("Alexa.Media.Playback", "Initiate"),
    ("Alexa.Audio.PlayQueue", "GetNextItem"),
)


class ManifestError(Exception):
    """These choices make no manifest that Alexa would take; the message is one line."""


@dataclass(frozen=True)
class Endpoints:
    """Where a part of the skill is, by region; NA is also where Alexa goes for a region that has none."""

    by_region: Mapping[str, str]
    certificate: str | None = None  # what fits the host, if it is not said

    def block(self) -> dict[str, Any]:
        """As the manifest has it."""
        regions = {region: {"endpoint": self._endpoint(uri)} for region, uri in self.by_region.items()}
        return {"endpoint": self._endpoint(self.by_region["NA"]), "regions": regions}

    def _endpoint(self, uri: str) -> dict[str, str]:
        return {"uri": uri, "sslCertificateType": self.certificate or usual_certificate(uri)} if is_https(uri) else {"uri": uri}


def build_manifest(
    source: Mapping[str, Any],
    models: Sequence[str],
    function: Endpoints,
    custom: Endpoints | None = None,
    events: Endpoints | None = None,
    *,
    send_events: bool = False,
) -> dict[str, Any]:
    """The manifest; `custom` and `events` are elsewhere than the rest if they are given. Raises ManifestError."""
    manifest = copy.deepcopy(dict(source["manifest"]))
    names = {locale: texts["name"] for locale, texts in manifest["publishingInformation"]["locales"].items()}
    apis = {MODELS[model]: build_api(model, function if model != "custom" else custom or function, names) for model in models}
    elsewhere = custom if list(models) == ["custom"] else None
    manifest["apis"] = apis
    manifest["events"] = {**(events or elsewhere or function).block(), "subscriptions": manifest["events"]["subscriptions"]}
    permissions = [each for each in manifest.pop("permissions", []) if each["name"] != SEND_EVENTS]
    if send_events:
        permissions.append({"name": SEND_EVENTS})
    if permissions:
        manifest["permissions"] = permissions
    check({"manifest": manifest})
    return {"manifest": manifest}


def build_api(model: str, endpoints: Endpoints, names: Mapping[str, str]) -> dict[str, Any]:
    """One block of `apis`. Raises ManifestError for an HTTPS URL where Alexa takes functions only."""
    uris = [uri for uri in endpoints.by_region.values() if is_https(uri)]
    if model != "custom" and uris:
        raise ManifestError(f"{model} takes the ARN of a Lambda function only, not {uris[0]}")
    block = endpoints.block()
    if model == "custom":
        return {**block, "interfaces": []}
    if model == "smart-home":
        return {**block, "protocolVersion": "3"}
    if model == "video":
        return {**block, "locales": {locale: {"videoProviderTargetingNames": [name]} for locale, name in names.items()}}
    capabilities = [{"namespace": namespace, "name": name, "version": "1.0"} for namespace, name in MUSIC_CAPABILITIES]
    locales = {locale: {"promptName": name} for locale, name in names.items()}
    return {**block, "capabilities": capabilities, "locales": locales, "contentTypes": [{"name": "ON_DEMAND"}]}


def check(document: Mapping[str, Any]) -> None:
    """Raises ManifestError with the first thing that Alexa would refuse or drop."""
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))
    for error in sorted(validator.iter_errors(document), key=lambda error: list(map(str, error.absolute_path))):
        raise ManifestError(f"{'.'.join(map(str, error.absolute_path))}: {error.message.splitlines()[0][:300]}")


def is_https(uri: str) -> bool:
    return uri.startswith("https://")


def usual_certificate(uri: str) -> str:
    """AWS's own addresses for APIs and functions share a certificate per region; with Trusted, Alexa would refuse them."""
    host = urlsplit(uri).hostname or ""
    return "Wildcard" if re.fullmatch(r"[^.]+\.(execute-api\.[^.]+\.amazonaws\.com|lambda-url\.[^.]+\.on\.aws)", host) else "Trusted"


def read_models(text: str) -> list[str]:
    """custom,smart-home and the like; each once, in the manifest's order."""
    asked = [model.strip() for model in text.split(",")]
    unknown = [model for model in asked if model not in MODELS]
    if unknown or not asked:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(MODELS)}")
    return [model for model in MODELS if model in asked]


def read_uri(text: str) -> str:
    """A function's ARN or an HTTPS URL; whether its region is one of Alexa's, the schema knows."""
    if not re.fullmatch(r"arn:aws:lambda:\S+|https://[^\s/]+\S*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is neither the ARN of a Lambda function nor an https URL")
    return text


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m tools.skill_manifest", description=__doc__.splitlines()[0] if __doc__ else "")
    made.add_argument("--model", type=read_models, default=["custom"], help="custom, smart-home, video, music, or several with commas")
    made.add_argument("--endpoint", type=read_uri, metavar="URI", help="the stack's output SkillEndpoint, or an https URL (custom only)")
    for region in ("eu", "fe"):
        made.add_argument(f"--endpoint-{region}", type=read_uri, metavar="URI", help=f"another one for {region.upper()}")
    made.add_argument("--custom-endpoint", type=read_uri, metavar="URI", help="where the custom part is, if not there")
    made.add_argument("--events-endpoint", type=read_uri, metavar="URI", help="where skill events go, if not there")
    made.add_argument(
        "--certificate", choices=CERTIFICATES, help="of https endpoints (default: Wildcard for an address of AWS, else Trusted)"
    )
    made.add_argument("--send-alexa-events", action="store_true", help="ask for the permission to send events to Alexa")
    made.add_argument(
        "--source", type=Path, default=SOURCE, metavar="FILE", help="texts and privacy answers (default: skill-package/skill.json)"
    )
    made.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: standard output")
    return made


def read_choices(given: argparse.Namespace) -> dict[str, Any]:
    """The manifest that the command line asks for. Raises ManifestError, OSError, ValueError."""
    source = json.loads(given.source.read_text("utf-8"))
    uris = placeholder_uris(source) if given.endpoint is None else dict.fromkeys(REGIONS, given.endpoint)
    uris |= {region: uri for region, uri in (("EU", given.endpoint_eu), ("FE", given.endpoint_fe)) if uri}
    custom, events = (
        Endpoints(dict.fromkeys(REGIONS, uri), given.certificate) if uri else None for uri in (given.custom_endpoint, given.events_endpoint)
    )
    function = Endpoints(uris, given.certificate)
    return build_manifest(source, given.model, function, custom, events, send_events=given.send_alexa_events)


def placeholder_uris(source: Mapping[str, Any]) -> dict[str, str]:
    """Those of the source, which lead nowhere: to look at a manifest before there is a function."""
    regions = source["manifest"]["events"]["regions"]
    return {region: regions[region]["endpoint"]["uri"] for region in REGIONS}


def main(arguments: Sequence[str] | None = None) -> int:
    """0 = written, 2 = wrong use."""
    given = parser().parse_args(arguments)
    try:
        manifest = json.dumps(read_choices(given), indent=2, ensure_ascii=False) + "\n"
        if given.output:
            given.output.parent.mkdir(parents=True, exist_ok=True)
            given.output.write_text(manifest, "utf-8")
    except (ManifestError, OSError, ValueError, KeyError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    if not given.output:
        print(manifest, end="")
    if given.model != ["custom"]:
        print("name, phrases and testing instructions are the custom skill's: make them your own before you submit", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
