#include "core/checkpoint/safetensors.h"

#include "core/files/json.h"
#include "core/files/stand_in.h"
#include "core/support/memory.h"
#include "core/support/memory_limit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utf8proc.h>

enum { LENGTH_BYTES = 8, HEADER_LIMIT = 100000000 };

static Status map_file(SafetensorsFile *file, bool has_header, Error *error) {
    /* a pipe has to be refused, not waited for */
    int descriptor = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return status_fail_errno(error, errno, "%s", file->path);
    Status status = STATUS_OK;
    struct stat facts;
    if (fstat(descriptor, &facts) != 0) {
        status = status_fail_errno(error, errno, "%s", file->path);
    } else if (!S_ISREG(facts.st_mode)) {
        status = status_fail(error, STATUS_FORMAT, "%s: expected a regular file", file->path);
    } else if (!has_header && facts.st_size == 0) {
        status = status_fail(error, STATUS_FORMAT, "%s: is empty", file->path);
    } else if (has_header && facts.st_size < LENGTH_BYTES + 2) {
        status = status_fail(error, STATUS_FORMAT, "%s: expected a safetensors file, found only %jd bytes",
                             file->path, (intmax_t)facts.st_size);
    } else {
        file->size = (size_t)facts.st_size;
        file->stamp = file_stamp_make(&facts);
        /* file systems of FUSE with direct_io refuse MAP_SHARED; for reading it is all the same */
        void *map = mmap(NULL, file->size, PROT_READ, MAP_PRIVATE, descriptor, 0);
        if (map == MAP_FAILED && errno == ENOMEM)
            status = memory_limit_refuse(file->size, file->path, error);
        else if (map == MAP_FAILED)
            status = status_fail_errno(error, errno, "%s: mapping", file->path);
        else
            file->map = map;
    }
    (void)close(descriptor); /* the mapping stays */
    return status;
}

static uint64_t read_header_length(const unsigned char *bytes) {
    uint64_t length = 0;
    for (int i = LENGTH_BYTES - 1; i >= 0; i--) length = length << 8 | bytes[i];
    return length;
}

bool safetensors_is_name(const char *name) {
    if (*name == '\0') return false;
    for (const utf8proc_uint8_t *c = (const utf8proc_uint8_t *)name; *c != '\0';) {
        utf8proc_int32_t character;
        utf8proc_ssize_t length = utf8proc_iterate(c, -1, &character);
        if (length <= 0 || character < 0x20 || (character >= 0x7f && character < 0xa0)) return false;
        c += length;
    }
    return true;
}

/* Elements of less than a byte, back to back: safetensors wants them to end with one. */
static Status pack_bits(const SafetensorsFile *file, SafetensorsEntry *entry, Error *error) {
    size_t bits;
    if (!memory_multiply(entry->elements, dtype_bits(entry->dtype), &bits) || bits % 8 != 0)
        return status_fail(error, STATUS_FORMAT,
                           "%s: tensor %s: expected whole bytes, found %" PRIu64 " elements of %u bits",
                           file->path, entry->name, entry->elements, dtype_bits(entry->dtype));
    entry->bytes = bits / 8;
    return STATUS_OK;
}

