/*
 * `rejuv completion SHELL` — what the Tab key offers after "rejuv" in a shell, made from the tables of commands and
 * options.
 */
#include "tui/commands/command.h"
#include "tui/figures/figure.h"
#include "tui/keys/keymap.h"
#include "tui/program/topic.h"
#include "views/views.h"

#include <stdio.h>
#include <string.h>

/* ---- what an option's value may be ---- */

typedef enum Values { VALUES_NONE, VALUES_WORDS, VALUES_FILES, VALUES_DIRECTORIES, VALUES_FREE } Values;

static Values values_of(OptionId id) {
    const OptionFacts *option = option_facts(id);
    if (option->argument == NULL) return VALUES_NONE;
    if (option->kind == OPTION_KIND_CHOICE || id == OPTION_VIEW || id == OPTION_KEYS) return VALUES_WORDS;
    if (strcmp(option->argument, "FILE") == 0) return VALUES_FILES;
    if (strcmp(option->argument, "DIR") == 0) return VALUES_DIRECTORIES;
    return VALUES_FREE;
}

static void write_views(void) {
    for (size_t i = 0; i < VIEWS.count; i++)
        if (VIEWS.views[i] != NULL) (void)printf("%s%s", i > 0 ? " " : "", VIEWS.views[i]->name);
}

/* Its words, with spaces between them. */
static void write_words(OptionId id) {
    if (id == OPTION_VIEW) {
        write_views();
        return;
    }
    if (id == OPTION_KEYS) { /* a file may be named too, but these are what one asks for */
        for (size_t i = 0; i < KEYMAP_FLAVOUR_COUNT; i++)
            (void)printf("%s%s", i > 0 ? " " : "", KEYMAP_FLAVOURS[i]);
        return;
    }
    for (const char *c = option_facts(id)->argument; *c != '\0'; c++) (void)putchar(*c == '|' ? ' ' : *c);
}

/* ---- what the first operand may be ---- */

static const char *const SHELLS[] = {"bash", "zsh", "fish"};
enum { SHELL_COUNT = sizeof SHELLS / sizeof *SHELLS };

static bool has_operand_words(CommandId command) {
    return command == COMMAND_SHOT || command == COMMAND_FIGURE || command == COMMAND_HELP ||
           command == COMMAND_COMPLETION;
}

static void write_help_names(void) {
    for (size_t i = 0; i < TOPIC_COUNT; i++) (void)printf("%s%s", i > 0 ? " " : "", TOPIC_NAMES[i]);
    for (CommandId id = 0; id < COMMAND_COUNT; id++)
        if (id != COMMAND_OPEN) (void)printf(" %s", command_table_facts(id)->name);
}

static void write_operand_words(CommandId command) {
    const char *name;
    if (command == COMMAND_SHOT) write_views();
    if (command == COMMAND_HELP) write_help_names();
    for (size_t i = 0; command == COMMAND_FIGURE && (name = figure_kind_name(i)) != NULL; i++)
        (void)printf("%s%s", i > 0 ? " " : "", name);
    for (size_t i = 0; command == COMMAND_COMPLETION && i < SHELL_COUNT; i++)
        (void)printf("%s%s", i > 0 ? " " : "", SHELLS[i]);
}

static bool takes(CommandId command, OptionId option) {
    return (option_facts(option)->commands >> command & 1U) != 0;
}

/* Help for one line in quotes: characters in `special` go through `escape`, or away where that is 0. */
static void write_escaped(const char *text, const char *special, char escape) {
    for (; *text != '\0'; text++) {
        if (strchr(special, *text) == NULL)
            (void)putchar(*text);
        else if (escape != 0)
            (void)printf("%c%c", escape, *text);
    }
}

/* ---- bash ---- */

static void write_bash_options(CommandId command) {
    (void)printf("    '%s') options='", command_table_facts(command)->name);
    for (OptionId id = 0; id < OPTION_COUNT; id++)
        if (takes(command, id)) (void)printf("--%s ", option_facts(id)->name);
    if (has_operand_words(command)) {
        (void)fputs("' operands='", stdout);
        write_operand_words(command);
    }
    (void)puts("' ;;");
}

