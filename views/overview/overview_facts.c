#include "core/checkpoint/config_facts.h"
#include "core/checkpoint/head.h"
#include "tui/text/format.h"
#include "views/overview/overview_internal.h"

#include <stdio.h>
#include <string.h>

enum { VALUE_SIZE = 256 };

/* One model of the pair. */
typedef struct OneSide {
    const Checkpoint *checkpoint;
    const Tokenizer *tokenizer;
    bool is_loading; /* the tokenizer may still come */
    bool is_whole;   /* there is room for the keys that decided */
    ConfigFacts decided;
} OneSide;

typedef struct ModelFact {
    const char *label;
    void (*write)(const OneSide *side, char text[VALUE_SIZE]);
    bool is_joined;  /* in few rows: behind the fact before */
    bool is_spare;   /* in few rows: left out */
    bool is_further; /* goes on with the fact before: a row where there is room and it says something */
    bool may_differ; /* differs between any two models */
} ModelFact;

/* ---- the facts ---- */

static void write_directory(const OneSide *side, char text[VALUE_SIZE]) {
    const char *path = side->checkpoint->directory;
    (void)text_escape(path, strlen(path), TEXT_PLAIN, text, VALUE_SIZE);
}

static void write_type(const OneSide *side, char text[VALUE_SIZE]) {
    const Checkpoint *checkpoint = side->checkpoint;
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(checkpoint->config, "model_type");
    if (checkpoint->model_status == STATUS_OK)
        (void)snprintf(text, VALUE_SIZE, "%s", architecture_name(checkpoint->model.architecture));
    else if (cJSON_IsString(type)) /* not known, but it says what it is */
        (void)text_escape(type->valuestring, strlen(type->valuestring), TEXT_PLAIN, text, VALUE_SIZE);
    else
        (void)snprintf(text, VALUE_SIZE, "unknown");
}

/* A figure of config.json; 0 stands for what a model of that type does without. */
static void write_config(const OneSide *side, uint64_t value, char text[VALUE_SIZE]) {
    char count[FORMAT_SIZE];
    bool known = side->checkpoint->model_status == STATUS_OK;
    (void)snprintf(text, VALUE_SIZE, "%s", !known ? "?" : value > 0 ? format_count(value, count) : "–");
}

static void write_context(const OneSide *side, char text[VALUE_SIZE]) {
    write_config(side, side->checkpoint->model.max_positions, text);
}

static void write_layers(const OneSide *side, char text[VALUE_SIZE]) {
    (void)snprintf(text, VALUE_SIZE, "%zu", side->checkpoint->layers);
}

static void write_hidden(const OneSide *side, char text[VALUE_SIZE]) {
    write_config(side, side->checkpoint->model.hidden_size, text);
}

static void write_intermediate(const OneSide *side, char text[VALUE_SIZE]) {
    write_config(side, side->checkpoint->model.intermediate_size, text);
}

static void write_heads(const OneSide *side, char text[VALUE_SIZE]) {
    write_config(side, side->checkpoint->model.heads, text);
}

static void write_kv_heads(const OneSide *side, char text[VALUE_SIZE]) {
    write_config(side, side->checkpoint->model.kv_heads, text);
}

static void write_head_dim(const OneSide *side, char text[VALUE_SIZE]) {
    write_config(side, side->checkpoint->model.head_dim, text);
}

static void write_vocabulary(const OneSide *side, char text[VALUE_SIZE]) {
    write_config(side, side->checkpoint->model.vocabulary, text);
}

/* `value`, which the decision of that key came to, and the key that decided where there is room for it. */
static void write_decided(const OneSide *side, const char *key, const char *value, char text[VALUE_SIZE]) {
    const ConfigFact *fact = config_facts_find(&side->decided, key);
    bool whole = fact != NULL && side->is_whole;
    (void)snprintf(text, VALUE_SIZE, "%s%s%s%s",
                   fact == NULL    ? "?"
                   : value == NULL ? fact->value
                                   : value,
                   whole ? " (" : "", whole ? fact->from : "", whole ? ")" : "");
}

