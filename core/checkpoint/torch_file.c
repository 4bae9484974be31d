#include "core/checkpoint/torch_file.h"

#include "core/files/pickle.h"
#include "core/files/zip_archive.h"
#include "core/support/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PICKLE_LIMIT = 64 << 20, LONGEST_MEMBER = 1024 };

/* What the names in the pickle mean; a storage's meaning is its dtype. */
enum { ORDERED_DICT = DTYPE_COUNT, TENSOR, PARAMETER };

static const PickleName NAMES[] = {
    {"collections OrderedDict", true, ORDERED_DICT},
    {"torch._utils _rebuild_tensor_v2", false, TENSOR},
    {"torch._utils _rebuild_parameter", false, PARAMETER},
    {"torch DoubleStorage", false, DTYPE_F64},
    {"torch FloatStorage", false, DTYPE_F32},
    {"torch HalfStorage", false, DTYPE_F16},
    {"torch BFloat16Storage", false, DTYPE_BF16},
    {"torch LongStorage", false, DTYPE_I64},
    {"torch IntStorage", false, DTYPE_I32},
    {"torch ShortStorage", false, DTYPE_I16},
    {"torch CharStorage", false, DTYPE_I8},
    {"torch ByteStorage", false, DTYPE_U8},
    {"torch BoolStorage", false, DTYPE_BOOL},
    {"torch ComplexFloatStorage", false, DTYPE_C64},
};

typedef struct Reading {
    SafetensorsFile *file;
    ZipArchive archive;
    Pickle pickle;
    const ZipMember *pickled;
    const char *root; /* the folder in the archive */
    int root_length;
    size_t copied, copy_capacity; /* bytes, blocks of file->copies */
    Error *error;
} Reading;

static Status refuse(const Reading *reading, const char *name, Status status, const char *why) {
    return status_fail(reading->error, status, "%s: tensor %s: %s", reading->file->path, name, why);
}

static const ZipMember *find_member(const Reading *reading, const char *folder, const char *name,
                                    size_t length) {
    char path[LONGEST_MEMBER];
    int written = snprintf(path, sizeof path, "%.*s/%s%.*s", reading->root_length, reading->root, folder,
                           length < LONGEST_MEMBER ? (int)length : LONGEST_MEMBER, name);
    return written > 0 && (size_t)written < sizeof path
               ? zip_archive_find(&reading->archive, path, (size_t)written)
               : NULL;
}

/* ---- a tensor ---- */

static const PickleValue *item(const Reading *reading, const PickleValue *value, size_t index,
                               PickleKind kind) {
    const PickleValue *found = index < value->length ? &reading->pickle.items[value->first + index] : NULL;
    return found != NULL && found->kind == kind ? found : NULL;
}

static int meaning_of(const PickleValue *name) {
    return name != NULL && name->kind == PICKLE_NAME ? NAMES[name->number].meaning : ORDERED_DICT;
}

/* ("storage", its class, the member, the device, elements) */
static bool find_storage(const Reading *reading, const PickleValue *outside, const ZipMember **member,
                         DType *dtype) {
    const PickleValue *of = outside != NULL ? item(reading, outside, 0, PICKLE_TUPLE) : NULL;
    const PickleValue *kind = of != NULL && of->length == 5 ? item(reading, of, 0, PICKLE_TEXT) : NULL;
    if (kind == NULL || kind->length != 7 || memcmp(kind->text, "storage", 7) != 0) return false;
    const PickleValue *key = item(reading, of, 2, PICKLE_TEXT), *count = item(reading, of, 4, PICKLE_INTEGER);
    int meaning = meaning_of(item(reading, of, 1, PICKLE_NAME));
    size_t bytes;
    if (key == NULL || count == NULL || count->number < 0 || meaning >= ORDERED_DICT) return false;
    *dtype = (DType)meaning;
    *member = find_member(reading, "data/", key->text, key->length);
    return *member != NULL && memory_multiply((size_t)count->number, dtype_size(*dtype), &bytes) &&
           bytes == (*member)->bytes;
}

