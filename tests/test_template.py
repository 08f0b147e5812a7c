"""template.yaml: who may call the function, what it may touch, what survives a mistake, and what a half-filled form is told."""

import copy
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from samtranslator.translator.transform import transform

from linked_profile import logs

ROOT = Path(__file__).resolve().parent.parent
OUTCOMES = {
    *("link_unresolved", "event_unusable", "provider_unavailable", "provider_misconfigured", "request_refused", "observe_failed"),
    *("token_rejected", "grant_failed", "grant_refused", "grant_dead", "event_not_sent"),
}
ATTRIBUTES = ["address", "email", "family_name", "given_name", "phone_number"]
COGNITO = {"VendorId": "M12AB34CD56EF7", "CognitoDomainPrefix": "linked-demo"}
LWA = {"IdentityProvider": "lwa", "LwaClientId": "amzn1.application-oa2-client.0a1b"}
OIDC = {"IdentityProvider": "oidc", "OidcUserinfoUrl": "https://id.example.com/userinfo", "OidcClientId": "alexa"}
ANYBODY = {**OIDC, "OidcClientId": "", "OidcAnyAudience": "true"}
NO_LINKING = {"AccountLinking": "none"}
DIRECTIVES = {**COGNITO, "SmartHome": "true"}
EVENTS = {**COGNITO, "SendAlexaEvents": "true"}
EVERYTHING = {**DIRECTIVES, **EVENTS, "VirtualLamp": "true"}


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
        if "Fn::FindInMap" in node:
            mapping, *keys = (self.value(part) for part in node["Fn::FindInMap"])
            return self.template["Mappings"][mapping][keys[0]][keys[1]]
        if "Ref" in node:
            return None if node["Ref"] == "AWS::NoValue" else self.parameters.get(node["Ref"], f"<{node['Ref']}>")
        return {name: value for name, child in node.items() if (value := self.value(child)) is not None}

    def resources(self) -> dict[str, Any]:
        """The properties of those that are made."""
        specs = self.template["Resources"].items()
        return {name: self.value(spec["Properties"]) for name, spec in specs if "Condition" not in spec or self.holds(spec["Condition"])}

    def resource_types(self) -> set[str]:
        return {self.template["Resources"][name]["Type"] for name in self.resources()}

    def role_statements(self) -> list[dict[str, Any]]:
        policies = self.resources()["SkillFunctionRole"]["Policies"]
        return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]

    def other_value(self, name: str) -> str:
        """Of a parameter: another one than it has."""
        allowed = self.template["Parameters"][name].get("AllowedValues", ["changed"])
        return next(value for value in map(str, allowed) if value != self.parameters[name])

    def outputs(self) -> set[str]:
        return {name for name, spec in self.template["Outputs"].items() if "Condition" not in spec or self.holds(spec["Condition"])}

    def environment(self) -> dict[str, str]:
        return self.value(self.template["Resources"]["SkillFunction"]["Properties"]["Environment"]["Variables"])

    def code(self) -> tuple[str, dict[str, str]]:
        """What a parameter may change of the function as it is published."""
        return self.resources()["SkillFunction"]["Handler"], self.environment()

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


# ---- who may call


def permissions(transformed: dict[str, Any]) -> list[dict[str, Any]]:
    """What lets Alexa call the function, as CloudFormation sees it; that of the HTTPS endpoint is another's."""
    found = of_type(transformed["Resources"], "AWS::Lambda::Permission")
    return [permission for permission in found if "alexa" in str(permission["Principal"])]


@pytest.mark.parametrize("principal", ["alexa-appkit.amazon.com", "alexa-connectedhome.amazon.com"])
def test_only_our_skill_may_call_the_alias_when_deployed(transformed, principal):
    assert [permission for permission in permissions(transformed) if permission["Principal"] == principal] == [
        {
            "Action": "lambda:InvokeFunction",
            "FunctionName": {"Ref": "SkillFunctionAliaslive"},
            "Principal": principal,
            "EventSourceToken": {"Ref": "SkillId"},
        }
    ]
    assert len(permissions(transformed)) == 2


@pytest.mark.parametrize(("chosen", "made"), [(COGNITO, False), (EVENTS, False), (DIRECTIVES, True), (NO_LINKING, False)])
def test_smart_home_may_call_only_when_directives_are_asked_for(template, chosen, made):
    assert ("SmartHomePermission" in Deployment(template, **chosen).resources()) is made


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
    deployment = Deployment(transformed, **COGNITO)
    assert deployment.resource_types() == code | data | watch
    everything = Deployment(transformed, **EVERYTHING).resource_types()
    assert everything - deployment.resource_types() == {"AWS::KMS::Key", "AWS::SecretsManager::Secret"}


