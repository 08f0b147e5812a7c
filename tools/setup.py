"""Puts in place what a make target needs, and nothing else: `python3 tools/setup.py dev ministack emulator sam`.

Standard library only, because it runs before anything is installed. Every part is installed from a requirements file with
exact versions and hashes, into a folder of its own below this checkout, and again only when that file has changed.
"""

from __future__ import annotations  # an old Python must get as far as the line that refuses it

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
PINS = ROOT / "tools" / "requirements"
BIN = "Scripts" if os.name == "nt" else "bin"
OLDEST = (3, 11)

ENVIRONMENTS = {
    # the project itself; the other two pin a boto3 of their own and cannot share it
    "dev": (ROOT / ".venv", [ROOT / "requirements.txt", ROOT / "requirements-dev.txt"]),
    "ministack": (TOOLS / "ministack", [PINS / "ministack.txt"]),
    "sam": (TOOLS / "sam", [PINS / "sam.txt"]),
}
EMULATOR = TOOLS / "aws-lambda-rie"


def main(parts: list[str]) -> int:
    """Exit 0 when all parts stand; 2 with one line that says what is missing."""
    unknown = [part for part in parts if part not in {*ENVIRONMENTS, "emulator"}]
    if unknown or not parts:
        return complain(f"say which parts: {', '.join([*ENVIRONMENTS, 'emulator'])}; got {unknown or 'none'}")
    if sys.version_info < OLDEST:
        found = platform.python_version()
        return complain(f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed; {sys.executable} is {found}. Try: make PYTHON=python3.13 …")
    try:
        import ensurepip  # noqa: F401, PLC0415  (Debian leaves it out of python3)
    except ImportError:
        return complain("Python's venv module is missing. On Debian and Ubuntu: sudo apt-get install python3-venv")
    try:
        install_uv()
        for part in parts:
            install_emulator() if part == "emulator" else install_environment(*ENVIRONMENTS[part])
    except subprocess.CalledProcessError as error:
        command = " ".join(map(str, error.cmd[:4]))
        return complain(f"'{command} …' failed (exit {error.returncode}); its own words are above. Is a package index reachable?")
    return 0


def complain(line: str) -> int:
    print(f"setup: {line}", file=sys.stderr)
    return 2


def install_uv() -> None:
    """uv, in an environment of its own: it installs everything else in seconds."""
    pins = PINS / "uv.txt"
    if is_current(TOOLS / "uv", [pins]):
        return
    say("uv, the installer")
    shutil.rmtree(TOOLS / "uv", ignore_errors=True)
    venv.create(TOOLS / "uv", with_pip=True)
    run(TOOLS / "uv" / BIN / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", pins)
    mark_current(TOOLS / "uv", [pins])


def install_environment(folder: Path, pins: list[Path]) -> None:
    if is_current(folder, pins):
        return
    say(f"{folder.relative_to(ROOT)} from {' and '.join(pin.name for pin in pins)}")
    uv = TOOLS / "uv" / BIN / "uv"
    run(uv, "venv", "--quiet", "--clear", "--no-python-downloads", "--python", sys.executable, folder)
    run(uv, "pip", "sync", "--quiet", "--no-python-downloads", "--require-hashes", "--python", folder, *pins)
    mark_current(folder, pins)


def install_emulator() -> None:
    """Lambda's runtime interface emulator: one static binary out of the aws-sam-cli wheel, so that nobody needs docker."""
    pins = PINS / "sam.txt"
    if sys.platform != "linux" or is_current(EMULATOR, [pins]):
        return  # elsewhere the demo runs the function in process
    say("the Lambda runtime emulator")
    shutil.rmtree(EMULATOR, ignore_errors=True)
    EMULATOR.mkdir(parents=True)
    requirement = EMULATOR / "aws-sam-cli.txt"
    requirement.write_text(one_requirement(pins.read_text(), "aws-sam-cli"))
    pip = [TOOLS / "uv" / BIN / "python", "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    run(*pip, "--no-deps", "--require-hashes", "--only-binary", ":all:", "-d", EMULATOR, "-r", requirement)
    (wheel,) = EMULATOR.glob("*.whl")
    arch = "arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64"
    with zipfile.ZipFile(wheel) as archive:
        binary = EMULATOR / "aws-lambda-rie"
        binary.write_bytes(archive.read(f"samcli/local/rapid/aws-lambda-rie-{arch}"))
        binary.chmod(0o755)
    wheel.unlink()
    mark_current(EMULATOR, [pins])


def one_requirement(pins: str, name: str) -> str:
    """The lines of one package, with its hashes, out of a requirements file."""
    lines = pins.splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith(f"{name}=="))
    last = next(n for n in range(first, len(lines)) if not lines[n].endswith("\\"))
    return "\n".join(lines[first : last + 1]) + "\n"


def digest(pins: list[Path]) -> str:
    return hashlib.sha256(b"".join(pin.read_bytes() for pin in pins) + sys.version.encode()).hexdigest()


def is_current(folder: Path, pins: list[Path]) -> bool:
    stamp = folder / ".installed-from"
    return stamp.is_file() and stamp.read_text() == digest(pins)


def mark_current(folder: Path, pins: list[Path]) -> None:
    (folder / ".installed-from").write_text(digest(pins))


def say(what: str) -> None:
    print(f"setup: installing {what} …", file=sys.stderr, flush=True)


def run(*command: object) -> None:
    subprocess.run([str(part) for part in command], check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