static void write_tied(const OneSide *side, char text[VALUE_SIZE]) {
    static const char *const HEADS[] = {[HEAD_NONE] = "none", [HEAD_OWN] = "its own", [HEAD_TIED] = "tied"};
    write_decided(side, "tie_word_embeddings", HEADS[head_find(side->checkpoint).kind], text);
}

/* "θ 10,000", "llama3 × 8 θ 500,000": the kind where it is not the plain one. */
static void write_rope(const OneSide *side, char text[VALUE_SIZE]) {
    const Rope *rope = &side->checkpoint->model.ropes[0];
    char theta[FORMAT_SIZE], value[VALUE_SIZE] = "";
    bool is_count = rope->theta < 1e15 && rope->theta == (double)(uint64_t)rope->theta;
    if (side->checkpoint->model_status == STATUS_OK && rope->kind != ROPE_DEFAULT)
        (void)snprintf(value, sizeof value, "%s × %g ", architecture_rope_name(rope->kind), rope->factor);
    size_t used = strlen(value);
    if (is_count)
        (void)snprintf(value + used, sizeof value - used, "θ %s", format_count((uint64_t)rope->theta, theta));
    else
        (void)snprintf(value + used, sizeof value - used, "θ %g", rope->theta);
    bool turns = config_facts_find(&side->decided, "rope_theta") != NULL;
    const char *shown = turns ? value : side->is_whole ? NULL : "none";
    write_decided(side, turns ? "rope_theta" : "rope_type", shown, text);
}

static void write_window(const OneSide *side, char text[VALUE_SIZE]) {
    write_decided(side, "sliding_window", NULL, text);
}

static void write_activation(const OneSide *side, char text[VALUE_SIZE]) {
    write_decided(side, "hidden_act", NULL, text);
}

static void write_epsilon(const OneSide *side, char text[VALUE_SIZE]) {
    write_decided(side, "rms_norm_eps", NULL, text);
}

/* Facts [first, end) of those that say what ends a text, with the files where there is room: the label has the key. */
static void write_ends_between(const OneSide *side, size_t first, size_t end, char text[VALUE_SIZE]) {
    static const char KEY[] = "eos_token_id", OF[] = ": eos_token_id";
    size_t met = 0;
    text[0] = '\0';
    for (size_t i = 0; i < side->decided.count; i++) {
        const ConfigFact *fact = &side->decided.items[i];
        char part[VALUE_SIZE];
        if (strcmp(fact->key, KEY) != 0 || met++ < first || met > end) continue;
        const char *of = strstr(fact->from, OF);
        int length = (int)(of != NULL ? (size_t)(of - fact->from) : strlen(fact->from));
        (void)snprintf(part, sizeof part, "%s%s", text[0] != '\0' ? ", " : "", fact->value);
        text_append(text, VALUE_SIZE, part);
        (void)snprintf(part, sizeof part, " (%.*s)", length, fact->from);
        if (side->is_whole) text_append(text, VALUE_SIZE, part);
    }
    if (first == 0 && met == 0) (void)snprintf(text, VALUE_SIZE, "?");
}

static void write_ends(const OneSide *side, char text[VALUE_SIZE]) {
    write_ends_between(side, 0, side->is_whole ? 1 : CONFIG_MOST_FACTS, text);
}

static void write_more_ends(const OneSide *side, char text[VALUE_SIZE]) {
    write_ends_between(side, 1, 2, text);
}

static void write_last_ends(const OneSide *side, char text[VALUE_SIZE]) {
    write_ends_between(side, 2, CONFIG_MOST_FACTS, text);
}

static void write_parameters(const OneSide *side, char text[VALUE_SIZE]) {
    char brief[FORMAT_SIZE], whole[FORMAT_SIZE];
    (void)snprintf(text, VALUE_SIZE, "%s (%s)", format_short_count(side->checkpoint->parameters, brief),
                   format_count(side->checkpoint->parameters, whole));
}

