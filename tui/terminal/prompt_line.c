#include "tui/terminal/prompt_line.h"

#include "core/files/user_directory.h"
#include "core/support/memory.h"
#include "tui/text/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
/* after stdio.h, which they need and do not include */
#include <readline/history.h>
#include <readline/readline.h>

enum {
    HISTORY_LIMIT = 1000,
    HISTORY_LINE_LIMIT = 64 << 10,
    CELL_BYTES = 16 /* that a column may take */,
    QUEUE_LIMIT = 64,
    CANDIDATES_SIZE = 1024,
    LABEL_SIZE = 96,
    COUNT_LIMIT = 9999
};

static const char *const HISTORY_FILES[PROMPT_KINDS] = {
    [PROMPT_COMMAND] = "history-command",
    [PROMPT_SEARCH] = "history-search",
    [PROMPT_TEXT] = "history-prompt",
    [PROMPT_VALUE] = "history-value",
};

static struct {
    bool started, open;
    char *directory; /* NULL: histories are not kept */
    HISTORY_STATE *histories[PROMPT_KINDS];
    PromptKind kind;
    char label[LABEL_SIZE];
    PromptCompleter completer;
    const char *initial; /* during prompt_line_open() */
    PromptState state;
    char *accepted;
    char queue[QUEUE_LIMIT];
    size_t queue_begin, queue_end;
    FILE *nowhere;
    char candidates[CANDIDATES_SIZE];
} prompt;

/* ---- what readline calls ---- */

static int next_byte(FILE *unused) {
    (void)unused;
    return prompt.queue_begin < prompt.queue_end ? (unsigned char)prompt.queue[prompt.queue_begin++] : EOF;
}

static int has_byte(void) {
    return prompt.queue_begin < prompt.queue_end;
}

static void draw_nothing(void) {}

static void prepare_nothing(int meta) {
    (void)meta;
}

static int begin_with_initial(void) {
    if (prompt.initial != NULL) (void)rl_insert_text(prompt.initial);
    return 0;
}

static void take_line(char *line) {
    free(prompt.accepted);
    prompt.accepted = line != NULL ? line : memory_copy_text("", 0);
    prompt.state = line != NULL ? PROMPT_ACCEPTED : PROMPT_ABORTED;
    rl_callback_handler_remove();
}

static void show_candidates(char **matches, int count, int longest) {
    (void)longest;
    prompt.candidates[0] = '\0';
    for (int i = 1; i <= count; i++) {
        char shown[128];
        (void)text_escape(matches[i], strlen(matches[i]), TEXT_PLAIN, shown, sizeof shown);
        if (i > 1) text_append(prompt.candidates, sizeof prompt.candidates, "  ");
        text_append(prompt.candidates, sizeof prompt.candidates, shown);
    }
}

typedef struct Matches {
    char **list;
    size_t count, capacity;
} Matches;

static void add_match(void *user, const char *text) {
    Matches *matches = user;
    char *copy = memory_copy_text(text, strlen(text));
    if (copy != NULL &&
        MEMORY_RESERVE(matches->list, &matches->capacity, matches->count + 1, NULL) == STATUS_OK)
        matches->list[matches->count++] = copy;
    else
        free(copy); /* a candidate less */
}

static Matches collected;

static char *next_match(const char *text, int state) {
    static size_t at;
    (void)text;
    if (state == 0) at = 0;
    return at < collected.count ? collected.list[at++] : NULL; /* readline frees it */
}

static char **complete(const char *text, int begin, int end) {
    (void)end;
    if (prompt.completer == NULL) { /* readline's own: file names, of which a blank behind would be a part */
        rl_completion_append_character = '\0';
        return NULL;
    }
    int word = 0;
    for (int i = 0; i < begin; i++)
        if (rl_line_buffer[i] == ' ' && (i + 1 == begin || rl_line_buffer[i + 1] != ' ')) word++;
    collected = (Matches){0};
    bool own = prompt.completer(rl_line_buffer, word, text, add_match, &collected);
    char **matches = collected.count > 0 ? rl_completion_matches(text, next_match) : NULL;
    free(collected.list);
    collected = (Matches){0};
    rl_completion_suppress_append =
        word > 0 || prompt.kind != PROMPT_COMMAND; /* a blank would be part of it */
    rl_attempted_completion_over = matches != NULL || own;
    return matches;
}

/* ---- histories ---- */

