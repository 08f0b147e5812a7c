"""template.yaml: who may call the function, what it may touch, what survives a mistake, and what a half-filled form is told."""

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from samtranslator.translator.transform import transform

ROOT = Path(__file__).resolve().parent.parent
OUTCOMES = ("link_unresolved", "event_unusable", "provider_unavailable", "provider_misconfigured", "request_refused", "observe_failed")
ATTRIBUTES = ["address", "email", "family_name", "given_name", "phone_number"]
COGNITO = {"VendorId": "M12AB34CD56EF7", "CognitoDomainPrefix": "linked-demo"}
LWA = {"IdentityProvider": "lwa", "LwaClientId": "amzn1.application-oa2-client.0a1b"}
OIDC = {"IdentityProvider": "oidc", "OidcUserinfoUrl": "https://id.example.com/userinfo", "OidcClientId": "alexa"}
ANYBODY = {**OIDC, "OidcClientId": "", "OidcAnyAudience": "true"}
NO_LINKING = {"AccountLinking": "none"}


class CloudFormationLoader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags turned into their long form."""


def construct_function(loader: CloudFormationLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any = loader.construct_sequence(node, deep=True) if isinstance(node, yaml.SequenceNode) else loader.construct_scalar(node)
    if suffix == "GetAtt":
        value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


CloudFormationLoader.add_multi_constructor("!", construct_function)


def load_template() -> dict[str, Any]:
    return yaml.load((ROOT / "template.yaml").read_text(), CloudFormationLoader)  # noqa: S506  (a SafeLoader)


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return load_template()


@pytest.fixture(scope="module")
def resources(template) -> dict[str, Any]:
    return template["Resources"]


class NoManagedPolicies:
    """SAM's names for Amazon's managed policies: the template uses none."""

    def load(self) -> dict[str, str]:
        return {}


@pytest.fixture(scope="module")
def transformed(template) -> Iterator[dict[str, Any]]:
    """The resources that CloudFormation gets to see, by SAM's own translator."""
    source = copy.deepcopy(template)
    source["Resources"]["SkillFunction"]["Properties"]["CodeUri"] = "s3://bucket/code.zip"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield transform(source, {}, NoManagedPolicies())


class Deployment:
    """What CloudFormation makes of the template for one choice of parameters: its conditions, Fn::If and AWS::NoValue."""

    def __init__(self, template: dict[str, Any], **chosen: str) -> None:
        self.template = template
        self.parameters = {name: str(spec.get("Default", f"<{name}>")) for name, spec in template["Parameters"].items()} | chosen

    def holds(self, condition: Any) -> bool:
        (name, value), *_ = condition.items() if isinstance(condition, dict) else [("Condition", condition)]
        if name == "Condition":
            return self.holds(self.template["Conditions"][value])
        if name == "Fn::Equals":
            return self.value(value[0]) == self.value(value[1])
        parts = [self.holds(part) for part in value]
        return {"Fn::And": all(parts), "Fn::Or": any(parts), "Fn::Not": not parts[0]}[name]

    def value(self, node: Any) -> Any:
        if isinstance(node, list):
            return [value for value in map(self.value, node) if value is not None]
        if not isinstance(node, dict):
            return node
        if "Fn::If" in node:
            condition, then, otherwise = node["Fn::If"]
            return self.value(then if self.holds(condition) else otherwise)
        if "Ref" in node:
            return None if node["Ref"] == "AWS::NoValue" else self.parameters.get(node["Ref"], f"<{node['Ref']}>")
        return {name: value for name, child in node.items() if (value := self.value(child)) is not None}

    def resource_types(self) -> set[str]:
        living = [spec for spec in self.template["Resources"].values() if "Condition" not in spec or self.holds(spec["Condition"])]
        return {spec["Type"] for spec in living}

    def outputs(self) -> set[str]:
        return {name for name, spec in self.template["Outputs"].items() if "Condition" not in spec or self.holds(spec["Condition"])}

    def environment(self) -> dict[str, str]:
        return self.value(self.template["Resources"]["SkillFunction"]["Properties"]["Environment"]["Variables"])

    def version(self) -> str:
        return " ".join(self.value(self.template["Resources"]["SkillFunction"]["Properties"]["VersionDescription"])["Fn::Join"][1])

    def complaints(self) -> list[str]:
        asked = [rule for rule in self.template["Rules"].values() if self.holds(rule["RuleCondition"])]
        return [check["AssertDescription"] for rule in asked for check in rule["Assertions"] if not self.holds(check["Assert"])]


