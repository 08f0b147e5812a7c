"""`sam build` as a newcomer runs it: what is in the folder that would be uploaded."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = {"ask_sdk_core", "ask_sdk_model", "boto3", "cryptography", "jwt", "requests"}
ELF_MACHINE, AARCH64 = 18, 0xB7  # where an ELF file says what it runs on, and what it says for arm64

pytestmark = pytest.mark.timeout(600)  # installs arm64 wheels


@pytest.fixture(scope="module")
def sam() -> str:
    """SAM's command line; it builds with the very Python that the function runs on."""
    program = ROOT / ".tools" / "sam" / ("Scripts" if os.name == "nt" else "bin") / "sam"
    if not program.exists():
        pytest.fail("the SAM command line is missing: run `python3 tools/setup.py sam`", pytrace=False)
    python = subprocess.run([shutil.which("python3.13") or "false", "--version"], capture_output=True, text=True, check=False)
    if not python.stdout.startswith("Python 3.13."):
        pytest.fail("sam build needs a working python3.13 on PATH", pytrace=False)
    return str(program)


def check_out(folder: Path) -> Path:
    """The parts of this repository that a build could pick up, away from the developer's own build folder."""
    leave = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name in ("lambda", "tests", "tools", "interaction_models", "skill-package"):
        shutil.copytree(ROOT / name, folder / name, ignore=leave)
    for name in ("template.yaml", "samconfig.toml", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def built(sam, tmp_path_factory) -> Path:
    return build(sam, check_out(tmp_path_factory.mktemp("checkout")))


def build(sam: str, checkout: Path) -> Path:
    """The folder that would be uploaded; fails with SAM's own words unless it says that it succeeded."""
    environment = {**os.environ, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run([sam, "build"], cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Build Succeeded" in done.stdout + done.stderr
    return checkout / ".aws-sam" / "build" / "SkillFunction"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def modules(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts}


def test_dependencies_and_our_code_ship_when_built(built):
    assert names(built) >= PACKAGES
    ours = modules(ROOT / "lambda")
    assert "lambda_function.py" in ours
    assert ours <= modules(built)


def test_nothing_of_ours_ships_but_the_lambda_folder_when_built(built):
    assert not names(built) & {"tests", "tools", "interaction_models", "skill-package", "template.yaml", "requirements-dev.txt"}
    assert not names(built) & {"pytest", "moto", "cfnlint", "hypothesis"}


def test_compiled_parts_are_for_arm64_when_the_desk_is_not(built):
    compiled = list(built.rglob("*.so"))
    assert compiled
    assert [path.name for path in compiled if path.read_bytes()[ELF_MACHINE] != AARCH64] == []  # abi3 names say nothing of it


def test_no_dependency_ships_and_sam_is_content_when_the_manifest_is_not_named(sam, tmp_path):
    settings = check_out(tmp_path) / "samconfig.toml"
    named = settings.read_text().splitlines()
    settings.write_text("\n".join(line for line in named if not line.startswith("manifest")))
    assert modules(build(sam, tmp_path)) == modules(tmp_path / "lambda")
