"""Where the HTTPS endpoint is deployed: template.yaml's optional HTTP API, and the container image."""

import ast
import re
import shlex
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from linked_profile import logs
from tests.test_template import COGNITO, Deployment, load_template

ROOT = Path(__file__).parent.parent
CHOSEN = {**COGNITO, "HttpsEndpoint": "http-api"}
DOCKERFILE = (ROOT / "Dockerfile").read_text()


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return load_template()


def living(template: dict[str, Any], **chosen: str) -> dict[str, dict[str, Any]]:
    """The resources of a deployment with these parameters."""
    deployment = Deployment(template, **chosen)
    return {name: spec for name, spec in template["Resources"].items() if "Condition" not in spec or deployment.holds(spec["Condition"])}


def test_there_is_no_http_api_when_nobody_asks_for_one(template: dict[str, Any]) -> None:
    plain = living(template, **COGNITO)
    assert [name for name, spec in plain.items() if "ApiGateway" in spec["Type"] or "Https" in name or "Signature" in name] == []
    assert Deployment(template, **COGNITO).value(plain["SkillFunction"]["Properties"]["Handler"]) == "lambda_function.handler"
    assert "HttpsEndpointUrl" not in Deployment(template, **COGNITO).outputs()


def test_the_function_checks_signatures_and_is_published_anew_when_the_endpoint_is_chosen(template: dict[str, Any]) -> None:
    chosen = Deployment(template, **CHOSEN)
    function = template["Resources"]["SkillFunction"]["Properties"]
    assert chosen.value(function["Handler"]) == "https_function.handler"
    assert (ROOT / "lambda/https_function.py").exists()
    described = [Deployment(template, **each).value(function["VersionDescription"]) for each in (CHOSEN, COGNITO)]
    assert described[0] != described[1]
    assert chosen.environment() == Deployment(template, **COGNITO).environment()


def test_one_route_leads_to_the_published_alias_when_the_endpoint_is_chosen(template: dict[str, Any]) -> None:
    properties = {name: spec["Properties"] for name, spec in living(template, **CHOSEN).items()}
    routes = [name for name, spec in template["Resources"].items() if spec["Type"] == "AWS::ApiGatewayV2::Route"]
    assert [properties[name]["RouteKey"] for name in routes] == ["POST /"]
    integration = properties["HttpsApiIntegration"]
    assert (integration["IntegrationUri"], integration["PayloadFormatVersion"]) == ({"Ref": "SkillFunction.Alias"}, "2.0")
    assert integration["TimeoutInMillis"] > properties["SkillFunction"]["Timeout"] * 1000
    permission = properties["HttpsApiPermission"]
    assert (permission["Principal"], permission["FunctionName"]) == ("apigateway.amazonaws.com", {"Ref": "SkillFunction.Alias"})
    assert "${HttpsApi}/" in permission["SourceArn"]["Fn::Sub"], "any API of any account could call the function"


def test_requests_are_throttled_when_they_come_too_often(template: dict[str, Any]) -> None:
    stage = living(template, **CHOSEN)["HttpsApiStage"]["Properties"]
    limit = {"Ref": "HttpsRequestsPerSecond"}
    assert stage["DefaultRouteSettings"] == {"ThrottlingRateLimit": limit, "ThrottlingBurstLimit": limit}
    parameter = template["Parameters"]["HttpsRequestsPerSecond"]
    assert 1 <= parameter["MinValue"] <= parameter["Default"] <= parameter["MaxValue"] == 10_000


def test_refused_signatures_are_counted_and_ring_when_there_are_many(template: dict[str, Any]) -> None:
    properties = {name: spec["Properties"] for name, spec in living(template, **CHOSEN).items()}
    metric = properties["SignatureRefusedMetric"]
    assert metric["FilterPattern"] == '{ $.outcome = "signature_refused" }'
    assert "signature_refused" in logs.WARNINGS, "LogLevel WARNING would silence the metric"
    alarm = properties["SignatureRefusedAlarm"]
    assert alarm["MetricName"] == metric["MetricTransformations"][0]["MetricName"]
    assert alarm["Threshold"] > 1, "Amazon's certification sends forged requests, too"
    assert (properties["HttpsErrorsAlarm"]["MetricName"], properties["HttpsErrorsAlarm"]["Threshold"]) == ("5xx", 1)
    for name in ("SignatureRefusedAlarm", "HttpsErrorsAlarm"):
        assert properties[name]["AlarmActions"] == {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}