static bool read_extents(const Reading *reading, const PickleValue *tuple, uint64_t *extents) {
    for (size_t i = 0; i < tuple->length; i++) {
        const PickleValue *extent = item(reading, tuple, i, PICKLE_INTEGER);
        if (extent == NULL || extent->number < 0) return false;
        extents[i] = (uint64_t)extent->number;
    }
    return true;
}

typedef struct View {
    uint64_t offset, strides[SAFETENSORS_MAX_RANK]; /* elements */
    bool is_in_order; /* the strides are the shape's: one element after the other */
} View;

/* Whether the view lies within its storage; entry->elements and bytes are the shape's product. */
static bool measure(SafetensorsEntry *entry, View *view, const ZipMember *storage) {
    size_t elements = 1, last = view->offset;
    view->is_in_order = true;
    for (unsigned i = entry->rank; i-- > 0;) {
        if (entry->shape[i] != 1 && view->strides[i] != elements) view->is_in_order = false;
        if (!memory_multiply(elements, entry->shape[i], &elements)) return false;
    }
    entry->elements = elements;
    if (!memory_multiply(elements, dtype_size(entry->dtype), &entry->bytes)) return false;
    entry->data = storage->data;
    if (elements == 0) return view->is_in_order = true;
    for (unsigned i = 0; i < entry->rank; i++) {
        size_t reach;
        if (!memory_multiply(entry->shape[i] - 1, view->strides[i], &reach) ||
            !memory_add(last, reach, &last))
            return false;
    }
    if (last >= storage->bytes / dtype_size(entry->dtype)) return false;
    entry->data = storage->data + view->offset * dtype_size(entry->dtype);
    return true;
}

/* The elements in the order of the shape, in a block of their own. */
static Status copy_in_order(Reading *reading, SafetensorsEntry *entry, const View *view) {
    SafetensorsFile *file = reading->file;
    size_t size = dtype_size(entry->dtype);
    if (entry->bytes > file->size - reading->copied)
        return refuse(reading, entry->name, STATUS_UNSUPPORTED,
                      "its strides repeat elements: in order they are larger than the file");
    Status status =
        MEMORY_RESERVE(file->copies, &reading->copy_capacity, file->copy_count + 1, reading->error);
    if (status != STATUS_OK) return status;
    unsigned char *to = file->copies[file->copy_count] = memory_allocate_aligned(entry->bytes, 1);
    if (to == NULL) return memory_fail(reading->error, entry->name);
    file->copy_count++;
    uint64_t at[SAFETENSORS_MAX_RANK] = {0}, from = 0;
    for (uint64_t done = 0; done < entry->elements; done++) {
        memcpy(to + done * size, entry->data + from * size, size);
        for (unsigned i = entry->rank; i-- > 0;) {
            from += view->strides[i];
            if (++at[i] < entry->shape[i]) break;
            from -= entry->shape[i] * view->strides[i];
            at[i] = 0;
        }
    }
    entry->data = to;
    reading->copied += entry->bytes;
    return STATUS_OK;
}

