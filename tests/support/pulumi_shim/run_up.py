"""Run one update in a process of its own, so that a test can kill it.

Arguments: the world's folder, the emulator's address, names of flags to switch on.
"""

from __future__ import annotations

import sys
from pathlib import Path

from infra.clients.flagsmith import flagsmith_client
from ops_actions.adapters.pulumi_session import EngineOptions
from tests.support.pulumi_shim.world import (
    KEYS,
    TOKEN,
    apply_all,
    engine_on,
    engine_root,
    settings_of,
)


def main() -> None:
    folder, url, *names = sys.argv[1:]
    base = Path(folder)
    options = EngineOptions(
        root=engine_root(),
        backend_url=(base / "state").as_uri(),
        passphrase_file=base / "passphrase",
        home=base / "home",
        work_dir=base / "work-of-the-killed",
        stack_files={},
    )
    client = flagsmith_client(url, TOKEN, KEYS["Production"], timeout=120)
    apply_all(engine_on(options, client, None), settings_of(dict.fromkeys(names, True)))


if __name__ == "__main__":
    main()
