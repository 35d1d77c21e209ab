"""Has the studio's page built when a wheel is, or an editable installation."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PageHook(BuildHookInterface):
    """Runs web/build_page.py in a process of its own."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page; end the build where that fails."""
        done = subprocess.run([sys.executable, str(Path(self.root, "web", "build_page.py"))], check=False)
        if done.returncode:
            self.app.abort("The package was not built.")
