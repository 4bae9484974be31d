#!/bin/sh
# GRPO on a small world from base, SFT, rejuv's export and its controls: README.md.
#     sh tests/effect/run.sh [--quick] [--world demo|smollm2] [--program REJUV] [OPTION ...]
# REJUV_PYTHON names a python that has torch and transformers; otherwise one is made in build/effect/python, once, from pinned
# packages. Exit status: 0; 77 where they cannot be installed; 2 anything else.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 2
root=$(cd "$here/../.." && pwd) || exit 2
python=${REJUV_PYTHON:-$root/build/effect/python/bin/python}

if ! "$python" -c 'import torch, transformers' 2>/dev/null; then
    if [ -n "${REJUV_PYTHON:-}" ]; then
        echo "REJUV_PYTHON=$REJUV_PYTHON has no torch and transformers" >&2
        exit 2
    fi
    echo "installing torch 2.15.0 and transformers 5.24.0 in build/effect/python" >&2
    {
        mkdir -p "$root/build/effect" && rm -rf "$root/build/effect/python" &&
            python3 -m venv "$root/build/effect/python" &&
            "$python" -m pip install -q torch==2.15.0 transformers==5.24.0 numpy==2.4.6
    } >&2 || {
        echo "cannot be installed here" >&2
        exit 77
    }
fi

export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" TRANSFORMERS_VERBOSITY=error PYTHONDONTWRITEBYTECODE=1 HF_HUB_DISABLE_PROGRESS_BARS=1
"$python" -W ignore "$here/effect.py" "$@" || exit 2
