#include "core/files/zip_archive.h"

#include "core/support/memory.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* APPNOTE.TXT 6.3.10 of PKWARE: 4.3.7, 4.3.12, 4.3.14 to 4.3.16, 4.5.3 */
enum {
    LOCAL_SIZE = 30,
    ENTRY_SIZE = 46,
    END_SIZE = 22,
    LOCATOR_SIZE = 20,
    WIDE_END_SIZE = 56,
    LONGEST_COMMENT = 65535,
    WIDE_EXTRA = 1,
    ENCRYPTED = 1
};

static const uint32_t LOCAL_MARK = 0x04034b50, ENTRY_MARK = 0x02014b50, END_MARK = 0x06054b50,
                      LOCATOR_MARK = 0x07064b50, WIDE_END_MARK = 0x06064b50, WIDE = 0xffffffff;

typedef struct Zip {
    const unsigned char *bytes;
    size_t size;
    const char *name;
    uint64_t count, directory, directory_end; /* offsets */
} Zip;

static uint64_t read_number(const unsigned char *at, int bytes) {
    uint64_t number = 0;
    for (int i = bytes - 1; i >= 0; i--) number = number << 8 | at[i];
    return number;
}

static uint32_t read_mark(const unsigned char *at) {
    return (uint32_t)read_number(at, 4);
}

static Status refuse(const Zip *zip, Error *error, const char *why) {
    return status_fail(error, STATUS_FORMAT,
                       "%s: expected a zip, found %s (truncated or damaged: copy or "
                       "download it again)",
                       zip->name, why);
}

/* ---- where the directory is ---- */

/* The record that ends the file; behind it there is its comment alone. */
static bool find_end(const Zip *zip, size_t *end) {
    if (zip->size < END_SIZE) return false;
    for (size_t comment = 0; comment <= LONGEST_COMMENT && comment <= zip->size - END_SIZE; comment++) {
        *end = zip->size - END_SIZE - comment;
        const unsigned char *at = zip->bytes + *end;
        if (read_mark(at) == END_MARK && read_number(at + 20, 2) == comment) return true;
    }
    return false;
}

static Status read_wide_end(Zip *zip, size_t end, uint64_t *directory_size, Error *error) {
    const unsigned char *locator = zip->bytes + end - LOCATOR_SIZE;
    uint64_t at = read_number(locator + 8, 8);
    if (at > end - LOCATOR_SIZE || end - LOCATOR_SIZE - at < WIDE_END_SIZE ||
        read_mark(zip->bytes + at) != WIDE_END_MARK)
        return refuse(zip, error, "no directory where its end says it is");
    zip->count = read_number(zip->bytes + at + 32, 8);
    *directory_size = read_number(zip->bytes + at + 40, 8);
    zip->directory = read_number(zip->bytes + at + 48, 8);
    return STATUS_OK;
}

static Status find_directory(Zip *zip, Error *error) {
    size_t end;
    if (!find_end(zip, &end)) return refuse(zip, error, "no end of its directory");
    const unsigned char *record = zip->bytes + end;
    zip->count = read_number(record + 10, 2);
    zip->directory = read_number(record + 16, 4);
    uint64_t directory_size = read_number(record + 12, 4);
    bool is_wide = end >= LOCATOR_SIZE && read_mark(record - LOCATOR_SIZE) == LOCATOR_MARK;
    Status status = is_wide ? read_wide_end(zip, end, &directory_size, error) : STATUS_OK;
    if (status != STATUS_OK) return status;
    if (zip->directory > end || directory_size > end - zip->directory ||
        zip->count > directory_size / ENTRY_SIZE)
        return refuse(zip, error, "a directory that does not fit");
    zip->directory_end = zip->directory + directory_size;
    return STATUS_OK;
}

/* ---- its entries ---- */

typedef struct Entry {
    const unsigned char *at; /* in the directory */
    size_t name_length, extra_length, length;
    uint64_t packed, bytes, local;
} Entry;

/* The fields of zip64 stand there in this order, those alone that did not fit. */
static bool read_wide_extra(Entry *entry) {
    uint64_t *const fields[] = {&entry->bytes, &entry->packed, &entry->local};
    const unsigned char *extra = entry->at + ENTRY_SIZE + entry->name_length;
    const unsigned char *end = extra + entry->extra_length;
    bool is_wide = entry->bytes == WIDE || entry->packed == WIDE || entry->local == WIDE;
    while (is_wide && end - extra >= 4) {
        uint64_t kind = read_number(extra, 2), left = read_number(extra + 2, 2);
        extra += 4;
        if (left > (uint64_t)(end - extra)) return false;
        for (int i = 0; kind == WIDE_EXTRA && i < 3; i++) {
            if (*fields[i] != WIDE) continue;
            if (left < 8) return false;
            *fields[i] = read_number(extra, 8);
            extra += 8;
            left -= 8;
        }
        if (kind == WIDE_EXTRA) return true;
        extra += left;
    }
    return !is_wide;
}