def test_the_address_is_an_output_when_the_endpoint_is_chosen(template: dict[str, Any]) -> None:
    assert "HttpsEndpointUrl" in Deployment(template, **CHOSEN).outputs()
    assert template["Outputs"]["HttpsEndpointUrl"]["Value"]["Fn::Sub"].endswith("/"), "the route is POST /"


def test_no_template_and_no_image_trusts_other_roots_when_deployed() -> None:
    for place in ("template.yaml", "Dockerfile", "samconfig.toml"):
        assert not re.search(r"TRUSTED_ROOTS|CERTIFICATE_HOST", (ROOT / place).read_text()), place


# ---- the image


def instructions(name: str) -> list[str]:
    joined = DOCKERFILE.replace("\\\n", " ")
    return [line.split(maxsplit=1)[1] for line in joined.splitlines() if line.startswith(f"{name} ")]


def test_the_image_is_built_from_an_exact_slim_python_when_it_is_built() -> None:
    (image,) = instructions("FROM")
    assert re.fullmatch(r"python:3\.13\.\d+-slim-[a-z]+", image)


def test_the_image_installs_only_what_has_a_hash_when_it_is_built() -> None:
    (install,) = instructions("RUN")
    words = shlex.split(install)
    assert {"--require-hashes", "--no-deps", "--no-cache-dir"} <= set(words)
    assert [words[at + 1] for at, word in enumerate(words) if word == "-r"] == ["requirements.txt", "requirements-https.txt"]


def test_what_the_image_copies_is_there_and_not_ignored_when_it_is_built() -> None:
    copied = [source for line in instructions("COPY") for source in line.split()[:-1]]
    assert [source for source in copied if not (ROOT / source).exists()] == []
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert set(copied) == let_in


def test_nothing_runs_as_root_when_the_container_starts() -> None:
    (user,) = instructions("USER")
    assert int(user.split(":")[0]) > 0
    lines = DOCKERFILE.splitlines()
    assert lines.index(f"USER {user}") > max(at for at, line in enumerate(lines) if line.startswith(("RUN", "COPY")))


def test_the_command_names_an_application_and_a_health_path_that_exist_when_the_container_starts() -> None:
    commands = [
        ast.literal_eval(line.removeprefix("CMD ")) for line in DOCKERFILE.splitlines() if line.strip().startswith('CMD ["gunicorn')
    ]
    ((program, *options),) = commands
    assert program == "gunicorn"
    module, _, name = options[-1].partition(":")
    assert re.search(rf"^{name} = ", (ROOT / f"lambda/{module}.py").read_text(), re.MULTILINE)
    assert "0.0.0.0:8080" in options
    assert instructions("EXPOSE") == ["8080"]
    assert "/health" in instructions("HEALTHCHECK")[0]


def test_idle_connections_outlive_the_load_balancers_patience_when_the_container_serves() -> None:
    """Else some request arrives just when its connection is closed, and the balancer answers 502. Theirs is 60 seconds by default."""
    assert int(re.findall(r'"--keep-alive", "(\d+)"', DOCKERFILE)[0]) > 60


def test_the_image_runs_the_gunicorn_that_the_tests_ran_when_it_is_built() -> None:
    assert f"gunicorn=={metadata.version('gunicorn')}" in (ROOT / "requirements-https.txt").read_text()
    needed = [name for name in metadata.requires("gunicorn") or [] if "extra ==" not in name]
    names = {re.split(r"[^A-Za-z0-9-]", name)[0] for name in needed}
    assert names <= set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements-https.txt").read_text(), re.MULTILINE))


def test_cryptography_ships_when_the_function_is_built() -> None:
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert any(name.startswith(("cryptography", "pyjwt[crypto]")) for name in dependencies)
    assert re.search(r"^cryptography==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
