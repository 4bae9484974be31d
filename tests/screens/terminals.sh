#!/bin/sh
# What rejuv does in terminals of several kinds, over a real ssh connection to this machine: prints a table in
# Markdown. It needs sshd, ssh and ssh-keygen, and a build with its tests; nothing outside a temporary folder is
# touched.
#     sh tests/screens/terminals.sh [BUILD_FOLDER]
# A cell is "yes", "NO" (the script's report goes to standard error), or "-" where the terminal cannot have it.
# Exit status: 0; 1 there is a NO; 2 it could not be run.
set -eu
cd "$(dirname "$0")/../.."
root=$PWD build=${1:-build}
case $build in /*) ;; *) build=$root/$build ;; esac
rejuv=$build/rejuv screen_test=$build/tests/screens/screen_test
sshd=$(PATH=$PATH:/usr/sbin:/sbin command -v sshd) || sshd=
for needed in "$rejuv" "$screen_test" "$sshd" "$(command -v ssh)" "$(command -v ssh-keygen)"; do
    [ -x "$needed" ] && continue
    echo "not run: expected sshd, ssh, ssh-keygen, $rejuv and $screen_test; one is missing" >&2
    exit 2
done
folder=$(mktemp -d /tmp/terminals-XXXXXX)
server= failed=0

clean_up() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || :
    rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 2' HUP INT TERM

# ---- a server with keys of its own, on a port that is free ----
start_server() {
    ssh-keygen -q -t ed25519 -N '' -f "$folder/host"
    ssh-keygen -q -t ed25519 -N '' -f "$folder/user"
    cp "$folder/user.pub" "$folder/authorized"
    [ "$(id -u)" -ne 0 ] || mkdir -p /run/sshd # where root's sshd wants to go before it knows who comes
    for port in 42022 42122 42222 42322; do
        "$sshd" -D -e -f /dev/null -p "$port" -o ListenAddress=127.0.0.1 -o HostKey="$folder/host" \
            -o AuthorizedKeysFile="$folder/authorized" -o StrictModes=no -o UsePAM=no -o PidFile=none \
            -o PermitRootLogin=prohibit-password -o PasswordAuthentication=no 2>"$folder/server.log" &
        server=$!
        tries=0
        while kill -0 "$server" 2>/dev/null && [ $tries -lt 50 ]; do
            ! connect true >/dev/null 2>&1 || return 0
            tries=$((tries + 1))
            sleep 0.1
        done
        kill "$server" 2>/dev/null || :
    done
    cat "$folder/server.log" >&2
    server=
    echo "not run: sshd cannot be started, or lets nobody in" >&2
    exit 2
}

connection="-o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -F /dev/null"
connect() {
    # shellcheck disable=SC2086 — options
    ssh $connection -p "$port" -i "$folder/user" 127.0.0.1 "$@"
}

# What runs at the other end: remote.sh HOME LOCALE [NAME=VALUE]. The number of rejuv's process goes to HOME/pid.
write_remote() {
    cat >"$folder/remote.sh" <<END
export HOME=\$1 LC_ALL=\$2 XDG_STATE_HOME=\$1/state XDG_CACHE_HOME=\$1/cache XDG_CONFIG_HOME=\$1/config
[ -z "\${3-}" ] || export "\$3"
before=\$(stty -g)
sh -c 'echo \$\$ >"\$HOME/pid"; exec "\$@"' sh "$rejuv" "$root/tests/demo/base" "$root/tests/demo/sft"
status=\$?
if [ \$status -gt 145 ]; then
    echo "the shell is back"
    read line
    fg
    status=\$?
fi
echo "left with \$status"
[ "\$(stty -g)" != "\$before" ] || echo "settings as before"
read line
END
    cat >"$folder/terminate.sh" <<END
kill -TERM "\$(cat "$folder/home/pid")"
END
    # rejuv ends within ten seconds, and where it was can be taken up again (the terminal is nobody's to restore:
    # the client that had it is dead)
    cat >"$folder/gone.sh" <<END
tries=0
while kill -0 "\$(cat "$folder/home/pid")" 2>/dev/null; do
    [ \$tries -lt 20 ] || { echo "it still runs" >&2; exit 1; }
    tries=\$((tries + 1))
    sleep 0.5
done
find "$folder/home/state" -type f | grep -q . || { echo "nothing is kept" >&2; exit 1; }
END
}

# ---- one cell ----

# check TERM LOCALE VARIABLE, the steps on standard input: yes or NO in $cell
check() {
    rm -rf "$folder/home"
    mkdir "$folder/home"
    {
        echo "size 80 24"
        echo "env TERM=$1"
        echo "idle 20"
        echo "timeout 60"
        echo "run ssh $connection -tt -p $port -i $folder/user 127.0.0.1 \"sh -m $folder/remote.sh $folder/home $2 $3\""
        cat
    } >"$folder/check.screen"
    if timeout 120 "$screen_test" "$folder/check.screen" >"$folder/report" 2>&1; then
        cell=yes
    else
        cell=NO failed=1
        { echo "== $1 $2 $3"; cat "$folder/check.screen" "$folder/report"; } >&2
    fi
}

# row TERM LOCALE VARIABLE COLOURS: what is expected of the colours (expect-colours) is what the cell says.
row() {
    opened='wait "1 Overview"'
    ended='expect-text "settings as before"
type "\n"
expect-exit 0
expect-restored'
    characters='expect-text "│"' kind=UTF-8
    [ "$2" != C ] || { characters=expect-ascii kind=ASCII; }
    printf '| %s | %s | %s |' "$1" "$2" "${3:--}"

    check "$@" <<END
$opened
wait-quiet
expect-colours $4
END
    [ $cell = NO ] || cell=$4
    printf ' %s |' "$cell"
    check "$@" <<END
$opened
keys 2
wait "layer 0  q"
wait-quiet
$characters
END
    [ $cell = NO ] || cell=$kind
    printf ' %s |' "$cell"
    check "$@" <<END
$opened
keys 2
wait "layer 0  q"
keys Down
expect-text "layer 1  q"
keys Up
expect-text "layer 0  q"
keys Right
expect-text "layer 0  k"
keys Left
expect-text "layer 0  q"
keys M-3 Down
expect-text "layer 3  q"
keys ?
wait-quiet
expect-no-text "layer 3  q"
timeout 1
keys Esc
expect-text "layer 3  q"
keys 1 End PageUp Home PageDown
wait-quiet
expect-text "1 Overview"
END
    printf ' %s |' "$cell"
    check "$@" <<END
$opened
resize 20 5
expect-text "is too small"
resize 100 30
$opened
keys q
expect-text "left with 0"
$ended
END
    printf ' %s |' "$cell"
    check "$@" <<END
$opened
keys C-z
wait "the shell is back"
type "\n"
$opened
keys q
expect-text "left with 0"
$ended
END
    printf ' %s |' "$cell"
    check "$@" <<END
$opened
shell "sh $folder/terminate.sh"
expect-text "left with 143"
$ended
END
    printf ' %s |' "$cell"
    check "$@" <<END
$opened
signal HUP
shell "sh $folder/gone.sh"
END
    printf ' %s |\n' "$cell"
}

# A terminal in which nothing can be placed: it says so, and leaves everything as it was.
refused() {
    check "$1" C.UTF-8 '' <<END
expect-text "$2"
expect-text "left with 2"
expect-text "settings as before"
type "\n"
expect-exit 0
expect-restored
END
    [ $cell = NO ] || cell="says \"$2\", leaves with 2"
    printf '| %s | C.UTF-8 | - | %s | - | - | - | - | - | - |\n' "$1" "$cell"
}

write_remote
start_server
echo '| TERM | locale | variable | colours | characters | keys | resize, `q` | Ctrl-Z, `fg` | `kill -TERM` | client hung up |'
echo '|---|---|---|---|---|---|---|---|---|---|'
row xterm-256color C.UTF-8 '' 256
row xterm-256color C.UTF-8 COLORTERM=truecolor truecolour
row xterm-256color C.UTF-8 NO_COLOR=1 none
row xterm-256color C '' 256
row screen-256color C.UTF-8 '' 256
row tmux-256color C.UTF-8 '' 256
row linux C.UTF-8 '' 8
row linux C '' 8
row vt100 C.UTF-8 '' none
row vt100 C '' none
refused dumb "dumb"
exit $failed
