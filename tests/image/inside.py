"""Becomes the image's process. Run by `container.py`: as root, in namespaces of its own.

Makes the root file system read-only unless told otherwise, takes the image's user and working
directory, gives up every way to gain rights, and executes.
"""

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path

_PR_SET_NO_NEW_PRIVS = 38


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def main(root: Path, spec: str) -> None:
    """`spec`: JSON with `argv`, `env`, `cwd`, `uid`, `gid`, `writable`. Does not return."""
    told = json.loads(spec)
    _mount("--make-rprivate", "/")
    _mount("--bind", str(root), str(root))
    _mount("--rbind", "/dev", str(root / "dev"))
    _mount("-t", "proc", "proc", str(root / "proc"))
    if not told["writable"]:
        _mount("-o", "remount,bind,ro", str(root))
    os.chroot(root)
    os.chdir(told["cwd"])
    os.setgroups([])
    os.setgid(told["gid"])
    os.setuid(told["uid"])
    if ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError("the kernel does not take no_new_privs")
    os.execvpe(told["argv"][0], told["argv"], told["env"])


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