static void write_bash_values(CommandId command) {
    static const char *const ACTIONS[] = {
        [VALUES_FILES] = "mapfile -t COMPREPLY < <(compgen -f -- \"$word\")",
        [VALUES_DIRECTORIES] = "mapfile -t COMPREPLY < <(compgen -d -- \"$word\")",
        [VALUES_FREE] = ":"};
    for (OptionId id = 0; id < OPTION_COUNT; id++) {
        Values values = values_of(id);
        if (!takes(command, id) || values == VALUES_NONE) continue;
        (void)printf("    '%s --%s') ", command_table_facts(command)->name, option_facts(id)->name);
        if (values == VALUES_WORDS) {
            (void)fputs("COMPREPLY=($(compgen -W '", stdout);
            write_words(id);
            (void)fputs("' -- \"$word\"))", stdout);
        } else {
            (void)fputs(ACTIONS[values], stdout);
        }
        (void)puts("; return ;;");
    }
}

static void write_bash(void) {
    (void)fputs(
        "# bash completion for rejuv: source it, or install it as share/bash-completion/completions/rejuv\n"
        "_rejuv() {\n"
        "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= options= operands=\n"
        "    if [[ $word == '=' ]]; then word=; fi # --option=value comes as three words\n"
        "    if [[ $before == '=' ]]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
        "    local commands='",
        stdout);
    for (CommandId id = 0; id < COMMAND_COUNT; id++)
        if (id != COMMAND_OPEN) (void)printf("%s ", command_table_facts(id)->name);
    (void)fputs(
        "'\n"
        "    compopt -o filenames 2>/dev/null\n"
        "    if [[ $COMP_CWORD -gt 1 && \" $commands \" == *\" ${COMP_WORDS[1]} \"* ]]; then\n"
        "        command=${COMP_WORDS[1]}\n"
        "    fi\n"
        "    case \"$command $before\" in\n",
        stdout);
    for (CommandId id = 0; id < COMMAND_COUNT; id++) write_bash_values(id);
    (void)fputs("    esac\n    case \"$command\" in\n", stdout);
    for (CommandId id = 0; id < COMMAND_COUNT; id++) write_bash_options(id);
    (void)fputs(
        "    esac\n"
        "    if [[ $word == -* ]]; then\n"
        "        COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
        "    elif [[ $COMP_CWORD -eq 1 ]]; then\n"
        "        mapfile -t COMPREPLY < <(compgen -W \"$commands\" -- \"$word\"; compgen -d -- \"$word\")\n"
        "    elif [[ $COMP_CWORD -eq 2 && -n $operands ]]; then\n"
        "        COMPREPLY=($(compgen -W \"$operands\" -- \"$word\"))\n"
        "    else\n"
        "        mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
        "    fi\n"
        "}\n"
        "complete -F _rejuv rejuv\n",
        stdout);
}

/* ---- zsh ---- */

static void write_zsh_option(OptionId id) {
    const OptionFacts *option = option_facts(id);
    (void)printf("        '--%s[", option->name);
    write_escaped(option->help, "'", 0);
    (void)putchar(']');
    Values values = values_of(id);
    if (values != VALUES_NONE) {
        (void)putchar(':');
        write_escaped(option->argument, ":", '\\');
        (void)putchar(':');
    }
    if (values == VALUES_WORDS) {
        (void)putchar('(');
        write_words(id);
        (void)putchar(')');
    }
    if (values == VALUES_FILES) (void)fputs("_files", stdout);
    if (values == VALUES_DIRECTORIES) (void)fputs("_files -/", stdout);
    (void)puts("' \\");
}