def test_skill_endpoint_is_the_published_alias_when_the_stack_is_up(transformed):
    (alias,) = of_type(transformed["Resources"], "AWS::Lambda::Alias")
    assert alias["Name"] == "live"
    assert transformed["Outputs"]["SkillEndpoint"]["Value"] == {"Ref": "SkillFunctionAliaslive"}


# ---- what is published


@pytest.mark.parametrize("chosen", [COGNITO, LWA, OIDC, ANYBODY, NO_LINKING, DIRECTIVES, EVENTS, EVERYTHING])
def test_a_new_version_is_published_when_a_parameter_changes_the_environment(template, chosen):
    before = Deployment(template, **chosen)
    for name in template["Parameters"]:
        after = Deployment(template, **{**chosen, name: before.other_value(name)})
        if not after.complaints():
            assert (after.code() == before.code()) == (after.version() == before.version()), name


def test_a_new_version_is_published_when_another_property_changes(resources, transformed):
    properties = resources["SkillFunction"]["Properties"]
    assert (properties["AutoPublishAlias"], properties["AutoPublishAliasAllProperties"]) == ("live", True)
    (version,) = of_type(transformed["Resources"], "AWS::Lambda::Version")
    assert version["Description"] == properties["VersionDescription"]


def test_version_description_fits_when_every_parameter_is_at_its_longest(template):
    """The three of an OpenID provider may have as many characters together as the description of the first of them says."""
    room = int(re.search(r"room for (\d+) characters together", template["Parameters"]["OidcUserinfoUrl"]["Description"])[1])
    specs = template["Parameters"].items()
    longest = {name: max(map(str, spec.get("AllowedValues", [spec.get("MaxValue", "")])), key=len) for name, spec in specs}
    urls = {"OidcUserinfoUrl": "u" * (room - 100), "OidcIssuer": "i" * 64, "OidcClientId": "c" * 36}
    chosen = {**longest, **urls, "IdentityProvider": "oidc", "SkillId": f"amzn1.ask.skill.{'0' * 36}"}
    switches = [name for name, spec in specs if spec.get("AllowedValues") == ["true", "false"]]
    assert {"SmartHome", "VirtualLamp", "SendAlexaEvents", "OidcAnyAudience"} <= set(switches)
    for states in itertools.product(["true", "false"], repeat=len(switches)):
        assert len(Deployment(template, **{**chosen, **dict(zip(switches, states, strict=True))}).version()) <= 256
    assert room >= 170


# ---- what the function is, and what it may touch


def test_function_is_small_and_ends_before_alexa_hangs_up_when_slow(template):
    properties = Deployment(template, **COGNITO).resources()["SkillFunction"]
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


def test_role_allows_exactly_four_table_actions_when_the_function_runs(template):
    (table,) = [statement for statement in Deployment(template, **EVERYTHING).role_statements() if statement["Resource"] == TABLE_ARN]
    assert sorted(table["Action"]) == ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"]


def test_role_allows_nothing_else_but_its_own_logs_when_nothing_else_is_asked_for(template, transformed):
    (own,) = [statement for statement in Deployment(template, **COGNITO).role_statements() if statement["Resource"] != TABLE_ARN]
    assert own["Resource"] == {"Fn::GetAtt": ["SkillFunctionLogs", "Arn"]}
    assert sorted(own["Action"]) == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert "ManagedPolicyArns" not in transformed["Resources"]["SkillFunctionRole"]["Properties"]
    assert transformed["Resources"]["SkillFunction"]["Properties"]["Role"] == {"Fn::GetAtt": ["SkillFunctionRole", "Arn"]}


def test_role_may_seal_tokens_for_an_account_alone_when_events_are_sent(template):
    allowed = {str(each["Resource"]): each for each in Deployment(template, **EVENTS).role_statements()}
    grants = allowed[str({"Fn::GetAtt": ["AlexaGrants", "Arn"]})]
    assert sorted(grants["Action"]) == ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"]
    key = allowed[str({"Fn::GetAtt": ["AlexaGrantsKey", "Arn"]})]
    assert key["Action"] == ["kms:Decrypt", "kms:Encrypt"]
    assert key["Condition"] == {
        "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["AccountID"]},
        "Null": {"kms:EncryptionContext:AccountID": "false"},  # or a call without any context would pass
    }
    assert allowed[str({"Fn::GetAtt": ["SkillMessagingSecret", "Id"]})]["Action"] == "secretsmanager:GetSecretValue"
    assert len(allowed) == 5