static char *history_path(PromptKind kind) {
    return prompt.directory == NULL ? NULL : memory_format("%s/%s", prompt.directory, HISTORY_FILES[kind]);
}

/* Time stamps in the file let readline tell an entry with a newline from two entries. */
static void load_history(PromptKind kind) {
    using_history();
    history_comment_char = '#';
    history_write_timestamps = 1;
    clear_history();
    stifle_history(HISTORY_LIMIT);
    char *path = history_path(kind);
    if (path != NULL && read_history(path) == 0) (void)history_truncate_file(path, HISTORY_LIMIT);
    free(path);
    prompt.histories[kind] = history_get_history_state();
    HISTORY_STATE empty = {0};
    history_set_history_state(&empty);
}

static void keep_line(const char *line) {
    if (line[0] == '\0' || strlen(line) > HISTORY_LINE_LIMIT) return;
    using_history();
    HIST_ENTRY *last = history_length > 0 ? history_get(history_base + history_length - 1) : NULL;
    if (last != NULL && strcmp(last->line, line) == 0) return;
    add_history(line);
    char *path = history_path(prompt.kind);
    /* append_history() wants the file to exist; what cannot be written is kept in memory only */
    int file = path != NULL ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    if (file >= 0) {
        bool ours = fchmod(file, 0600) == 0; /* prompts are nobody else's business, also in an older file */
        if (close(file) == 0 && ours) (void)append_history(1, path);
    }
    free(path);
}

Status prompt_line_start(const char *directory, Error *error) {
    if (prompt.started) return STATUS_OK;
    prompt.nowhere = fopen("/dev/null", "r+");
    if (prompt.nowhere == NULL) return status_fail_errno(error, errno, "/dev/null");
    prompt.directory =
        directory != NULL ? memory_format("%s", directory) : user_directory_path(USER_DIRECTORY_STATE, NULL);
    rl_readline_name = "rejuv";
    rl_instream = rl_outstream = prompt.nowhere;
    rl_catch_signals = rl_catch_sigwinch = rl_change_environment = 0;
    rl_getc_function = next_byte;
    rl_input_available_hook = has_byte;
    rl_redisplay_function = draw_nothing;
    rl_prep_term_function = prepare_nothing;
    rl_deprep_term_function = draw_nothing;
    rl_startup_hook = begin_with_initial;
    rl_attempted_completion_function = complete;
    rl_completion_display_matches_hook = show_candidates;
    rl_completer_word_break_characters = " ";
    rl_basic_quote_characters = "";
    (void)rl_variable_bind("show-all-if-ambiguous", "on"); /* one Tab suffices; an inputrc may differ */
    prompt.started = true;
    for (int kind = 0; kind < PROMPT_KINDS; kind++) load_history((PromptKind)kind);
    Status status =
        prompt.directory == NULL ? STATUS_OK : user_directory_make_directory(prompt.directory, error);
    if (status != STATUS_OK) {
        free(prompt.directory);
        prompt.directory = NULL;
    }
    return status;
}

void prompt_line_stop(void) {
    if (!prompt.started) return;
    if (prompt.open) rl_callback_handler_remove();
    for (int kind = 0; kind < PROMPT_KINDS; kind++) {
        history_set_history_state(prompt.histories[kind]);
        clear_history();
        free(history_list());
        free(prompt.histories[kind]);
        HISTORY_STATE empty = {0};
        history_set_history_state(&empty);
    }
    (void)fclose(prompt.nowhere);
    free(prompt.directory);
    free(prompt.accepted);
    memset(&prompt, 0, sizeof prompt);
}

/* A byte of UTF-8 that continues a character. */
static bool is_inside(char byte) {
    return ((unsigned char)byte & 0xC0) == 0x80;
}

/* ---- editing ---- */

void prompt_line_open(PromptKind kind, const char *label, const char *initial, PromptCompleter completer) {
    if (!prompt.started || prompt.open) return;
    prompt.kind = kind;
    prompt.completer = completer;
    prompt.initial = initial;
    prompt.candidates[0] = '\0';
    prompt.queue_begin = prompt.queue_end = 0;
    (void)snprintf(prompt.label, sizeof prompt.label, "%s", label);
    history_set_history_state(prompt.histories[kind]);
    using_history();
    rl_callback_handler_install("", take_line);
    (void)rl_bind_keyseq("\033[3~", rl_delete);
    (void)rl_bind_keyseq("\033[H", rl_beg_of_line);
    (void)rl_bind_keyseq("\033[F", rl_end_of_line);
    /* Alt-n and Alt-p: behind a search that found nothing readline 8.2 frees a line's steps twice; Ctrl-r searches */
    (void)rl_unbind_function_in_map(rl_noninc_forward_search, emacs_meta_keymap);
    (void)rl_unbind_function_in_map(rl_noninc_reverse_search, emacs_meta_keymap);
    prompt.initial = NULL;
    prompt.open = true;
    prompt.state = PROMPT_OPEN;
}