static void write_zsh(void) {
    (void)puts(
        "#compdef rejuv\n"
        "# zsh completion for rejuv: install it as _rejuv in a directory of $fpath\n"
        "local -a commands=(");
    for (CommandId id = 0; id < COMMAND_COUNT; id++) {
        if (id == COMMAND_OPEN) continue;
        (void)printf("    '%s:", command_table_facts(id)->name);
        write_escaped(command_table_facts(id)->summary, "'", 0);
        (void)puts("'");
    }
    (void)puts(
        ")\n"
        "local command=\n"
        "if (( CURRENT > 2 )) && (( ${commands[(I)$words[2]:*]} )); then command=$words[2]; fi\n"
        "if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n"
        "    _describe command commands\n"
        "    _files -/\n"
        "    return\n"
        "fi\n"
        "case $command in");
    for (CommandId command = 0; command < COMMAND_COUNT; command++) {
        (void)printf("    '%s') _arguments -s \\\n", command_table_facts(command)->name);
        for (OptionId id = 0; id < OPTION_COUNT; id++)
            if (takes(command, id)) write_zsh_option(id);
        if (has_operand_words(command)) {
            (void)printf("        '2:%.*s:(", (int)strcspn(command_table_facts(command)->operands, " "),
                         command_table_facts(command)->operands);
            write_operand_words(command);
            (void)puts(")' \\");
        }
        (void)puts("        '*:file:_files' ;;");
    }
    (void)puts("esac");
}

/* ---- fish ---- */

static void write_fish_option(CommandId command, OptionId id) {
    const OptionFacts *option = option_facts(id);
    Values values = values_of(id);
    (void)fputs("complete -c rejuv", stdout);
    if (command == COMMAND_OPEN)
        (void)fputs(" -n __fish_use_subcommand", stdout);
    else
        (void)printf(" -n '__fish_seen_subcommand_from %s'", command_table_facts(command)->name);
    if (option->letter != 0) (void)printf(" -s %c", option->letter);
    (void)printf(" -l %s", option->name);
    if (values == VALUES_FILES || values == VALUES_DIRECTORIES) (void)fputs(" -r", stdout);
    if (values == VALUES_FREE || values == VALUES_WORDS) (void)fputs(" -x", stdout);
    if (values == VALUES_WORDS) {
        (void)fputs(" -a '", stdout);
        write_words(id);
        (void)putchar('\'');
    }
    (void)fputs(" -d '", stdout);
    write_escaped(option->help, "\\'", '\\');
    (void)puts("'");
}

static void write_fish(void) {
    (void)puts("# fish completion for rejuv: install it as share/fish/vendor_completions.d/rejuv.fish");
    for (CommandId id = 0; id < COMMAND_COUNT; id++) {
        if (id == COMMAND_OPEN) continue;
        (void)printf("complete -c rejuv -n __fish_use_subcommand -a %s -d '", command_table_facts(id)->name);
        write_escaped(command_table_facts(id)->summary, "\\'", '\\');
        (void)puts("'");
    }
    for (CommandId id = 0; id < COMMAND_COUNT; id++) {
        if (!has_operand_words(id)) continue;
        (void)printf(
            "complete -c rejuv -n '__fish_is_nth_token 2; and __fish_seen_subcommand_from %s' -f -a '",
            command_table_facts(id)->name);
        write_operand_words(id);
        (void)puts("'");
    }
    for (CommandId command = 0; command < COMMAND_COUNT; command++)
        for (OptionId id = 0; id < OPTION_COUNT; id++)
            if (takes(command, id)) write_fish_option(command, id);
}

static Status run(Batch *batch, Error *error) {
    static void (*const WRITERS[SHELL_COUNT])(void) = {write_bash, write_zsh, write_fish};
    const char *name = batch->options->operands[0];
    for (size_t i = 0; i < SHELL_COUNT; i++) {
        if (strcmp(SHELLS[i], name) != 0) continue;
        WRITERS[i]();
        return STATUS_OK;
    }
    return status_fail(error, STATUS_ARGUMENT, "expected bash, zsh or fish, found \"%s\"", name);
}

const Command command_completion = {
    .details = "  source <(rejuv completion bash)\n  rejuv completion fish | source",
    .run = run,
};