bool safetensors_is_dtype_name(const char *name) {
    static const char WORD[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
    size_t length = strspn(name, WORD);
    return length > 0 && length < SAFETENSORS_DTYPE_SIZE && name[length] == '\0';
}

static Status read_shape(const SafetensorsFile *file, const cJSON *item, SafetensorsEntry *entry,
                         Error *error) {
    const cJSON *shape = json_find(item, "shape");
    if (!cJSON_IsArray(shape))
        return status_fail(error, STATUS_FORMAT, "%s: tensor %s: expected an array \"shape\"", file->path,
                           entry->name);
    size_t elements = 1, bytes = dtype_size(entry->dtype);
    const cJSON *dimension;
    cJSON_ArrayForEach(dimension, shape) {
        uint64_t extent;
        if (entry->rank == SAFETENSORS_MAX_RANK)
            return status_fail(error, STATUS_UNSUPPORTED, "%s: tensor %s: more than %d dimensions",
                               file->path, entry->name, SAFETENSORS_MAX_RANK);
        if (!json_read_count(dimension, &extent) || !memory_multiply(elements, extent, &elements) ||
            !memory_multiply(bytes, extent, &bytes))
            return status_fail(error, STATUS_FORMAT, "%s: tensor %s: dimension %u is no size that fits",
                               file->path, entry->name, entry->rank);
        entry->shape[entry->rank++] = extent;
    }
    entry->elements = elements;
    entry->bytes = bytes;
    return dtype_bits(entry->dtype) % 8 != 0 ? pack_bits(file, entry, error) : STATUS_OK;
}

/* Copies the dtype's name to *next_name where it is not known. */
static Status read_entry(const SafetensorsFile *file, const cJSON *item, const unsigned char *data,
                         uint64_t data_size, char **next_name, SafetensorsEntry *entry, Error *error) {
    const char *dtype = json_get_text(item, "dtype", NULL);
    if (dtype == NULL)
        return status_fail(error, STATUS_FORMAT, "%s: tensor %s: expected a \"dtype\"", file->path,
                           entry->name);
    entry->dtype = dtype_find(dtype);
    entry->dtype_name = dtype_name(entry->dtype);
    if (entry->dtype == DTYPE_UNKNOWN) {
        if (!safetensors_is_dtype_name(dtype))
            return status_fail(error, STATUS_FORMAT,
                               "%s: tensor %s: dtype \"%.40s\" is no word of letters "
                               "and digits",
                               file->path, entry->name, dtype);
        entry->dtype = DTYPE_OTHER;
        size_t length = strlen(dtype) + 1;
        entry->dtype_name = memcpy(*next_name, dtype, length);
        *next_name += length;
    }
    Status status = read_shape(file, item, entry, error);
    if (status != STATUS_OK) return status;
    const cJSON *offsets = json_find(item, "data_offsets");
    uint64_t begin, end;
    if (!cJSON_IsArray(offsets) || cJSON_GetArraySize(offsets) != 2 ||
        !json_read_count(offsets->child, &begin) || !json_read_count(offsets->child->next, &end))
        return status_fail(error, STATUS_FORMAT, "%s: tensor %s: expected two \"data_offsets\"", file->path,
                           entry->name);
    if (begin > end || end > data_size)
        return status_fail(error, STATUS_FORMAT,
                           "%s: tensor %s: offsets %" PRIu64 " to %" PRIu64 " are outside the %" PRIu64
                           " bytes of data (a truncated file: copy or download it again)",
                           file->path, entry->name, begin, end, data_size);
    if (entry->dtype == DTYPE_OTHER) entry->bytes = end - begin;
    if (end - begin != entry->bytes)
        return status_fail(error, STATUS_FORMAT,
                           "%s: tensor %s: expected %" PRIu64
                           " bytes for its shape and dtype, found %" PRIu64,
                           file->path, entry->name, entry->bytes, end - begin);
    entry->data = data + begin;
    return STATUS_OK;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(((const SafetensorsEntry *)a)->name, ((const SafetensorsEntry *)b)->name);
}

static int compare_offsets(const void *a, const void *b) {
    const SafetensorsEntry *left = a, *right = b;
    if (left->data != right->data) return left->data < right->data ? -1 : 1;
    if (left->bytes != right->bytes) return left->bytes < right->bytes ? -1 : 1; /* empty ones first */
    return strcmp(left->name, right->name);
}

static Status check_layout(SafetensorsFile *file, const unsigned char *data, uint64_t data_size,
                           Error *error) {
    qsort(file->entries, file->count, sizeof *file->entries, compare_names);
    for (size_t i = 1; i < file->count; i++) {
        if (strcmp(file->entries[i - 1].name, file->entries[i].name) == 0)
            return status_fail(error, STATUS_FORMAT, "%s: tensor %s is there twice", file->path,
                               file->entries[i].name);
    }
    qsort(file->entries, file->count, sizeof *file->entries, compare_offsets);
    uint64_t reached = 0;
    for (size_t i = 0; i < file->count; i++) {
        const SafetensorsEntry *entry = &file->entries[i];
        uint64_t begin = (uint64_t)(entry->data - data);
        if (begin != reached)
            return status_fail(error, STATUS_FORMAT,
                               "%s: tensor %s: expected to begin at byte %" PRIu64
                               " of the data, begins at %" PRIu64 " (%s)",
                               file->path, entry->name, reached, begin,
                               begin < reached ? "an overlap" : "a hole");
        reached = begin + entry->bytes;
    }
    if (reached != data_size)
        return status_fail(error, STATUS_FORMAT,
                           "%s: expected %" PRIu64 " bytes of data after the header, found %" PRIu64,
                           file->path, reached, data_size);
    return STATUS_OK;
}

static Status read_entries(SafetensorsFile *file, const cJSON *header, const unsigned char *data,
                           uint64_t data_size, Error *error) {
    size_t count = 0, text = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, header) {
        count++;
        /* cannot overflow: the names are in memory already */
        text += strlen(item->string) + 1 + strlen(json_get_text(item, "dtype", "")) + 1;
    }
    file->entries = memory_allocate(count, sizeof *file->entries);
    file->names = memory_allocate(text, 1);
    if (file->entries == NULL || file->names == NULL) return memory_fail(error, file->path);
    char *next_name = file->names;
    cJSON_ArrayForEach(item, header) {
        if (strcmp(item->string, "__metadata__") == 0) continue;
        if (!safetensors_is_name(item->string))
            return status_fail(error, STATUS_FORMAT, "%s: tensor name \"%s\" is empty or not printable",
                               file->path, item->string);
        SafetensorsEntry *entry = &file->entries[file->count++];
        size_t length = strlen(item->string) + 1;
        entry->name = memcpy(next_name, item->string, length);
        next_name += length;
        Status status = read_entry(file, item, data, data_size, &next_name, entry, error);
        if (status != STATUS_OK) return status;
    }
    return check_layout(file, data, data_size, error);
}

