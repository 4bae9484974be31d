#include "core/export/export_sums.h"

#include "core/support/memory.h"

#include <pthread.h>
#include <stdlib.h>

enum { INPUTS = 2, HALVES = EXPORT_SUMS_ROWS - INPUTS };
enum { FASTEST_PACE = 4 };
enum { PIECE = 256 << 10 }; /* as large as a tile, about: rows are hashed by turns */

/* Bytes of a file. */
typedef struct Stretch {
    const SafetensorsFile *file; /* NULL: none */
    uint64_t begin, end;
} Stretch;

typedef struct Row Row;

/* What comes next in a row, and that some of it was hashed. */
typedef HashPart (*RowPeek)(const ExportSums *sums, const Row *row);
typedef Status (*RowAdvance)(ExportSums *sums, Row *row, size_t size, Error *error);

/* Bytes that are hashed one after the other. Its items are tiles of the window, or inputs. */
struct Row {
    RowPeek peek;
    RowAdvance advance;
    Hash *hash;
    bool is_taken;    /* by a task, whose alone the rest is then */
    size_t item, end; /* the current one; behind the last: done */
    uint64_t at;      /* bytes of it that are hashed */
    uint64_t left;    /* bytes for this round */
    /* of inputs */
    bool is_base;
    uint64_t remaining; /* bytes for all rounds */
    uint64_t kept;      /* of the current file, from where on pages have not been given back */
    Stretch stale;      /* what this round may give back meanwhile */
};

struct ExportSums {
    ExportPlan *plan;
    Job *job;
    const unsigned char *bytes; /* of the window */
    const ExportTile *tiles;
    bool is_split;        /* the window has a second half */
    pthread_mutex_t lock; /* of is_taken */
    Row rows[EXPORT_SUMS_ROWS];
};

static Row *halves(ExportSums *sums) {
    return &sums->rows[INPUTS];
}

/* ---- halves of the window ---- */

static size_t tile_size(const ExportSums *sums, const ExportTile *tile) {
    return tile->count * dtype_size(sums->plan->tensors[tile->tensor].dtype);
}

static HashPart peek_tile(const ExportSums *sums, const Row *row) {
    const ExportTile *tile = &sums->tiles[row->item];
    return (HashPart){row->hash, sums->bytes + tile->at + row->at, tile_size(sums, tile) - row->at};
}

static Status advance_tile(ExportSums *sums, Row *row, size_t size, Error *error) {
    const ExportTile *tile = &sums->tiles[row->item];
    row->at += size;
    row->left -= size;
    if (row->at < tile_size(sums, tile)) return STATUS_OK;
    row->at = 0;
    row->item++;
    if (tile->first + tile->count < sums->plan->tensors[tile->tensor].elements) return STATUS_OK;
    return hash_finish(row->hash, sums->plan->recipe->tensors[tile->tensor].sha256, error);
}

/* The first tile of a tensor that is nearest to the middle: what follows it is hashed by itself. */
static size_t find_middle(const ExportTile *tiles, size_t count) {
    size_t middle = count, end = count > 0 ? tiles[count - 1].at : 0, least = SIZE_MAX;
    for (size_t i = 1; i < count; i++) {
        size_t twice = 2 * tiles[i].at, off = twice > end ? twice - end : end - twice;
        if (tiles[i].first > 0 || off >= least) continue;
        least = off;
        middle = i;
    }
    return middle;
}

static void begin_half(const ExportSums *sums, Row *row, size_t begin, size_t end) {
    row->item = begin;
    row->end = end;
    row->at = row->left = 0;
    for (size_t i = begin; i < end; i++) row->left += tile_size(sums, &sums->tiles[i]);
}