def test_role_may_read_and_switch_lamps_alone_when_there_are_lamps(template):
    lamps = {"Fn::GetAtt": ["VirtualLamps", "Arn"]}
    allowed = Deployment(template, **DIRECTIVES, VirtualLamp="true").role_statements()
    assert [each["Action"] for each in allowed if each["Resource"] == lamps] == [["dynamodb:GetItem", "dynamodb:PutItem"]]
    assert len(allowed) == 3


OPERATORS = {
    "OperatorReadPolicy": {"DescribeTable", "ExportTableToPointInTime", "GetItem", "Query", "Scan"},
    "OperatorAssignPolicy": {"PutItem", "UpdateItem"},
    "OperatorErasePolicy": {"DeleteItem", "PutItem", "UpdateItem"},
}


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operators_policy_allows_exactly_its_actions_when_attached(template, name):
    allowed = Deployment(template, **COGNITO).resources()[name]["PolicyDocument"]["Statement"]
    on_table = [statement for statement in allowed if statement["Resource"] == TABLE_ARN]
    actions = [action for statement in on_table for action in flat(statement["Action"])]
    assert sorted(actions) == [f"dynamodb:{action}" for action in sorted(OPERATORS[name])]
    others = {action for statement in allowed if statement not in on_table for action in flat(statement["Action"])}
    assert others <= {"dynamodb:Query", "cloudformation:DescribeStacks"}
    assert all(statement["Resource"] != "*" for statement in allowed)


def test_who_erases_may_delete_grants_and_lamps_when_there_are_any(template):
    policies = [Deployment(template, **chosen).resources()["OperatorErasePolicy"]["PolicyDocument"] for chosen in (COGNITO, EVERYTHING)]
    added = [statement for statement in policies[1]["Statement"] if statement not in policies[0]["Statement"]]
    assert [statement["Resource"] for statement in added] == [{"Fn::GetAtt": [name, "Arn"]} for name in ("AlexaGrants", "VirtualLamps")]
    assert {tuple(statement["Action"]) for statement in added} == {("dynamodb:DeleteItem", "dynamodb:Query", "dynamodb:Scan")}


def flat(actions: str | list[str]) -> list[str]:
    return [actions] if isinstance(actions, str) else actions


def test_no_secret_stands_in_the_template_when_read_word_by_word(template):
    names = [*template["Parameters"], *template["Outputs"], *Deployment(template, **EVERYTHING).environment()]
    assert [name for name in names if re.search("(?i)secret(?!_?arn$)|password|credential|private", name)] == []
    assert template["Resources"]["SkillMessagingSecret"]["Properties"].keys() == {"Description"}
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


@pytest.mark.parametrize("name", ["AlexaGrants", "AlexaGrantsKey"])
def test_grants_and_their_key_survive_when_somebody_deletes_the_stack(resources, name):
    assert (resources[name]["DeletionPolicy"], resources[name]["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_grants_are_kept_as_the_mappings_are_when_events_are_sent(resources):
    grants, mappings = resources["AlexaGrants"]["Properties"], resources["AccountMappings"]["Properties"]
    assert [(key["AttributeName"], key["KeyType"]) for key in grants["KeySchema"]] == [("AccountID", "HASH"), ("GrantID", "RANGE")]
    same = ("BillingMode", "PointInTimeRecoverySpecification", "SSESpecification", "DeletionProtectionEnabled", "TimeToLiveSpecification")
    assert {name: grants[name] for name in same} == {name: mappings[name] for name in same}


def test_key_is_rotated_and_left_to_iam_when_events_are_sent(resources):
    key = resources["AlexaGrantsKey"]["Properties"]
    assert key["EnableKeyRotation"] is True
    (statement,) = key["KeyPolicy"]["Statement"]
    assert statement["Principal"] == {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}


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


@pytest.mark.parametrize("chosen", [COGNITO, LWA, OIDC, ANYBODY, NO_LINKING, {**COGNITO, "AccountLinking": "optional"}, EVERYTHING])
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
        ({**NO_LINKING, "SmartHome": "true"}, "SmartHome"),
        ({**NO_LINKING, "SendAlexaEvents": "true"}, "SendAlexaEvents"),
        ({**COGNITO, "VirtualLamp": "true"}, "VirtualLamp"),
    ],
)
def test_deployment_is_refused_with_one_line_when_a_parameter_is_missing(template, chosen, missing):
    (line,) = Deployment(template, **chosen).complaints()
    assert missing in line


