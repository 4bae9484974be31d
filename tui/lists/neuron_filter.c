#include "tui/lists/neuron_filter.h"

#include "tui/text/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { WORD_SIZE = 32, NUMBER_DIGITS = 9 };

NeuronFilter neuron_filter_none(void) {
    return (NeuronFilter){.place = {.layer = NEURON_ANY,
                                    .last_layer = NEURON_ANY,
                                    .index = NEURON_ANY,
                                    .expert = NEURON_ANY,
                                    .module = NEURON_ANY}};
}

bool neuron_filter_equal(const NeuronFilter *a, const NeuronFilter *b) {
    return a->place.layer == b->place.layer && a->place.last_layer == b->place.last_layer &&
           a->place.index == b->place.index && a->place.expert == b->place.expert &&
           a->place.module == b->place.module && a->reset == b->reset && a->dormant == b->dormant;
}

bool neuron_filter_is_none(const NeuronFilter *filter) {
    NeuronFilter none = neuron_filter_none();
    return neuron_filter_equal(filter, &none);
}

/* The next word, without the blanks and commas around it; false at the end, or where it is too long. */
static bool take_word(const char **text, char word[WORD_SIZE]) {
    *text += strspn(*text, " ,\t");
    size_t length = strcspn(*text, " ,\t");
    if (length == 0 || length >= WORD_SIZE) return false;
    memcpy(word, *text, length);
    word[length] = '\0';
    *text += length;
    return true;
}

static bool read_number(const char *digits, int64_t *number) {
    size_t length = strspn(digits, "0123456789");
    if (length == 0 || length > NUMBER_DIGITS || digits[length] != '\0') return false;
    *number = 0;
    for (size_t i = 0; i < length; i++) *number = *number * 10 + (digits[i] - '0');
    return true;
}

static bool read_module(const char *name, int *module) {
    size_t length = strlen(name);
    for (int i = 0; i < NEURON_MODULE_COUNT && length > 0; i++) {
        if (strncmp(neurons_module_name((NeuronModule)i), name, length) != 0) continue;
        *module = i;
        return true;
    }
    return false;
}

/* "3", "2-4". */
static bool read_layers(const char *word, NeuronPlace *place) {
    char first[WORD_SIZE];
    const char *dash = strchr(word, '-');
    place->last_layer = NEURON_ANY;
    if (dash == NULL) return read_number(word, &place->layer);
    (void)snprintf(first, sizeof first, "%.*s", (int)(dash - word), word);
    return read_number(first, &place->layer) && read_number(dash + 1, &place->last_layer);
}

/* "12.gate", "12.17.gate", "12.", "2-4.", ".gate", "gate", "2-4", "301". */
static bool read_place_word(const char *word, bool is_layer, NeuronPlace *place) {
    char left[WORD_SIZE];
    const char *dot = strrchr(word, '.');
    if (dot == NULL && isdigit((unsigned char)word[0]))
        return is_layer || strchr(word, '-') != NULL ? read_layers(word, place)
                                                     : read_number(word, &place->index);
    if (dot == NULL) return read_module(word, &place->module);
    (void)snprintf(left, sizeof left, "%.*s", (int)(dot - word), word);
    if (left[0] == '\0' && dot[1] == '\0') return false;
    char *expert = strchr(left, '.');
    if (expert != NULL) {
        *expert++ = '\0';
        if (!neurons_read_expert(expert, &place->expert)) return false;
    }
    if (left[0] != '\0' && !read_layers(left, place)) return false;
    return dot[1] == '\0' || read_module(dot + 1, &place->module);
}

bool neuron_filter_read_place(const char *text, NeuronPlace *place) {
    char word[WORD_SIZE];
    bool is_layer = false, any = false;
    *place = neuron_filter_none().place;
    while (take_word(&text, word)) {
        if (strcmp(word, "layer") == 0) {
            is_layer = true;
            continue;
        }
        if (!read_place_word(word, is_layer, place)) return false;
        is_layer = false;
        any = true;
    }
    return any && !is_layer && text[0] == '\0';
}

