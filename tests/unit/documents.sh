#!/bin/sh
# What is generated from the tables is what its readers can read: the manual page is clean roff, completions
# are sound and offer what they should. A reader that is not installed is left out, and named.
#     sh documents.sh REJUV
set -eu
rejuv=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0

fail() {
    echo "FAILED: $*"
    failed=1
}

has() {
    command -v "$1" >/dev/null 2>&1 && return 0
    echo "left out: $1 is not installed"
    return 1
}

"$rejuv" manual >"$folder/rejuv.1"
if has groff; then
    warnings=$(groff -K utf8 -man -Tutf8 -ww -z "$folder/rejuv.1" 2>&1)
    [ -z "$warnings" ] || fail "the manual page: $warnings"
    text=$(groff -K utf8 -man -Tutf8 -P -cbou "$folder/rejuv.1" 2>/dev/null)
    wide=$(printf '%s\n' "$text" | LC_ALL=C tr -cd '\n -~' | awk 'length > 80')
    [ -z "$wide" ] || fail "the manual page has lines wider than a terminal: $wide"
    for expected in 'rejuv export \[BASE SFT\]' '--alpha-layers' 'EXIT STATUS' 'KEYS' 'alpha-up'; do
        printf '%s\n' "$text" | grep -q -e "$expected" || fail "the manual page does not say $expected"
    done
fi

for shell in bash zsh fish; do
    "$rejuv" completion $shell >"$folder/$shell"
    has $shell || continue
    $shell -n "$folder/$shell" || fail "$shell cannot read its completion"
done
"$rejuv" completion csh >/dev/null 2>&1 && fail "completion for csh was expected to be refused"

# expected=… offers WORD …: what bash offers for the last word, with commas between.
offers() {
    found=$(bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _rejuv; IFS=,; echo "${COMPREPLY[*]}"' \
        bash "$folder/bash" "$@")
    [ "$found" = "$expected" ] || fail "bash, $*: expected \"$expected\", found \"$found\""
}
expected='drift' offers rejuv dr
expected='tensor,layer,role' offers rejuv drift --by ''
expected='--sort,--spectrum' offers rejuv drift --s
expected='bash,zsh,fish' offers rejuv completion ''
expected='tune' offers rejuv --view tu
expected='layer' offers rejuv drift --by = la
expected='layers' offers rejuv figure la
expected='neurons' offers rejuv shot neu
mkdir "$folder/a name" && touch "$folder/a name/more of it"
expected="$folder/a name/more of it" offers rejuv figure layers "$folder/a name/more"
expected="$folder/a name" offers rejuv verify --base "$folder/a n"
if has fish; then
    found=$(fish -c "source $folder/fish; complete -C 'rejuv drift --by t'" | cut -f 1)
    [ "$found" = tensor ] || fail "fish, drift --by t: found \"$found\""
    found=$(fish -c "source $folder/fish; complete -C 'rejuv figure la'" | cut -f 1)
    [ "$found" = layers ] || fail "fish, figure la: found \"$found\""
fi
exit $failed