static void write_dtype(const OneSide *side, char text[VALUE_SIZE]) {
    DType stored = checkpoint_main_dtype(side->checkpoint);
    const ConfigFact *stated = config_facts_find(&side->decided, "dtype");
    const char *name = dtype_torch_name(stored);
    bool agree = stated == NULL || (name != NULL && strcmp(stated->value, name) == 0);
    (void)snprintf(text, VALUE_SIZE, "%s%s%s%s", dtype_name(stored),
                   agree ? "" : " (config.json: ", agree ? "" : stated->value, agree ? "" : ")");
}

static void write_files(const OneSide *side, char text[VALUE_SIZE]) {
    char bytes[FORMAT_SIZE];
    size_t files = side->checkpoint->file_count;
    (void)snprintf(text, VALUE_SIZE, "%s in %zu %s", format_bytes((double)side->checkpoint->bytes, bytes),
                   files,
                   side->checkpoint->is_sharded ? files == 1 ? "shard" : "shards"
                   : files == 1                 ? "file"
                                                : "files");
}

static void write_tokenizer(const OneSide *side, char text[VALUE_SIZE]) {
    char pieces[FORMAT_SIZE], added[FORMAT_SIZE];
    if (side->tokenizer == NULL) { /* why there is none is among the findings */
        (void)snprintf(text, VALUE_SIZE, "%s", side->is_loading ? "loading…" : "none that can be used");
        return;
    }
    TokenizerFacts facts = tokenizer_facts(side->tokenizer);
    const char *what =
        facts.class_name != NULL ? facts.class_name : facts.kind; /* the class decides the ids */
    (void)snprintf(text, VALUE_SIZE, "%s, %s + %s added", what, format_count(facts.pieces, pieces),
                   format_count(facts.added_tokens, added));
}

/* What its responses are ended with: the tokenizer's eos_token, else what ends a text. */
static void write_row_end(const OneSide *side, char text[VALUE_SIZE]) {
    const char *from = NULL;
    int32_t id = side->tokenizer == NULL ? -1 : tokenizer_end(side->tokenizer, &from);
    size_t bytes = 0;
    const char *piece = id < 0 ? NULL : tokenizer_piece(side->tokenizer, id, &bytes);
    char end[VALUE_SIZE / 4];
    if (piece == NULL) {
        if (side->is_loading)
            (void)snprintf(text, VALUE_SIZE, "loading…");
        else
            write_ends(side, text);
        return;
    }
    (void)text_escape(piece, bytes, TEXT_PLAIN, end, sizeof end);
    const char *key =
        strrchr(from, ' ') != NULL ? strrchr(from, ' ') + 1 : from; /* without the tokenizer's file */
    (void)snprintf(text, VALUE_SIZE, "%s%s%s%s", end, side->is_whole ? " (" : "", side->is_whole ? key : "",
                   side->is_whole ? ")" : "");
}

/* What config.json decides comes last, for a person who compares it with the script that trained the model. */
static const ModelFact FACTS[] = {
    {.label = "directory", .write = write_directory, .may_differ = true},
    {.label = "type", .write = write_type},
    {.label = "context", .write = write_context, .is_joined = true},
    {.label = "layers", .write = write_layers},
    {.label = "hidden", .write = write_hidden, .is_joined = true},
    {.label = "MLP", .write = write_intermediate, .is_joined = true},
    {.label = "heads", .write = write_heads},
    {.label = "kv heads", .write = write_kv_heads, .is_joined = true},
    {.label = "head dim", .write = write_head_dim, .is_joined = true},
    {.label = "vocabulary", .write = write_vocabulary},
    {.label = "lm_head", .write = write_tied, .is_joined = true},
    {.label = "parameters", .write = write_parameters},
    {.label = "weights", .write = write_dtype},
    {.label = "size", .write = write_files, .is_joined = true},
    {.label = "tokenizer", .write = write_tokenizer},
    {.label = "rotary", .write = write_rope},
    {.label = "window", .write = write_window, .is_joined = true},
    {.label = "eos", .write = write_ends, .is_joined = true},
    {.label = "", .write = write_more_ends, .is_further = true},
    {.label = "", .write = write_last_ends, .is_further = true},
    {.label = "activation", .write = write_activation, .is_spare = true},
    {.label = "epsilon", .write = write_epsilon, .is_spare = true},
    {.label = "row end", .write = write_row_end, .is_spare = true},
};
enum { FACT_COUNT = sizeof FACTS / sizeof *FACTS };