static int64_t last_layer(const NeuronPlace *place) {
    return place->last_layer == NEURON_ANY ? place->layer : place->last_layer;
}

static bool layer_fits(const NeuronPlace *place, uint64_t layer) {
    return place->layer == NEURON_ANY ||
           ((uint64_t)place->layer <= layer && layer <= (uint64_t)last_layer(place));
}

bool neuron_filter_fits(const NeuronPlace *place, const NeuronBlock *matrix, uint64_t index) {
    return layer_fits(place, matrix->layer) &&
           (place->module == NEURON_ANY || place->module == (int)matrix->module) &&
           (place->expert == NEURON_ANY || place->expert == matrix->expert) &&
           (place->index == NEURON_ANY || (uint64_t)place->index == index);
}

static bool refuse(char *message, size_t size, const char *word) {
    char safe[WORD_SIZE * 2];
    (void)text_escape(word, strlen(word), TEXT_PLAIN, safe, sizeof safe);
    (void)snprintf(message, size, "expected a place (3.down, 2-4, gate), reset, dormant or all, found \"%s\"",
                   safe);
    return false;
}

bool neuron_filter_read(const char *text, const NeuronTable *table, NeuronFilter *filter, char *message,
                        size_t size) {
    char word[WORD_SIZE];
    NeuronFilter read = neuron_filter_none();
    bool is_layer = false;
    while (take_word(&text, word)) {
        if (strcmp(word, "layer") == 0)
            is_layer = true;
        else if (strcmp(word, "all") == 0)
            read = neuron_filter_none();
        else if (strcmp(word, "reset") == 0)
            read.reset = true;
        else if (strcmp(word, "dormant") == 0)
            read.dormant = true;
        else if (!read_place_word(word, is_layer, &read.place))
            return refuse(message, size, word);
        if (strcmp(word, "layer") != 0) is_layer = false;
    }
    if (text[0] != '\0' || is_layer) return refuse(message, size, text);
    const NeuronPlace *place = &read.place;
    int64_t last = last_layer(place);
    if (last < place->layer) {
        (void)snprintf(message, size, "expected the first layer before the last: %" PRId64 "-%" PRId64, last,
                       place->layer);
        return false;
    }
    if (last != NEURON_ANY && (uint64_t)last >= table->layers) {
        (void)snprintf(message, size, "layers are 0 to %" PRIu64, table->layers - 1);
        return false;
    }
    if (place->expert != NEURON_ANY && table->experts.count == 0) {
        (void)snprintf(message, size, "no layer of this model is a mixture of experts");
        return false;
    }
    *filter = read;
    return true;
}

void neuron_filter_describe(const NeuronFilter *filter, char text[NEURON_FILTER_TEXT]) {
    const NeuronPlace *place = &filter->place;
    const char *module = place->module == NEURON_ANY ? "" : neurons_module_name((NeuronModule)place->module);
    char layer[32] = "", expert[NEURONS_EXPERT_SIZE + 2] = "", index[16] = "", name[NEURONS_EXPERT_SIZE];
    if (place->layer != NEURON_ANY && place->last_layer == NEURON_ANY)
        (void)snprintf(layer, sizeof layer, "%" PRId64 ".", place->layer);
    else if (place->layer != NEURON_ANY)
        (void)snprintf(layer, sizeof layer, "%" PRId64 "-%" PRId64 ".", place->layer, place->last_layer);
    neurons_name_expert(place->expert, name);
    if (place->expert != NEURON_ANY)
        (void)snprintf(expert, sizeof expert, "%s%s.", layer[0] == '\0' ? "." : "", name);
    if (place->index != NEURON_ANY) (void)snprintf(index, sizeof index, " %" PRId64, place->index);
    (void)snprintf(text, NEURON_FILTER_TEXT, "%s%s%s%s%s%s", layer, expert, module, index,
                   filter->reset ? " reset" : "", filter->dormant ? " dormant" : "");
    if (text[0] == ' ') memmove(text, text + 1, strlen(text));
}
