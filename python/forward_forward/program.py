"""The program ``ff`` that the wheel brings along."""

import os
import shutil
import sys
import sysconfig
from pathlib import Path


def find_ff():
    """Path of the program: ``$FF``, else the one installed beside this package, else the one in ``PATH``."""
    if told := os.environ.get("FF"):
        return told
    name = "ff" + (sysconfig.get_config_var("EXE") or "")
    for scheme in (sysconfig.get_default_scheme(), sysconfig.get_preferred_scheme("user")):
        installed = Path(sysconfig.get_path("scripts", scheme)) / name
        if installed.is_file():
            return str(installed)
    found = shutil.which("ff")
    if found is None:
        raise FileNotFoundError("the program ff is neither beside this package nor in PATH; FF may name it")
    return found


def main():
    """``python -m forward_forward ARGUMENTS``: the program itself."""
    program = find_ff()
    os.execv(program, [program, *sys.argv[1:]])