def strings(node: Any) -> list[str]:
    if isinstance(node, dict):
        return [text for key, child in node.items() for text in [key, *strings(child)]]
    return [text for child in node for text in strings(child)] if isinstance(node, list) else [node] if isinstance(node, str) else []


TABLE_ARN = {"Fn::GetAtt": ["AccountMappings", "Arn"]}


def of_type(resources: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [spec["Properties"] for spec in resources.values() if spec["Type"] == kind]


def statements(resources: dict[str, Any]) -> list[dict[str, Any]]:
    (role,) = of_type(resources, "AWS::IAM::Role")
    return [statement for policy in role["Policies"] for statement in policy["PolicyDocument"]["Statement"]]


# ---- who may call


def test_only_our_skill_may_call_the_alias_when_deployed(transformed):
    (permission,) = of_type(transformed["Resources"], "AWS::Lambda::Permission")
    assert permission == {
        "Action": "lambda:InvokeFunction",
        "FunctionName": {"Ref": "SkillFunctionAliaslive"},
        "Principal": "alexa-appkit.amazon.com",
        "EventSourceToken": {"Ref": "SkillId"},
    }


def test_skill_id_is_demanded_when_none_is_given(template):
    spec = template["Parameters"]["SkillId"]
    assert "Default" not in spec
    assert re.fullmatch(spec["AllowedPattern"], "amzn1.ask.skill.12345678-90ab-cdef-1234-567890abcdef")
    for wrong in ("", "*", "amzn1.ask.skill.", "amzn1.ask.skill.12345678-90AB-CDEF-1234-567890ABCDEF", "xamzn1.ask.skill." + "0" * 36):
        assert not re.fullmatch(spec["AllowedPattern"], wrong)


def test_there_is_no_other_way_in_when_deployed(transformed):
    code = {"AWS::Lambda::Function", "AWS::Lambda::Version", "AWS::Lambda::Alias", "AWS::Lambda::Permission", "AWS::IAM::Role"}
    code |= {"AWS::IAM::ManagedPolicy"}
    data = {"AWS::DynamoDB::Table", "AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient", "AWS::Cognito::UserPoolDomain"}
    watch = {"AWS::Logs::LogGroup", "AWS::Logs::MetricFilter", "AWS::CloudWatch::Alarm"}
    assert {spec["Type"] for spec in transformed["Resources"].values()} == code | data | watch


def test_skill_endpoint_is_the_published_alias_when_the_stack_is_up(transformed):
    (alias,) = of_type(transformed["Resources"], "AWS::Lambda::Alias")
    assert alias["Name"] == "live"
    assert transformed["Outputs"]["SkillEndpoint"]["Value"] == {"Ref": "SkillFunctionAliaslive"}


# ---- what is published


@pytest.mark.parametrize("chosen", [COGNITO, LWA, OIDC, ANYBODY, NO_LINKING])
def test_a_new_version_is_published_when_a_parameter_changes_the_environment(template, chosen):
    before = Deployment(template, **chosen)
    for name in template["Parameters"]:
        after = Deployment(template, **{**chosen, name: {"true": "false", "false": "true"}.get(before.parameters[name], "changed")})
        if not after.complaints():
            assert (after.environment() == before.environment()) == (after.version() == before.version()), name


def test_a_new_version_is_published_when_another_property_changes(resources, transformed):
    properties = resources["SkillFunction"]["Properties"]
    assert (properties["AutoPublishAlias"], properties["AutoPublishAliasAllProperties"]) == ("live", True)
    (version,) = of_type(transformed["Resources"], "AWS::Lambda::Version")
    assert version["Description"] == properties["VersionDescription"]


def test_version_description_fits_when_the_provider_has_long_names(template):
    uuid = "0" * 36
    urls = {"OidcUserinfoUrl": "https://graph.microsoft.com/oidc/userinfo", "OidcIssuer": f"https://login.microsoftonline.com/{uuid}/v2.0"}
    others = {"OidcClientId": uuid, "SkillId": f"amzn1.ask.skill.{uuid}", "AccountLinking": "optional", "LogLevel": "WARNING"}
    assert len(Deployment(template, **{**OIDC, **urls, **others}).version()) <= 256


# ---- what the function is, and what it may touch


def test_function_is_small_and_ends_before_alexa_hangs_up_when_slow(resources):
    properties = resources["SkillFunction"]["Properties"]
    wanted = {"Runtime": "python3.13", "Handler": "lambda_function.handler", "CodeUri": "lambda/", "MemorySize": 512, "Timeout": 8}
    assert {name: properties[name] for name in wanted} == wanted
    assert properties["Architectures"] == ["arm64"]


def test_function_logs_json_to_its_own_group_when_it_runs(template, resources):
    logging = resources["SkillFunction"]["Properties"]["LoggingConfig"]
    assert logging["LogFormat"] == "JSON"
    assert logging["LogGroup"] == {"Ref": "SkillFunctionLogs"}
    assert logging["ApplicationLogLevel"] == {"Fn::FindInMap": ["LambdaLogLevel", {"Ref": "LogLevel"}, "Name"]}
    assert resources["SkillFunctionLogs"]["Properties"]["RetentionInDays"] == 30
    assert list(template["Mappings"]["LambdaLogLevel"]) == template["Parameters"]["LogLevel"]["AllowedValues"]


def test_role_allows_exactly_four_table_actions_when_the_function_runs(resources):
    (table,) = [statement for statement in statements(resources) if statement["Resource"] == TABLE_ARN]
    assert sorted(table["Action"]) == ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"]


def test_role_allows_nothing_else_but_its_own_logs_when_the_function_runs(resources, transformed):
    (own,) = [statement for statement in statements(resources) if statement["Resource"] != TABLE_ARN]
    assert own["Resource"] == {"Fn::GetAtt": ["SkillFunctionLogs", "Arn"]}
    assert sorted(own["Action"]) == ["logs:CreateLogStream", "logs:PutLogEvents"]
    (role,) = of_type(transformed["Resources"], "AWS::IAM::Role")
    assert "ManagedPolicyArns" not in role
    assert of_type(transformed["Resources"], "AWS::Lambda::Function")[0]["Role"] == {"Fn::GetAtt": ["SkillFunctionRole", "Arn"]}


OPERATORS = {
    "OperatorReadPolicy": {"DescribeTable", "ExportTableToPointInTime", "GetItem", "Query", "Scan"},
    "OperatorAssignPolicy": {"PutItem", "UpdateItem"},
    "OperatorErasePolicy": {"DeleteItem", "PutItem", "UpdateItem"},
}


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operators_policy_allows_exactly_its_actions_when_attached(resources, name):
    allowed = resources[name]["Properties"]["PolicyDocument"]["Statement"]
    on_table = [statement for statement in allowed if statement["Resource"] == TABLE_ARN]
    actions = [action for statement in on_table for action in flat(statement["Action"])]
    assert sorted(actions) == [f"dynamodb:{action}" for action in sorted(OPERATORS[name])]
    others = {action for statement in allowed if statement not in on_table for action in flat(statement["Action"])}
    assert others <= {"dynamodb:Query", "cloudformation:DescribeStacks"}
    assert all(statement["Resource"] != "*" for statement in allowed)


def flat(actions: str | list[str]) -> list[str]:
    return [actions] if isinstance(actions, str) else actions


def test_no_secret_stands_in_the_template_when_read_word_by_word(template):
    names = [*template["Parameters"], *template["Outputs"], *Deployment(template, **COGNITO).environment()]
    assert [name for name in names if re.search("secret|password|credential|private", name, re.IGNORECASE)] == []
    texts = [text for section in ("Parameters", "Resources", "Outputs") for text in strings(template[section])]
    assert [text for text in texts if re.search(r"AKIA[0-9A-Z]{16}|BEGIN [A-Z ]*PRIVATE KEY|\b[0-9a-f]{40,}\b", text)] == []
    assert [text for text in texts if "ClientSecret" in text] == []


# ---- the table


def test_mapping_table_survives_when_somebody_deletes_the_stack(resources):
    table = resources["AccountMappings"]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert table["Properties"]["DeletionProtectionEnabled"] is True
    assert table["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_mapping_table_is_encrypted_and_pays_by_use_when_idle(resources):
    table = resources["AccountMappings"]["Properties"]
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["TimeToLiveSpecification"] == {"AttributeName": "ExpiresAt", "Enabled": True}
    assert "TableName" not in table


def test_mapping_table_holds_one_partition_per_user_id_when_written(resources):
    table = resources["AccountMappings"]["Properties"]
    assert [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]] == [("AmazonUserID", "HASH"), ("SK", "RANGE")]
    (index,) = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "by-account"
    assert [(key["AttributeName"], key["KeyType"]) for key in index["KeySchema"]] == [("AccountID", "HASH"), ("StartMs", "RANGE")]
    assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}
    types = {spec["AttributeName"]: spec["AttributeType"] for spec in table["AttributeDefinitions"]}
    assert types == {"AmazonUserID": "S", "SK": "S", "AccountID": "S", "StartMs": "N"}