/* The tensor that the last window ended in goes on in the hash that it has. */
static void begin_halves(ExportSums *sums, size_t count) {
    Row *first = halves(sums), *second = first + 1;
    if (sums->is_split) {
        Hash *begun = second->hash;
        second->hash = first->hash;
        first->hash = begun;
    }
    size_t middle = find_middle(sums->tiles, count);
    begin_half(sums, first, 0, middle);
    begin_half(sums, second, middle, count);
    sums->is_split = middle < count;
}

/* ---- inputs ---- */

/* Whether this row has to hash the input: of its side, not known yet, and not the same file as another. */
static bool is_wanted(const ExportPlan *plan, const Row *row, size_t input) {
    return plan->inputs[input].is_base == row->is_base && plan->inputs[input].same == input &&
           export_input_file(plan, &plan->inputs[input])->sha256[0] == '\0';
}

static void find_next_input(const ExportPlan *plan, Row *row) {
    row->at = row->kept = 0;
    while (row->item < row->end && !is_wanted(plan, row, row->item)) row->item++;
}

static void forget(Stretch stretch) {
    if (stretch.file != NULL)
        safetensors_forget_range(stretch.file, stretch.file->map + stretch.begin,
                                 stretch.end - stretch.begin);
}

static HashPart peek_input(const ExportSums *sums, const Row *row) {
    const SafetensorsFile *file = sums->plan->inputs[row->item].file;
    uint64_t rest = file->size - row->at, size = row->left < rest ? row->left : rest;
    return (HashPart){row->hash, file->map + row->at, size < PIECE ? (size_t)size : PIECE};
}

static Status advance_input(ExportSums *sums, Row *row, size_t size, Error *error) {
    const ExportInput *input = &sums->plan->inputs[row->item];
    row->at += size;
    row->left -= size;
    row->remaining -= size;
    if (row->at < input->file->size) return STATUS_OK;
    forget((Stretch){input->file, row->kept, row->at});
    Status status = hash_finish(row->hash, export_input_file(sums->plan, input)->sha256, error);
    row->item++;
    find_next_input(sums->plan, row);
    return status;
}

/* What the next round will hash is read while this one works. */
static void expect_input(const ExportPlan *plan, const Row *row) {
    if (row->item >= row->end) return;
    const SafetensorsFile *file = plan->inputs[row->item].file;
    uint64_t rest = file->size - row->at;
    if (rest <= row->left) return;
    rest -= row->left;
    safetensors_expect_range(file, file->map + row->at + row->left, row->left < rest ? row->left : rest);
}

static void begin_input(const ExportPlan *plan, Row *row, double share, uint64_t window) {
    uint64_t wanted = (uint64_t)(share * (double)row->remaining) + 1, most = FASTEST_PACE * window;
    if (most > row->remaining) most = row->remaining;
    row->left = wanted < most ? wanted : most;
    row->stale = (Stretch){row->item < row->end ? plan->inputs[row->item].file : NULL, row->kept, row->at};
    row->kept = row->at;
    expect_input(plan, row);
}

static Status start_input(ExportSums *sums, const ExportShares *shares, int side, Error *error) {
    const ExportPlan *plan = sums->plan;
    size_t own = ranks_own(plan->options.ranks);
    Row *row = &sums->rows[side];
    *row = (Row){.peek = peek_input, .advance = advance_input, .is_base = side == 1};
    row->item = shares->inputs[own];
    row->end = shares->inputs[own + 1];
    for (size_t i = row->item; i < row->end; i++) {
        if (is_wanted(plan, row, i)) row->remaining += plan->inputs[i].file->size;
    }
    find_next_input(plan, row);
    return hash_create(&row->hash, error);
}

/* ---- rows ---- */

/* An empty tensor has a tile of no bytes, which ends it. */
static bool is_at_end(const Row *row) {
    return row->item == row->end || (row->left == 0 && row->peek == peek_input);
}