static bool read_entry(const Zip *zip, uint64_t offset, Entry *entry) {
    uint64_t room = zip->directory_end - offset;
    const unsigned char *at = zip->bytes + offset;
    if (room < ENTRY_SIZE || read_mark(at) != ENTRY_MARK) return false;
    *entry = (Entry){.at = at,
                     .packed = read_number(at + 20, 4),
                     .bytes = read_number(at + 24, 4),
                     .local = read_number(at + 42, 4),
                     .name_length = read_number(at + 28, 2),
                     .extra_length = read_number(at + 30, 2)};
    entry->length = ENTRY_SIZE + entry->name_length + entry->extra_length + read_number(at + 32, 2);
    return entry->length <= room && read_wide_extra(entry);
}

/* The local header says once more how long the name is, and lies before the directory with all that it heads. */
static bool locate(const Zip *zip, const Entry *entry, ZipMember *member) {
    if (entry->local > zip->directory || zip->directory - entry->local < LOCAL_SIZE) return false;
    const unsigned char *local = zip->bytes + entry->local;
    uint64_t skip = LOCAL_SIZE + read_number(local + 26, 2) + read_number(local + 28, 2);
    uint64_t room = zip->directory - entry->local;
    if (read_mark(local) != LOCAL_MARK || skip > room || entry->bytes > room - skip) return false;
    *member = (ZipMember){.name = (const char *)entry->at + ENTRY_SIZE,
                          .name_length = entry->name_length,
                          .data = local + skip,
                          .bytes = entry->bytes};
    return true;
}

static Status add_member(const Zip *zip, const Entry *entry, ZipMember *member, Error *error) {
    const char *name = (const char *)entry->at + ENTRY_SIZE;
    if ((read_number(entry->at + 8, 2) & ENCRYPTED) != 0 || read_number(entry->at + 10, 2) != 0)
        return status_fail(error, STATUS_UNSUPPORTED,
                           "%s: expected members as they are, found %.*s compressed or encrypted", zip->name,
                           entry->name_length < 100 ? (int)entry->name_length : 100, name);
    if (entry->packed != entry->bytes || !locate(zip, entry, member))
        return refuse(zip, error, "a member that reaches past its place");
    return STATUS_OK;
}

static int compare_text(const char *a, size_t a_length, const char *b, size_t b_length) {
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return order != 0 || a_length == b_length ? order : a_length < b_length ? -1 : 1;
}

static int compare_members(const void *a, const void *b) {
    const ZipMember *left = a, *right = b;
    return compare_text(left->name, left->name_length, right->name, right->name_length);
}

Status zip_archive_read(const unsigned char *bytes, size_t size, const char *name, ZipArchive *archive,
                        Error *error) {
    Zip zip = {.bytes = bytes, .size = size, .name = name};
    Status status = find_directory(&zip, error);
    if (status != STATUS_OK) return status;
    archive->members = memory_allocate(zip.count, sizeof *archive->members);
    if (archive->members == NULL) return memory_fail(error, name);
    uint64_t offset = zip.directory;
    for (; archive->count < zip.count && status == STATUS_OK; archive->count++) {
        Entry entry;
        if (!read_entry(&zip, offset, &entry)) return refuse(&zip, error, "a broken entry in its directory");
        status = add_member(&zip, &entry, &archive->members[archive->count], error);
        offset += entry.length;
    }
    if (status != STATUS_OK) return status;
    qsort(archive->members, archive->count, sizeof *archive->members, compare_members);
    for (size_t i = 1; i < archive->count; i++) {
        if (compare_members(&archive->members[i - 1], &archive->members[i]) == 0)
            return refuse(&zip, error, "two members of one name");
    }
    return STATUS_OK;
}

const ZipMember *zip_archive_find(const ZipArchive *archive, const char *name, size_t length) {
    ZipMember wanted = {.name = name, .name_length = length};
    return archive->count == 0
               ? NULL
               : bsearch(&wanted, archive->members, archive->count, sizeof wanted, compare_members);
}

void zip_archive_free(ZipArchive *archive) {
    free(archive->members);
    *archive = (ZipArchive){0};
}