# ---- Cognito


def test_cognito_parts_exist_when_cognito_is_chosen_and_only_then(template):
    parts = {"AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient", "AWS::Cognito::UserPoolDomain"}
    assert parts <= Deployment(template, **COGNITO).resource_types()
    for others in (LWA, OIDC, ANYBODY, NO_LINKING, {**COGNITO, **LWA}, {**COGNITO, **NO_LINKING}):
        assert not parts & Deployment(template, **others).resource_types()


def test_customer_pool_survives_when_somebody_deletes_the_stack(resources):
    pool = resources["CustomerPool"]
    assert (pool["DeletionPolicy"], pool["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert pool["Properties"]["DeletionProtection"] == "ACTIVE"


def test_customers_sign_in_by_email_with_five_required_attributes_when_they_sign_up(resources):
    pool = resources["CustomerPool"]["Properties"]
    assert (pool["UsernameAttributes"], pool["AutoVerifiedAttributes"], pool["MfaConfiguration"]) == (["email"], ["email"], "OFF")
    assert sorted(attribute["Name"] for attribute in pool["Schema"] if attribute["Required"]) == ATTRIBUTES


def test_alexa_may_use_the_code_grant_alone_when_it_links(resources):
    client = resources["CustomerPoolClient"]["Properties"]
    assert client["AllowedOAuthFlows"] == ["code"]
    assert client["AllowedOAuthFlowsUserPoolClient"] is True
    assert client["AllowedOAuthScopes"] == ["openid", "profile", "aws.cognito.signin.user.admin"]
    assert client["GenerateSecret"] is True
    hosts = ("pitangui.amazon.com", "layla.amazon.com", "alexa.amazon.co.jp")
    assert client["CallbackURLs"] == [{"Fn::Sub": f"https://{host}/api/skill/link/${{VendorId}}"} for host in hosts]


def test_nobody_can_try_passwords_or_addresses_when_he_knows_the_client_id(resources):
    client = resources["CustomerPoolClient"]["Properties"]
    assert client["ExplicitAuthFlows"] == ["ALLOW_REFRESH_TOKEN_AUTH"]
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    assert client["EnableTokenRevocation"] is True


def test_customers_stay_linked_when_months_pass(template, resources):
    client = resources["CustomerPoolClient"]["Properties"]
    assert (client["RefreshTokenValidity"], client["TokenValidityUnits"]["RefreshToken"]) == (3650, "days")
    assert (client["AccessTokenValidity"], client["TokenValidityUnits"]["AccessToken"]) == ({"Ref": "AccessTokenMinutes"}, "minutes")
    minutes = template["Parameters"]["AccessTokenMinutes"]
    assert (minutes["Default"], minutes["MinValue"], minutes["MaxValue"]) == (60, 6, 1440)


def test_token_endpoint_can_answer_when_the_profile_scope_is_asked_for(resources):
    client = resources["CustomerPoolClient"]["Properties"]
    assert sorted(client["ReadAttributes"]) == sorted([*ATTRIBUTES, "email_verified", "phone_number_verified"])
    assert sorted(client["WriteAttributes"]) == ATTRIBUTES


@pytest.mark.parametrize("prefix", ["my-aws-skill", "amazonia", "cognito1", "-a", "a-", "Upper", "a" * 64, "a.b"])
def test_domain_prefix_is_refused_at_once_when_cognito_would_refuse_it(template, prefix):
    pattern = template["Parameters"]["CognitoDomainPrefix"]["AllowedPattern"]
    assert not re.fullmatch(pattern, prefix)
    assert re.fullmatch(pattern, "linked-profile-7")


# ---- parameters that belong together


@pytest.mark.parametrize("chosen", [COGNITO, LWA, OIDC, ANYBODY, NO_LINKING, {**COGNITO, "AccountLinking": "optional"}])
def test_nothing_is_refused_when_the_parameters_are_complete(template, chosen):
    assert Deployment(template, **chosen).complaints() == []


@pytest.mark.parametrize(
    ("chosen", "missing"),
    [
        ({**COGNITO, "VendorId": ""}, "VendorId"),
        ({**COGNITO, "CognitoDomainPrefix": ""}, "CognitoDomainPrefix"),
        ({**LWA, "LwaClientId": ""}, "LwaClientId"),
        ({**OIDC, "OidcUserinfoUrl": ""}, "OidcUserinfoUrl"),
        ({**OIDC, "OidcClientId": ""}, "OidcClientId"),
        ({**OIDC, "OidcAnyAudience": "true"}, "not both"),
    ],
)
def test_deployment_is_refused_with_one_line_when_a_parameter_is_missing(template, chosen, missing):
    (line,) = Deployment(template, **chosen).complaints()
    assert missing in line


ALWAYS = {"SKILL_ID", "ACCOUNT_MAPPINGS_TABLE", "ACCOUNT_LINKING", "OBSERVE_REQUESTS", "RETENTION_DAYS", "LOG_LEVEL"}


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        (COGNITO, {"IDENTITY_PROVIDER", "COGNITO_REGION", "COGNITO_USER_POOL_ID", "COGNITO_CLIENT_ID"}),
        (LWA, {"IDENTITY_PROVIDER", "LWA_CLIENT_ID"}),
        (OIDC, {"IDENTITY_PROVIDER", "OIDC_USERINFO_URL", "OIDC_CLIENT_ID"}),
        ({**OIDC, "OidcIssuer": "https://id.example.com"}, {"IDENTITY_PROVIDER", "OIDC_USERINFO_URL", "OIDC_CLIENT_ID", "OIDC_ISSUER"}),
        (NO_LINKING, set()),
    ],
)
def test_environment_names_only_what_applies_when_a_provider_is_chosen(template, chosen, names):
    assert set(Deployment(template, **chosen).environment()) == ALWAYS | names