ALWAYS = {"SKILL_ID", "ACCOUNT_MAPPINGS_TABLE", "ACCOUNT_LINKING", "OBSERVE_REQUESTS", "RETENTION_DAYS", "LOG_LEVEL"}
COGNITO_NAMES = {"IDENTITY_PROVIDER", "COGNITO_REGION", "COGNITO_USER_POOL_ID", "COGNITO_CLIENT_ID"}


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        (COGNITO, COGNITO_NAMES),
        (LWA, {"IDENTITY_PROVIDER", "LWA_CLIENT_ID"}),
        (OIDC, {"IDENTITY_PROVIDER", "OIDC_USERINFO_URL", "OIDC_CLIENT_ID"}),
        ({**OIDC, "OidcIssuer": "https://id.example.com"}, {"IDENTITY_PROVIDER", "OIDC_USERINFO_URL", "OIDC_CLIENT_ID", "OIDC_ISSUER"}),
        (NO_LINKING, set()),
        (DIRECTIVES, COGNITO_NAMES | {"DIRECTIVE_TOKENS"}),
        ({**DIRECTIVES, "VirtualLamp": "true"}, COGNITO_NAMES | {"DIRECTIVE_TOKENS", "VIRTUAL_LAMPS_TABLE"}),
        (EVENTS, COGNITO_NAMES | {"GRANTS_TABLE", "GRANTS_KEY_ID", "SKILL_MESSAGING_SECRET_ARN", "ALEXA_REGION"}),
    ],
)
def test_environment_names_only_what_applies_when_a_provider_is_chosen(template, chosen, names):
    assert set(Deployment(template, **chosen).environment()) == ALWAYS | names


def test_audience_is_checked_when_nobody_asked_otherwise(template):
    assert Deployment(template, **OIDC).environment()["OIDC_CLIENT_ID"] == "alexa"
    assert Deployment(template, **ANYBODY).environment()["OIDC_CLIENT_ID"] == ""


# ---- metrics, alarms, outputs


def test_each_outcome_is_counted_when_its_line_is_logged(template):
    names = [name for name in Deployment(template).resources() if template["Resources"][name]["Type"] == "AWS::Logs::MetricFilter"]
    filters = [template["Resources"][name]["Properties"] for name in names]
    outcomes = [re.fullmatch(r'\{ \$\.outcome = "(\w+)" \}', spec["FilterPattern"])[1] for spec in filters]
    assert sorted(outcomes) == sorted(OUTCOMES)
    for spec, outcome in zip(filters, outcomes, strict=True):
        assert spec["LogGroupName"] == {"Ref": "SkillFunctionLogs"}
        (metric,) = spec["MetricTransformations"]
        assert (metric["MetricNamespace"], metric["MetricValue"]) == ("LinkedProfile", "1")
        assert metric["MetricName"] == {"Fn::Sub": f"${{AWS::StackName}}-{outcome}"}


def test_each_counted_outcome_is_logged_when_only_warnings_are_kept():
    """Or LogLevel=WARNING would silence its metric and its alarm. Events that reach nobody any more are no trouble, only a number."""
    assert {"grant_dead"} == OUTCOMES - logs.ERRORS - logs.WARNINGS


AT_ONCE = ["Errors", "Throttles", "link_unresolved", "provider_misconfigured"]


@pytest.mark.parametrize(
    ("chosen", "rung"),
    [
        (COGNITO, dict.fromkeys(AT_ONCE, 1)),
        (DIRECTIVES, {**dict.fromkeys(AT_ONCE, 1), "token_rejected": 5}),
        (EVENTS, dict.fromkeys([*AT_ONCE, "grant_failed", "event_not_sent"], 1)),
    ],
)
def test_alarms_ring_for_what_somebody_has_to_look_at_when_it_happens(template, chosen, rung):
    made = Deployment(template, **chosen).resources()
    alarms = [made[name] for name in made if template["Resources"][name]["Type"] == "AWS::CloudWatch::Alarm"]
    metrics = [str(alarm["MetricName"]).removesuffix("'}").rpartition("-")[2] for alarm in alarms]
    assert {metric: alarm["Threshold"] for metric, alarm in zip(metrics, alarms, strict=True)} == rung
    for alarm in alarms:
        assert (alarm["Statistic"], alarm["ComparisonOperator"]) == ("Sum", "GreaterThanOrEqualToThreshold")


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
        (EVERYTHING, TO_TYPE_IN | REDIRECTS | OWN | {"UserPoolId", "AlexaGrantsTable", "SkillMessagingSecretArn", "VirtualLampsTable"}),
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
