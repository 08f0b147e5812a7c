"""`python -m tools.customers`."""

import io
import signal
import sys
from pathlib import Path
from types import FrameType

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "lambda"))  # linked_profile lives where Lambda looks for it

from tools.customers.cli import main

EXIT_TERMINATED = 143


def terminate(number: int, frame: FrameType | None) -> None:
    """Unwinds, so that nothing half written stays behind and the audit line is left."""
    raise SystemExit(EXIT_TERMINATED)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, terminate)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a letter shows a question mark
    sys.exit(main(sys.argv[1:]))
