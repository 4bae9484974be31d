#!/bin/sh
# What is generated from the tables is what its readers can read: the manual page is clean roff, completions
# are sound and offer what they should; README says what the tables say. A reader that is not installed is left out,
# and named.
#     sh documents.sh REJUV ROOT
set -eu
rejuv=$1
root=$2
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
    warnings=$(groff -K utf8 -man -Tascii -ww -z "$folder/rejuv.1" 2>&1) # characters that ASCII lacks are spelled out
    [ -z "$warnings" ] || fail "the manual page in ASCII: $warnings"
    text=$(groff -K utf8 -man -Tutf8 -P -cbou "$folder/rejuv.1" 2>/dev/null)
    wide=$(printf '%s\n' "$text" | LC_ALL=C tr -cd '\n -~' | awk 'length > 80')
    [ -z "$wide" ] || fail "the manual page has lines wider than a terminal: $wide"
    for expected in 'rejuv export \[BASE SFT\]' '--alpha-layers' 'EXIT STATUS' 'KEYS' 'alpha-up' '^METHOD' '^FILES'; do
        printf '%s\n' "$text" | grep -q -e "$expected" || fail "the manual page does not say $expected"
    done
fi
if has man; then
    warnings=$(man --warnings -l "$folder/rejuv.1" 2>&1 >/dev/null)
    [ -z "$warnings" ] || fail "man: $warnings"
fi

# ---- topics ----

for topic in $("$rejuv" help | sed -n '/^Topics:/,/^$/s/^  \([a-z]\{1,\}\) .*/\1/p'); do
    "$rejuv" help "$topic" >"$folder/topic" || fail "help $topic"
    [ "$(head -n 1 "$folder/topic")" = "$(sed -n '1s/^# //p' "$root/tui/program/topic_$topic.md")" ] ||
        fail "help $topic does not begin with the title of its file"
    grep -q "^\.SH $(echo "$topic" | tr '[:lower:]' '[:upper:]')\$" "$folder/rejuv.1" ||
        fail "the manual page has no section about $topic"
done
[ -s "$folder/topic" ] || fail "rejuv help lists no topics"
LC_ALL=C "$rejuv" help method >"$folder/ascii"
LC_ALL=C.UTF-8 "$rejuv" help method >"$folder/utf8"
LC_ALL=C grep -q '[^ -~]' "$folder/ascii" && fail "help in ASCII has other characters"
grep -q 'a = (1 - omega)\*alpha' "$folder/ascii" || fail "help in ASCII does not spell out Greek"
grep -q 'a = (1 − ω)·α' "$folder/utf8" || fail "help in UTF-8 has no Greek"
"$rejuv" drift --help >"$folder/drift"
"$rejuv" help drift | cmp -s - "$folder/drift" || fail "help drift is not drift --help"
status=0
"$rejuv" help methd 2>"$folder/refused" || status=$?
[ $status -eq 2 ] || fail "help methd: status $status"
grep -q 'did you mean method?' "$folder/refused" || fail "help methd: $(cat "$folder/refused")"
status=0
"$rejuv" help nothing-like-it 2>"$folder/refused" || status=$?
[ $status -eq 2 ] || fail "help nothing-like-it: status $status"
for names in formats=models recipes=recipe troubleshooting=trouble mpi=clusters; do
    "$rejuv" help "${names%=*}" >"$folder/other" && "$rejuv" help "${names#*=}" | cmp -s - "$folder/other" ||
        fail "help ${names%=*} is not help ${names#*=}"
done
for topic in views method training clusters trouble; do
    grep -q "$topic" "$folder/refused" || fail "help nothing-like-it does not list $topic"
done

# ---- README ----

[ "$(wc -l <"$root/README.md")" -le 120 ] || fail "README.md has more than 120 lines"
grep '^| `rejuv ' "$root/README.md" >"$folder/in-readme"
# each command as README has it: "| `rejuv info [DIR]` | its summary |", with | escaped as Markdown wants it
for command in $("$rejuv" completion bash | sed -n "s/^    local commands='\(.*\)'$/\1/p"); do
    "$rejuv" "$command" --help | awk '
        NR == 1 { sub(/^usage: /, ""); sub(/ \[OPTION \.\.\.\]$/, ""); gsub(/\|/, "\\|"); usage = $0 }
        NR > 2 && !NF { exit }
        NR > 2 { summary = summary (NR > 3 ? " " : "") $0 }
        END { print "| `" usage "` | " summary " |" }'
done >"$folder/in-program"
diff "$folder/in-readme" "$folder/in-program" || fail "README.md and the program have different commands (<, >)"
# every topic, by its title
for file in "$root"/tui/program/topic_*.md; do
    name=${file##*/topic_}
    echo "| [${name%.md}](${file#"$root"/}) | $(sed -n '1s/^# //p' "$file") |"
done | sort >"$folder/files"
grep '](tui/program/topic_' "$root/README.md" | sort | diff - "$folder/files" ||
    fail "README.md and the files of topics differ (<, >)"
# what a page links to is there
for page in README.md screenshots/README.md findings/README.md; do
    grep -o '](\([^)]*\))' "$root/$page" | sed 's/](\(.*\))/\1/' | while read -r link; do
        [ -e "$root/$(dirname "$page")/$link" ] || echo "$page: there is no $link"
    done
done >"$folder/dead"
[ ! -s "$folder/dead" ] || fail "$(cat "$folder/dead")"

# ---- completions ----

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
expected='layers' offers rejuv figure lay
expected='neurons' offers rejuv shot neu
expected='method' offers rejuv help me
mkdir "$folder/a name" && touch "$folder/a name/more of it"
expected="$folder/a name/more of it" offers rejuv figure layers "$folder/a name/more"
expected="$folder/a name" offers rejuv verify --base "$folder/a n"
if has fish; then
    found=$(fish -c "source '$folder/fish'; complete -C 'rejuv drift --by t'" | cut -f 1)
    [ "$found" = tensor ] || fail "fish, drift --by t: found \"$found\""
    found=$(fish -c "source '$folder/fish'; complete -C 'rejuv figure lay'" | cut -f 1)
    [ "$found" = layers ] || fail "fish, figure lay: found \"$found\""
    found=$(fish -c "source '$folder/fish'; complete -C 'rejuv help me'" | cut -f 1)
    [ "$found" = method ] || fail "fish, help me: found \"$found\""
fi
exit $failed
