/* Any bytes as what was kept for --resume: refused with a message, or two directories and a view that there is, with the
 * cursors of views that ask for theirs. */
#include "tests/fuzz/memory_file.h"
#include "tui/app/resume.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

typedef struct State {
    size_t row, column;
} State;

static size_t list_places(void *opaque, ViewPlace *places) {
    State *state = opaque;
    places[0] = (ViewPlace){"row", &state->row};
    places[1] = (ViewPlace){"column", &state->column};
    return 2;
}

static const View LAYERS = {.name = "layers", .title = "Layers", .places = list_places};
static const View TUNE = {.name = "tune", .title = "Tune"};
static const View *const ALL[] = {&LAYERS, &TUNE};
static const ViewList VIEWS_HERE = {ALL, sizeof ALL / sizeof *ALL};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    Resume resume;
    Error error = {0};
    State state = {0};
    if (resume_read(memory_file_put(bytes, count), &VIEWS_HERE, &resume, &error) != STATUS_OK) {
        if (error.message[0] == '\0' || resume.tree != NULL) abort();
        return 0;
    }
    if (resume.session.base == NULL || resume.session.sft == NULL) abort();
    if (resume.view != NULL && view_find(&VIEWS_HERE, resume.view) < 0) abort();
    resume_place(&resume, &LAYERS, &state);
    resume_free(&resume);
    return 0;
}