def test_audience_is_checked_when_nobody_asked_otherwise(template):
    assert Deployment(template, **OIDC).environment()["OIDC_CLIENT_ID"] == "alexa"
    assert Deployment(template, **ANYBODY).environment()["OIDC_CLIENT_ID"] == ""


# ---- metrics, alarms, outputs


def test_each_outcome_is_counted_when_its_line_is_logged(resources):
    filters = of_type(resources, "AWS::Logs::MetricFilter")
    assert [spec["FilterPattern"] for spec in filters] == [f'{{ $.outcome = "{outcome}" }}' for outcome in OUTCOMES]
    for spec, outcome in zip(filters, OUTCOMES, strict=True):
        assert spec["LogGroupName"] == {"Ref": "SkillFunctionLogs"}
        (metric,) = spec["MetricTransformations"]
        assert (metric["MetricNamespace"], metric["MetricValue"]) == ("LinkedProfile", "1")
        assert metric["MetricName"] == {"Fn::Sub": f"${{AWS::StackName}}-{outcome}"}


def test_alarms_ring_for_errors_throttles_and_two_outcomes_when_there_is_one(resources):
    alarms = of_type(resources, "AWS::CloudWatch::Alarm")
    ours = [("LinkedProfile", {"Fn::Sub": f"${{AWS::StackName}}-{outcome}"}) for outcome in ("link_unresolved", "provider_misconfigured")]
    lambdas = [("AWS/Lambda", "Errors"), ("AWS/Lambda", "Throttles")]
    assert [(alarm["Namespace"], alarm["MetricName"]) for alarm in alarms] == lambdas + ours
    for alarm in alarms:
        assert (alarm["Statistic"], alarm["Threshold"], alarm["ComparisonOperator"]) == ("Sum", 1, "GreaterThanOrEqualToThreshold")