/* What stands at the beginning of files that are called .safetensors and are none. */
static const struct {
    const char *start, *what;
} OTHERS[] = {
    {STAND_IN_POINTER, "a git-lfs pointer: git lfs pull, in its directory, fetches the file"},
    {"# xet version",
     "a git-xet pointer: git lfs pull, in its directory, fetches the file with git-xet installed"},
    {"GGUF", "GGUF: transformers loads it as gguf_file, or take the model that it was made from"},
    {"PK\3\4", "a pickle of PyTorch: torch.load() and safetensors.torch.save_file() make one of it"},
    {"\x89HDF", "HDF5, weights of TensorFlow or Keras"},
    {"<!DOCTYPE", "a page of HTML: what was downloaded is the site's answer, not the file"},
    {"<!doctype", "a page of HTML: what was downloaded is the site's answer, not the file"},
    {"<html", "a page of HTML: what was downloaded is the site's answer, not the file"},
    {"\x1f\x8b", "gzip: gunzip unpacks it"},
    {"\x28\xb5\x2f\xfd", "zstd: zstd -d unpacks it"},
};

Status safetensors_check_start(const SafetensorsFile *file, const char *what, Error *error) {
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++) {
        size_t length = strlen(OTHERS[i].start);
        if (file->size >= length && memcmp(file->map, OTHERS[i].start, length) == 0)
            return status_fail(error, STATUS_FORMAT, "%s: expected %s, found %s", file->path, what,
                               OTHERS[i].what);
    }
    return STATUS_OK;
}

static Status read_header(SafetensorsFile *file, Error *error) {
    uint64_t length = read_header_length(file->map);
    Status other = safetensors_check_start(file, "a safetensors file", error);
    if (other != STATUS_OK) return other;
    if (length > HEADER_LIMIT || length > file->size - LENGTH_BYTES)
        return status_fail(error, STATUS_FORMAT,
                           "%s: expected a header of at most %d bytes inside the file's %zu, found %" PRIu64
                           " (truncated: copy or download it again; or no safetensors file)",
                           file->path, HEADER_LIMIT, file->size, length);
    const char *text = (const char *)file->map + LENGTH_BYTES;
    /* cJSON's strings end at a NUL: a name that holds one would be cut without a word */
    if (memchr(text, '\0', (size_t)length) != NULL || memmem(text, (size_t)length, "\\u0000", 6) != NULL)
        return status_fail(error, STATUS_FORMAT, "%s: U+0000 in the header", file->path);
    cJSON *header;
    Status status = json_parse(text, (size_t)length, file->path, &header, error);
    if (status != STATUS_OK) return status;
    if (!cJSON_IsObject(header))
        status = status_fail(error, STATUS_FORMAT, "%s: expected the header to be a JSON object", file->path);
    else
        status = read_entries(file, header, file->map + LENGTH_BYTES + length,
                              file->size - LENGTH_BYTES - length, error);
    cJSON_Delete(header);
    return status;
}