/* ---- drawing ---- */

static OneSide make_side(const Session *session, bool is_sft, bool whole) {
    const Pair *pair = session_pair(session);
    OneSide side = {.checkpoint = is_sft ? pair->sft : pair->base,
                    .tokenizer = is_sft ? session_tokenizer(session, NULL) : session_base_tokenizer(session),
                    .is_loading = session_tokenizers_are_loading(session),
                    .is_whole = whole};
    config_facts_list(side.checkpoint, &side.decided);
    return side;
}

/* A path says most at its end. */
static void keep_end(char text[VALUE_SIZE], int columns) {
    char whole[VALUE_SIZE];
    int excess = text_width(text) - columns;
    if (excess <= 0 || columns < 4) return;
    memcpy(whole, text, VALUE_SIZE);
    (void)snprintf(text, VALUE_SIZE, "…");
    text_append(text, VALUE_SIZE, whole + text_prefix(whole, excess + 1));
}

/* Fact `first` and those joined to it; returns how many. *differs says whether any does. */
static size_t write_row(const OneSide sides[2], size_t first, bool whole, char texts[2][VALUE_SIZE],
                        bool *differs) {
    size_t count = 0;
    *differs = false;
    do {
        const ModelFact *fact = &FACTS[first + count];
        char values[2][VALUE_SIZE];
        for (int side = 0; side < 2; side++) {
            fact->write(&sides[side], values[side]);
            if (count == 0) texts[side][0] = '\0';
            text_append(texts[side], VALUE_SIZE, count == 0 ? "" : " · ");
            text_append(texts[side], VALUE_SIZE, count == 0 ? "" : fact->label);
            text_append(texts[side], VALUE_SIZE, count == 0 ? "" : " ");
            text_append(texts[side], VALUE_SIZE, values[side]);
        }
        *differs = *differs || (!fact->may_differ && strcmp(values[0], values[1]) != 0);
        count++;
    } while (!whole && first + count < FACT_COUNT && FACTS[first + count].is_joined);
    while (!whole && first + count < FACT_COUNT && FACTS[first + count].is_further) count++;
    return count;
}

int overview_draw_facts(Canvas *canvas, Rect area, const Session *session, bool whole) {
    enum { GAP = 2 };
    const OneSide sides[2] = {make_side(session, false, whole), make_side(session, true, whole)};
    char texts[2][VALUE_SIZE];
    bool differs;
    int columns = (area.columns - OVERVIEW_LABEL_COLUMNS - GAP) / 2, row = 0;
    int base_at = OVERVIEW_LABEL_COLUMNS, sft_at = base_at + columns + GAP;
    if (columns < 1) return 0;
    (void)canvas_write(canvas, area, row, base_at, ROLE_BASE, "base");
    (void)canvas_write(canvas, area, row++, sft_at, ROLE_SFT, "SFT");
    for (size_t fact = 0; fact < FACT_COUNT; row++) {
        if (!whole && FACTS[fact].is_spare) break; /* they are the last */
        bool is_path = FACTS[fact].write == write_directory, is_further = FACTS[fact].is_further;
        (void)canvas_write(canvas, area, row, 0, ROLE_DIM, FACTS[fact].label);
        fact += write_row(sides, fact, whole, texts, &differs);
        if (is_further && texts[0][0] == '\0' && texts[1][0] == '\0') {
            row--; /* there is no more to say: no row */
            continue;
        }
        for (int side = 0; side < 2 && is_path; side++) keep_end(texts[side], columns - 1 + side);
        if (differs) (void)canvas_write(canvas, area, row, sft_at - GAP, ROLE_WARNING, "≠");
        canvas_write_field(canvas, area, row, base_at, columns - 1, false, ROLE_TEXT, texts[0]);
        canvas_write_field(canvas, area, row, sft_at, columns, false, differs ? ROLE_WARNING : ROLE_TEXT,
                           texts[1]);
    }
    return row;
}
