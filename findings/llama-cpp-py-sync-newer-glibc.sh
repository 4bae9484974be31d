#!/bin/sh
# The wheel of llama-cpp-py-sync 0.11739 says manylinux2014: pip installs it wherever there is glibc 2.17 or newer. The libraries in it
# want symbols of glibc 2.38, so on Debian 12 (2.36) and whatever is older it installs without a word and cannot be imported.
#     sh findings/llama-cpp-py-sync-newer-glibc.sh
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  llama-cpp-py-sync 0.11739, the wheel for x86-64 (PyPI), read by pyelftools 0.32 (PyPI)"
echo "expected: manylinux2014 (PEP 599): no symbol newer than GLIBC_2.17"

{
    python3 -m venv "$folder/python" &&
        "$folder/python/bin/pip" install -q pyelftools==0.32 &&
        "$folder/python/bin/pip" download -q --no-deps --only-binary=:all: --platform manylinux2014_x86_64 --dest "$folder" \
            llama-cpp-py-sync==0.11739
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/wanted.py" <<'PYTHON'
import glob
import io
import os
import sys
import zipfile

from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

wheel = glob.glob(os.path.join(sys.argv[1], "*.whl"))[0]
print(f"seen:     {os.path.basename(wheel)}")
newest = (0, 0)
with zipfile.ZipFile(wheel) as archive:
    for name in sorted(n for n in archive.namelist() if ".so" in os.path.basename(n)):
        wanted = {(0, 0)}
        for section in ELFFile(io.BytesIO(archive.read(name))).iter_sections():
            if isinstance(section, GNUVerNeedSection):
                for _, versions in section.iter_versions():
                    wanted |= {tuple(map(int, v.name[6:].split("."))) for v in versions if v.name.startswith("GLIBC_2")}
        newest = max(newest, max(wanted))
        print(f"          {os.path.basename(name)}: GLIBC_{'.'.join(map(str, max(wanted)))}")
sys.exit(0 if "manylinux2014" in wheel and newest == (2, 38) else 1)
PYTHON
if "$folder/python/bin/python" "$folder/wanted.py" "$folder" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