def test_alarms_stay_quiet_when_nobody_uses_the_skill(resources):
    assert {alarm["TreatMissingData"] for alarm in of_type(resources, "AWS::CloudWatch::Alarm")} == {"notBreaching"}


def test_alarms_tell_a_topic_when_there_is_one(template):
    for alarm in of_type(template["Resources"], "AWS::CloudWatch::Alarm"):
        assert Deployment(template).value(alarm).get("AlarmActions") is None
        assert Deployment(template, AlarmTopicArn="arn:aws:sns:us-east-1:123456789012:ring").value(alarm)["AlarmActions"] == [
            "arn:aws:sns:us-east-1:123456789012:ring"
        ]


def test_lambda_alarms_watch_the_alias_when_alexa_calls_it(resources):
    alias = resources["SkillFunction"]["Properties"]["AutoPublishAlias"]
    for alarm in of_type(resources, "AWS::CloudWatch::Alarm"):
        if alarm["Namespace"] == "AWS/Lambda":
            dimensions = {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}
            assert dimensions == {"FunctionName": {"Ref": "SkillFunction"}, "Resource": {"Fn::Sub": f"${{SkillFunction}}:{alias}"}}


TO_TYPE_IN = {"SkillEndpoint", "AuthorizationUrl", "AccessTokenUrl", "ClientId", "ClientAuthenticationScheme", "Scopes", "DomainList"}
REDIRECTS = {"RedirectUrlNorthAmerica", "RedirectUrlEurope", "RedirectUrlFarEast"}
OWN = {"AccountMappingsTable", "LogGroup"}


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        (COGNITO, TO_TYPE_IN | REDIRECTS | OWN | {"UserPoolId"}),
        ({**LWA, "VendorId": "M1"}, TO_TYPE_IN | REDIRECTS | OWN),
        (LWA, TO_TYPE_IN | OWN),
        (OIDC, OWN | {"SkillEndpoint", "ClientId"}),
        (ANYBODY, OWN | {"SkillEndpoint"}),
        (NO_LINKING, OWN | {"SkillEndpoint"}),
    ],
)
def test_outputs_are_what_the_alexa_console_asks_for_when_deployed(template, chosen, names):
    assert Deployment(template, **chosen).outputs() == names


def test_login_with_amazon_has_its_own_addresses_when_chosen(template):
    outputs = Deployment(template, **LWA).value(template["Outputs"])
    assert outputs["AuthorizationUrl"]["Value"] == "https://www.amazon.com/ap/oa"
    assert outputs["AccessTokenUrl"]["Value"] == "https://api.amazon.com/auth/o2/token"
    assert outputs["Scopes"]["Value"] == "profile postal_code"
    assert outputs["ClientId"]["Value"] == LWA["LwaClientId"]
