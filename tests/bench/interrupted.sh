#!/bin/sh
# A bench that is asked to end, or whose measuring process is killed, leaves nothing in TMPDIR.
#
#     interrupted.sh BENCH
set -u
bench=$1
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
fail() {
    echo "$*" >&2
    exit 1
}

begin() { # until there is something in the folder
    TMPDIR=$folder "$bench" --pair tiny --seconds 1000 >/dev/null 2>&1 &
    process=$!
    until ls "$folder"/*/tiny/sft >/dev/null 2>&1; do
        kill -0 "$process" || fail "it ended by itself"
        sleep 0.1
    done
}

end() { # PROCESS SIGNAL STATUS
    kill -"$2" "$1" || fail "$2: there is no process $1"
    wait "$process"
    status=$?
    [ $status -eq "$3" ] || fail "$2: expected exit status $3, found $status"
    left=$(ls "$folder")
    [ -z "$left" ] || fail "$2: left $left"
}

begin
end "$process" TERM 143
begin
end "$process" HUP 129
begin
end "$(tr -d " " <"/proc/$process/task/$process/children")" KILL 137
