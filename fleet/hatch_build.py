"""Puts the command `crypto-diag` into the wheel, where CRYPTO_DIAG_FOLDER names the folder of a released program.

CRYPTO_DIAG_PLATFORM says where that program runs, in the words of a wheel's name. Without the folder a wheel has no program, and the one on
the PATH is run.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Program(BuildHookInterface):  # type: ignore[type-arg]
    """The hook that hatchling calls."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """See hatchling's BuildHookInterface."""
        named = os.environ.get("CRYPTO_DIAG_FOLDER")
        if named is None or version == "editable":
            return
        folder = Path(named)
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{os.environ['CRYPTO_DIAG_PLATFORM']}"
        build_data["shared_scripts"][str(folder / "crypto-diag")] = "crypto-diag"
        for file in ("LICENSE-MIT", "LICENSE-APACHE", "THIRD-PARTY.md"):
            build_data["force_include"][str(folder / file)] = f"crypto_diag_fleet/{file}"
