# Holds include lines to the plan. First file: tests/rooms; then standard input: "FILE:LINE:text" of every line that
# includes a header of the project, and "FILE:0:" for each file. Prints "FILE:LINE: text    <- what is wrong".

function base(path) { sub(/.*\//, "", path); return path }
function room(path) { return path ~ /\// ? substr(path, 1, length(path) - length(base(path)) - 1) : "" }
function unit(path) { sub(/\.[ch]$/, "", path); return path }
function complain(why) { print $0 "    <- " why }

# Adds the rooms that a word of "uses" stands for.
function add_use(from, word,    top, i) {
    top = from; sub(/\/.*/, "", top)
    if (word ~ /\/\*$/) {
        sub(/\/\*$/, "", word)
        for (i = 1; i <= rooms; i++) if (index(name[i], word "/") == 1) uses[from, name[i]] = 1
        return
    }
    if (word !~ /\// && (word != "views" || top == "views")) word = top "/" word
    if (word ~ /\/.*\//) one_door[from, word] = 1
    else if (!(word in place)) print "tests/rooms: " from " uses " word "    <- no room above it has that name"
    else uses[from, word] = 1
}

NR == FNR {
    if ($0 ~ /^#/ || $0 !~ /[^ ]/) next
    split($0, part, /: */)
    for (count = split(part[2], word, " "); count > 1; count--) add_use(part[1], word[count])
    name[++rooms] = part[1]; place[part[1]] = rooms
    doors[part[1]] = " " substr(part[3], 7) " "
    next
}

function is_door(where, stem) {
    if (stem ~ /_internal$/) return 0
    if (doors[where] ~ /^ \* /) return index(doors[where], " -" stem " ") == 0
    return index(doors[where], " " stem " ") > 0
}

{
    split($0, part, ":")
    file = part[1]; here = room(file)
    if (part[2] == 0) { # the file itself
        if (!(here in place)) complain("it lies in no room of tests/rooms")
        stem = base(unit(file))
        if ((stem in home) && home[stem] != unit(file)) complain("there is " home[stem] " too: base names are unique")
        home[stem] = unit(file)
        units[file] = 1
        next
    }
    if (!match($0, /"[^"]*"/)) next
    header = substr($0, RSTART + 1, RLENGTH - 2); there = room(header)
    if (file ~ /\.h$/) edge[file] = edge[file] " " header
    if (!(there in place)) { complain("an include names the path of a room"); next }
    if (there == here || !(here in place)) next
    if ((here, unit(header)) in one_door) next
    if (!((here, there) in uses))
        complain(place[there] > place[here] ? "it points up: " here " stands below " there : here " does not use " there)
    else if (!is_door(there, base(unit(header)))) complain("no door of " there)
}

# Headers that include each other; depth first: what is reached again while it is open closes a circle. (Files that call
# each other in a circle are the business of symbols.sh.)
function visit(one, path,    next_ones, count, i) {
    state[one] = 1
    count = split(edge[one], next_ones, " ")
    for (i = 1; i <= count; i++) {
        if (!(next_ones[i] in units)) continue
        if (state[next_ones[i]] == 1) {
            circle = path " " one " "
            circle = substr(circle, index(circle, " " next_ones[i] " ") + 1)
            print one ":0:" next_ones[i] "    <- headers include each other in a circle: " circle
        } else if (!state[next_ones[i]]) visit(next_ones[i], path " " one)
    }
    state[one] = 2
}

END { for (one in units) if (!state[one]) visit(one, "") }