/* The free row that is furthest behind; NULL where none is free that is not at its end. */
static Row *take_row(ExportSums *sums) {
    Row *longest = NULL;
    for (Row *row = sums->rows; row < sums->rows + EXPORT_SUMS_ROWS; row++) {
        if (row->is_taken || is_at_end(row)) continue;
        if (longest == NULL || row->left > longest->left) longest = row;
    }
    if (longest != NULL) longest->is_taken = true;
    return longest;
}

/* Gives back the rows of the last turn and takes those of the next. The lock is a default mutex that is locked once a thread:
 * it cannot fail. */
static bool take_turn(ExportSums *sums, Row *rows[2]) {
    (void)pthread_mutex_lock(&sums->lock);
    for (int i = 0; i < 2; i++) {
        if (rows[i] != NULL) rows[i]->is_taken = false;
    }
    rows[0] = take_row(sums);
    rows[1] = rows[0] != NULL && hash_lanes() > 1 ? take_row(sums) : NULL;
    (void)pthread_mutex_unlock(&sums->lock);
    return rows[0] != NULL;
}

static Status hash_one(ExportSums *sums, Row *row, Error *error) {
    HashPart part = row->peek(sums, row);
    Status status = hash_add(part.hash, part.bytes, part.size, error);
    return status == STATUS_OK ? row->advance(sums, row, part.size, error) : status;
}

static Status hash_two(ExportSums *sums, Row *row, Row *second, Error *error) {
    HashPart one = row->peek(sums, row), other = second->peek(sums, second);
    size_t size = one.size < other.size ? one.size : other.size;
    one.size = other.size = size;
    Status status = hash_add_two(one, other, error);
    if (status == STATUS_OK) status = row->advance(sums, row, size, error);
    return status == STATUS_OK ? second->advance(sums, second, size, error) : status;
}

/* ---- rounds ---- */

Status export_sums_create(ExportPlan *plan, const ExportShares *shares, Job *job, ExportSums **sums,
                          Error *error) {
    ExportSums *made = memory_allocate(1, sizeof *made);
    *sums = made;
    if (made == NULL) return memory_fail(error, "sums");
    made->plan = plan;
    made->job = job;
    (void)pthread_mutex_init(&made->lock, NULL); /* cannot fail with default attributes on Linux */
    Status status = STATUS_OK;
    for (int i = 0; i < HALVES && status == STATUS_OK; i++) {
        halves(made)[i] = (Row){.peek = peek_tile, .advance = advance_tile};
        status = hash_create(&halves(made)[i].hash, error);
    }
    for (int i = 0; i < INPUTS && status == STATUS_OK; i++) status = start_input(made, shares, i, error);
    return status;
}

void export_sums_free(ExportSums *sums) {
    if (sums == NULL) return;
    for (int i = 0; i < EXPORT_SUMS_ROWS; i++) hash_free(sums->rows[i].hash);
    (void)pthread_mutex_destroy(&sums->lock);
    free(sums);
}

void export_sums_begin(ExportSums *sums, const unsigned char *bytes, const ExportTile *tiles, size_t count,
                       double share, uint64_t window) {
    sums->bytes = bytes;
    sums->tiles = tiles;
    begin_halves(sums, count);
    for (int i = 0; i < INPUTS; i++) begin_input(sums->plan, &sums->rows[i], share, window);
}

Status export_sums_run(ExportSums *sums, Error *error) {
    Row *rows[2] = {NULL, NULL};
    Status status = STATUS_OK;
    while (status == STATUS_OK && !job_is_cancelled(sums->job) && take_turn(sums, rows))
        status = rows[1] != NULL ? hash_two(sums, rows[0], rows[1], error) : hash_one(sums, rows[0], error);
    return status;
}

void export_sums_forget_pages(ExportSums *sums) {
    for (int i = 0; i < INPUTS; i++) forget(sums->rows[i].stale);
}

bool export_sums_are_done(const ExportSums *sums) {
    return sums->rows[0].remaining == 0 && sums->rows[1].remaining == 0;
}