static Status open_file(const char *path, bool has_header, SafetensorsFile **file, Error *error) {
    *file = NULL;
    SafetensorsFile *opened = memory_allocate(1, sizeof *opened);
    if (opened == NULL || (opened->path = memory_copy_text(path, strlen(path))) == NULL) {
        safetensors_close(opened);
        return memory_fail(error, path);
    }
    Status status = map_file(opened, has_header, error);
    if (status == STATUS_OK && has_header) status = read_header(opened, error);
    if (status != STATUS_OK) {
        safetensors_close(opened);
        return status;
    }
    *file = opened;
    return STATUS_OK;
}

Status safetensors_open(const char *path, SafetensorsFile **file, Error *error) {
    return open_file(path, true, file, error);
}

Status safetensors_open_beside(const char *path, SafetensorsFile **file, Error *error) {
    return open_file(path, false, file, error);
}

bool safetensors_is_unchanged(const SafetensorsFile *file) {
    FileStamp now;
    return file_stamp_read(file->path, &now) && file_stamp_equal(&now, &file->stamp);
}

bool safetensors_find_offset(const SafetensorsFile *file, const unsigned char *data, uint64_t *offset) {
    *offset = (uint64_t)((uintptr_t)data - (uintptr_t)file->map);
    return (uintptr_t)data >= (uintptr_t)file->map && *offset <= file->size;
}

void safetensors_forget_pages(const SafetensorsFile *file) {
    /* advice only: where it is not taken, nothing but the size of the process changes */
    (void)madvise((void *)(uintptr_t)file->map, file->size, MADV_DONTNEED);
}

/* The pages of some bytes of the mapping. Of what is no file's, advice to forget would be taken as an order. */
typedef struct Pages {
    void *begin;
    size_t size, page;
} Pages;

static bool find_pages(const SafetensorsFile *file, const unsigned char *bytes, uint64_t count,
                       Pages *pages) {
    uint64_t first;
    if (count == 0 || !safetensors_find_offset(file, bytes, &first) || count > file->size - first)
        return false;
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), begin = first - first % page;
    *pages = (Pages){(void *)((uintptr_t)file->map + begin), (size_t)(first + count - begin), (size_t)page};
    return true;
}

/* A few pages speak for all: to ask for each costs as much as reading some of it. Of files that the user may not write,
 * the system says that all are there; those are read as they are come to. */
static bool are_in_memory(const Pages *pages) {
    enum { ASKED = 3 };
    for (size_t i = 0; i < ASKED; i++) {
        unsigned char is_there = 0;
        size_t at = (pages->size - 1) / (ASKED - 1) * i;
        void *one = (char *)pages->begin + (at - at % pages->page);
        if (mincore(one, 1, &is_there) != 0 || (is_there & 1) == 0) return false;
    }
    return true;
}

void safetensors_forget_range(const SafetensorsFile *file, const unsigned char *bytes, uint64_t count) {
    Pages pages;
    if (find_pages(file, bytes, count, &pages)) (void)madvise(pages.begin, pages.size, MADV_DONTNEED);
}

void safetensors_expect_range(const SafetensorsFile *file, const unsigned char *bytes, uint64_t count) {
    Pages pages;
    if (find_pages(file, bytes, count, &pages) && !are_in_memory(&pages))
        (void)madvise(pages.begin, pages.size, MADV_WILLNEED);
}

void safetensors_close(SafetensorsFile *file) {
    if (file == NULL) return;
    if (file->map != NULL) (void)munmap((void *)(uintptr_t)file->map, file->size);
    for (size_t i = 0; i < file->copy_count; i++) free(file->copies[i]);
    free(file->copies);
    free(file->entries);
    free(file->names);
    free(file->path);
    free(file);
}