bool prompt_line_is_open(void) {
    return prompt.open;
}

/* What readline expects for a key: its bytes, or the sequence that a common terminal sends. */
static size_t key_bytes(Key key, char bytes[16]) {
    static const struct {
        Key key;
        const char *bytes;
    } NAMED[] = {{KEY_ENTER_NAMED, "\r"},      {KEY_TAB_NAMED, "\t"},      {KEY_RUBOUT, "\177"},
                 {KEY_ARROW_UP, "\033[A"},     {KEY_ARROW_DOWN, "\033[B"}, {KEY_ARROW_RIGHT, "\033[C"},
                 {KEY_ARROW_LEFT, "\033[D"},   {KEY_TO_HOME, "\033[H"},    {KEY_TO_END, "\033[F"},
                 {KEY_DELETE_NAMED, "\033[3~"}};
    size_t used = 0;
    Key plain = key & ~(Key)(KEY_ALT | KEY_CONTROL | KEY_SHIFT);
    if ((key & KEY_ALT) != 0) bytes[used++] = '\033';
    if (plain >= KEY_NAMED) {
        for (size_t i = 0; i < sizeof NAMED / sizeof NAMED[0]; i++) {
            if (NAMED[i].key != plain) continue;
            size_t length = strlen(NAMED[i].bytes);
            memcpy(bytes + used, NAMED[i].bytes, length);
            return used + length;
        }
        return 0;
    }
    if ((key & KEY_CONTROL) != 0)
        bytes[used++] = (char)(plain & 0x1F);
    else
        used += text_encode((int32_t)plain, bytes + used);
    return used;
}

/* Ends editing: the line's history goes back to its place. */
static void finish(void) {
    if (prompt.state == PROMPT_ACCEPTED && prompt.accepted != NULL) keep_line(prompt.accepted);
    free(prompt.histories[prompt.kind]);
    prompt.histories[prompt.kind] = history_get_history_state();
    HISTORY_STATE empty = {0};
    history_set_history_state(&empty);
    prompt.open = false;
    prompt.candidates[0] = '\0';
}

static bool aborts(Key key) {
    if (key == (KEY_CONTROL | 'c')) return true;
    if (RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH)) return false; /* readline ends its search first */
    return key == KEY_ESCAPE || key == (KEY_CONTROL | 'g');
}

/* A count is typed before a key (Alt-9 9 9 …), and readline then does all of it at once, for as long as that
 * takes: a slip of the fingers would be a program that never answers again. */
static void limit_count(void) {
    if (rl_numeric_arg > COUNT_LIMIT) rl_numeric_arg = COUNT_LIMIT;
    if (rl_numeric_arg < -COUNT_LIMIT) rl_numeric_arg = -COUNT_LIMIT;
}

/* A search that a key like Ctrl-X ends, with which longer ones begin, leaves readline 8.2 with a frame of its own
 * that is gone: the key after it would be the end of the program. So the search ends before, with what it found. */
static void end_search_before(char byte) {
    if (!RL_ISSTATE(RL_STATE_ISEARCH) || byte == '\033') return;
    if (rl_get_keymap()[(unsigned char)byte].type == ISKMAP) rl_callback_sigcleanup();
}

static void read_queue(void) {
    while (has_byte() && prompt.state == PROMPT_OPEN) {
        rl_callback_read_char();
        limit_count();
    }
}

/* Readline gives a line that is done away itself: only it knows which entries of the history share the steps that
 * can be undone, and freed them twice after a line that was left behind some editing of them. It does so with the
 * next byte, whatever that is, and Enter behind a count (Alt-3 Enter) waits for one as well. */
static void end_line(void) {
    if (prompt.state != PROMPT_OPEN) return;
    rl_done = 1;
    prompt.queue[0] = '\0';
    prompt.queue_begin = 0, prompt.queue_end = 1;
    read_queue();
}