/* (storage, offset, shape, strides, whether it has a gradient, hooks[, notes]) */
static Status read_tensor(Reading *reading, const PickleValue *of, SafetensorsEntry *entry) {
    const PickleValue *offset = item(reading, of, 1, PICKLE_INTEGER);
    const PickleValue *shape = item(reading, of, 2, PICKLE_TUPLE),
                      *strides = item(reading, of, 3, PICKLE_TUPLE);
    const ZipMember *storage;
    View view;
    if (offset == NULL || offset->number < 0 || shape == NULL || strides == NULL ||
        shape->length != strides->length || of->length < 6)
        return refuse(reading, entry->name, STATUS_FORMAT,
                      "expected a storage, an offset, a shape and strides");
    if (of->length > 6) /* conjugated, or negative: its elements are others than stored */
        return refuse(reading, entry->name, STATUS_UNSUPPORTED, "it is stored with notes of PyTorch's own");
    if (shape->length > SAFETENSORS_MAX_RANK)
        return refuse(reading, entry->name, STATUS_UNSUPPORTED, "it has more than 8 dimensions");
    if (!find_storage(reading, item(reading, of, 0, PICKLE_EXTERNAL), &storage, &entry->dtype))
        return refuse(reading, entry->name, STATUS_FORMAT,
                      "its storage is not in the file, or of another size than its pickle says");
    entry->rank = (unsigned)shape->length;
    entry->dtype_name = dtype_name(entry->dtype);
    view.offset = (uint64_t)offset->number;
    if (!read_extents(reading, shape, entry->shape) || !read_extents(reading, strides, view.strides) ||
        !measure(entry, &view, storage))
        return refuse(reading, entry->name, STATUS_FORMAT, "it reaches past its storage");
    return view.is_in_order ? STATUS_OK : copy_in_order(reading, entry, &view);
}

/* ---- the dict ---- */

static const char *describe(const PickleValue *value) {
    return value->kind == PICKLE_DICT ? "a dict of its own" : "another value";
}

static Status read_value(Reading *reading, const PickleValue *value, SafetensorsEntry *entry) {
    for (int depth = 0; depth < 2; depth++) {
        const PickleValue *arguments =
            value->kind == PICKLE_CALL ? item(reading, value, 1, PICKLE_TUPLE) : NULL;
        int meaning = arguments != NULL ? meaning_of(item(reading, value, 0, PICKLE_NAME)) : ORDERED_DICT;
        if (meaning == TENSOR) return read_tensor(reading, arguments, entry);
        if (meaning != PARAMETER || arguments->length == 0) break;
        value = &reading->pickle.items[arguments->first]; /* a parameter's tensor */
    }
    return status_fail(reading->error, STATUS_UNSUPPORTED, "%s: %s: expected a tensor, found %s",
                       reading->file->path, entry->name, describe(value));
}

static Status read_entry(Reading *reading, const PicklePair *pair, char **next_name) {
    SafetensorsFile *file = reading->file;
    SafetensorsEntry *entry = &file->entries[file->count++];
    if (pair->key.kind != PICKLE_TEXT || memchr(pair->key.text, '\0', pair->key.length) != NULL)
        return status_fail(reading->error, STATUS_UNSUPPORTED,
                           "%s: expected names of tensors, found another key", file->path);
    entry->name = memcpy(*next_name, pair->key.text, pair->key.length);
    *next_name += pair->key.length + 1; /* zeroed */
    if (!safetensors_is_name(entry->name))
        return refuse(reading, entry->name, STATUS_FORMAT, "its name is empty or not printable");
    return read_value(reading, &pair->value, entry);
}

static Status read_dict(Reading *reading) {
    const Pickle *pickle = &reading->pickle;
    SafetensorsFile *file = reading->file;
    if (pickle->root.kind != PICKLE_DICT)
        return status_fail(reading->error, STATUS_UNSUPPORTED, "%s: expected a dict of tensors, found %s",
                           file->path, describe(&pickle->root));
    size_t count = 0, text = 0;
    for (size_t i = 0; i < pickle->pair_count; i++) {
        if (pickle->pairs[i].dict != pickle->root.number) continue;
        count++;
        text += pickle->pairs[i].key.length + 1;
    }
    if (text > reading->pickled->bytes) /* what is named once is there once */
        return status_fail(reading->error, STATUS_FORMAT, "%s: tensors of one name", file->path);
    file->entries = memory_allocate(count, sizeof *file->entries);
    file->names = memory_allocate(text, 1);
    if (file->entries == NULL || file->names == NULL) return memory_fail(reading->error, file->path);
    char *next_name = file->names;
    Status status = STATUS_OK;
    for (size_t i = 0; i < pickle->pair_count && status == STATUS_OK; i++)
        if (pickle->pairs[i].dict == pickle->root.number)
            status = read_entry(reading, &pickle->pairs[i], &next_name);
    return status;
}

