#!/bin/sh
# Installs the programs that `bench --peers FOLDER` measures beside this one, pinned (packages.txt), into a folder that holds
# nothing else:
#     sh tests/bench/peers/install.sh FOLDER [PYTHON]
# torch takes most of the space, several GB where pip brings the one with CUDA. A PYTHON that already has it lends its own
# packages, and then the folder takes half a GB; or have pip take the CPU's, with its own PIP_EXTRA_INDEX_URL.
# What cannot be installed is said, and left out by the bench: exit status 1 then.
set -u
folder=${1:?a folder to install into}
lender=${2-}
here=$(cd "$(dirname "$0")" && pwd)

${lender:-python3} -m venv "$folder" || exit 2
if [ -n "$lender" ]; then
    # behind the folder's own packages on the path, and seen by pip too
    "$lender" -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
        >"$("$folder/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/lent.pth" || exit 2
fi

failed=0
for package in $(sed '/^#/d' "$here/packages.txt"); do
    "$folder/bin/python" -m pip install -q --prefer-binary "$package" && continue
    echo "install.sh: $package cannot be installed here" >&2
    failed=1
done
"$folder/bin/python" "$here/peers.py" versions
exit $failed