PromptState prompt_line_key(Key key) {
    if (!prompt.open) return PROMPT_CLOSED;
    if (key == KEY_ESCAPE && rl_editing_mode == 0 && rl_get_keymap() == vi_insertion_keymap) {
        (void)rl_vi_movement_mode(1, 0); /* in vi mode the first Escape leaves insertion */
        return PROMPT_OPEN;
    }
    if (key == KEY_ESCAPE) key = RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH) ? KEY_CONTROL | 'g' : key;
    if (aborts(key)) {
        rl_callback_sigcleanup();
        end_line();
        free(prompt.accepted);
        prompt.accepted = NULL;
        prompt.state = PROMPT_ABORTED;
    } else {
        prompt.queue_begin = 0;
        prompt.queue_end = key_bytes(key, prompt.queue);
        prompt.candidates[0] = '\0';
        if (has_byte()) end_search_before(prompt.queue[0]);
        read_queue();
        if (rl_done != 0) end_line();
    }
    if (prompt.state != PROMPT_OPEN) finish();
    return prompt.state;
}

PromptState prompt_line_paste(const char *text, size_t bytes, size_t *lost) {
    *lost = 0;
    if (!prompt.open) return PROMPT_CLOSED;
    while (bytes > 0 && text[bytes - 1] == '\n') bytes--; /* what a copied line ends with */
    size_t used = rl_end > 0 ? (size_t)rl_end : 0;
    size_t fits = used < PROMPT_LINE_LIMIT ? PROMPT_LINE_LIMIT - used : 0;
    if (fits > bytes) fits = bytes;
    while (fits > 0 && fits < bytes && is_inside(text[fits])) fits--; /* whole characters */
    char *copy = memory_copy_text(text, fits);
    if (copy == NULL) return PROMPT_OPEN;
    (void)rl_insert_text(copy);
    free(copy);
    *lost = bytes - fits;
    return PROMPT_OPEN;
}

const char *prompt_line_text(void) {
    if (prompt.open) return rl_line_buffer != NULL ? rl_line_buffer : "";
    return prompt.accepted != NULL ? prompt.accepted : "";
}

const char *prompt_line_candidates(void) {
    return prompt.candidates;
}

/* ---- drawing ---- */

/* Columns of the first `bytes` bytes in the form that is drawn. */
static int shown_width(const char *text, size_t bytes, unsigned flags) {
    int width = 0;
    while (bytes > 0) {
        char form[512];
        size_t used = text_next(text, bytes).bytes;
        (void)text_escape(text, used, flags, form, sizeof form);
        width += text_width(form);
        text += used;
        bytes -= used;
    }
    return width;
}

void prompt_line_draw(Canvas *canvas, Rect area) {
    if (!prompt.open) return;
    unsigned flags = TEXT_SHOW_NEWLINES | (canvas->theme.ascii ? TEXT_ASCII : 0U);
    bool searching = RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH) && rl_display_prompt != NULL;
    const char *line = rl_line_buffer != NULL ? rl_line_buffer : "";
    /* at most half of the line, and a blank behind it where it is cut */
    const char *label = searching ? rl_display_prompt : prompt.label;
    int half = area.columns / 2;
    bool is_cut = text_width(label) > half;
    Rect head = rect_make(area.row, area.column, 1, is_cut && half > 0 ? half - 1 : half);
    int column = canvas_write(canvas, head, 0, 0, ROLE_KEY, label);
    if (is_cut) column = half;
    Rect field = rect_make(area.row, area.column + column, 1, area.columns - column);
    canvas_fill_row(canvas, field, 0, 0, field.columns, ROLE_TEXT, " ");
    /* a line may be long: only what can show near the cursor is measured and drawn */
    size_t reach = (field.columns > 0 ? (size_t)field.columns : 0) * CELL_BYTES;
    size_t end = strlen(line), point = rl_point > 0 ? (size_t)rl_point : 0;
    size_t from = point > reach ? point - reach : 0, to = end - point > reach ? point + reach : end;
    while (from > 0 && is_inside(line[from])) from--;
    while (to < end && is_inside(line[to])) to++;
    int cursor = shown_width(line + from, point - from, flags);
    int scroll = cursor < field.columns ? 0 : cursor - field.columns + 1 + field.columns / 4;
    (void)canvas_write_raw(canvas, field, 0, -scroll, ROLE_TEXT, flags, line + from, to - from);
    if (scroll > 0 || from > 0) (void)canvas_write(canvas, field, 0, 0, ROLE_DIM, "<");
    canvas_set_cursor(canvas, field, 0, cursor - scroll);
}