/* ---- the file ---- */

static Status find_root(Reading *reading) {
    static const char NAME[] = "/data.pkl", LITTLE[] = "little";
    size_t tail = sizeof NAME - 1;
    for (size_t i = 0; i < reading->archive.count && reading->pickled == NULL; i++) {
        const ZipMember *member = &reading->archive.members[i];
        size_t root = member->name_length > tail ? member->name_length - tail : 0;
        if (root == 0 || root >= LONGEST_MEMBER || memcmp(member->name + root, NAME, tail) != 0 ||
            memchr(member->name, '/', root) != NULL)
            continue;
        reading->pickled = member;
        reading->root = member->name;
        reading->root_length = (int)root;
    }
    if (reading->pickled == NULL || reading->pickled->bytes > PICKLE_LIMIT)
        return status_fail(
            reading->error, STATUS_UNSUPPORTED,
            "%s: expected what torch.save() writes of tensors, found a zip %s", reading->file->path,
            reading->pickled == NULL ? "without data.pkl" : "whose data.pkl is larger than 64 MB");
    const ZipMember *order = find_member(reading, "byteorder", "", 0);
    if (order != NULL &&
        (order->bytes != sizeof LITTLE - 1 || memcmp(order->data, LITTLE, order->bytes) != 0))
        return status_fail(reading->error, STATUS_UNSUPPORTED,
                           "%s: expected numbers in little-endian order, found a file that says otherwise",
                           reading->file->path);
    return STATUS_OK;
}

/* What torch.save() wrote before it wrote zips: a bare pickle, and before that a tar. */
static Status check_form(const SafetensorsFile *file, Error *error) {
    static const char ZIP[] = "PK\3\4", TAR[] = "ustar", EXPECTED[] = "the zip that torch.save() writes";
    const unsigned char *at = file->map;
    if (file->size >= 4 && memcmp(at, ZIP, 4) == 0) return STATUS_OK;
    bool is_tar = file->size > 262 && memcmp(at + 257, TAR, sizeof TAR - 1) == 0;
    if (is_tar || (file->size > 2 && at[0] == 0x80 && at[1] <= 5))
        return status_fail(error, STATUS_UNSUPPORTED, "%s: expected %s, found %s", file->path, EXPECTED,
                           is_tar ? "a tar, PyTorch's form before 0.4"
                                  : "a bare pickle, its form before 1.6");
    return safetensors_check_start(file, EXPECTED, error);
}

static Status read_file(Reading *reading) {
    SafetensorsFile *file = reading->file;
    Status status = check_form(file, reading->error);
    if (status == STATUS_OK)
        status = zip_archive_read(file->map, file->size, file->path, &reading->archive, reading->error);
    if (status == STATUS_OK) status = find_root(reading);
    if (status == STATUS_OK)
        status = pickle_read(reading->pickled->data, reading->pickled->bytes, file->path, NAMES,
                             sizeof NAMES / sizeof *NAMES, &reading->pickle, reading->error);
    if (status == STATUS_OK) status = read_dict(reading);
    zip_archive_free(&reading->archive);
    pickle_free(&reading->pickle);
    return status;
}

Status torch_file_open(const char *path, SafetensorsFile **file, Error *error) {
    Reading reading = {.error = error};
    *file = NULL;
    Status status = safetensors_open_beside(path, &reading.file, error);
    if (status == STATUS_OK) status = read_file(&reading);
    if (status != STATUS_OK)
        safetensors_close(reading.file);
    else
        *file = reading.file;
    return status;
}
