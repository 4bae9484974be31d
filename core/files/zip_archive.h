/*
 * zip_archive — the members of a zip whose bytes are at hand, where they lie.
 *
 *     ┌─ local header, bytes ─┬─ … ─┬─ central directory ─┬─ its end ─┐     the last two are read, forms of zip64 too
 *
 * The bytes are untrusted. Nothing is unpacked: a member that is compressed or encrypted is refused by name, and so is
 * one that reaches into the directory or past the end. Memory is bounded by the size of the directory.
 */
#ifndef REJUV_CORE_ZIP_ARCHIVE_H
#define REJUV_CORE_ZIP_ARCHIVE_H

#include "core/support/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct ZipMember {
    const char *name; /* in the archive's bytes, without a NUL */
    size_t name_length;
    const unsigned char *data;
    size_t bytes;
} ZipMember;

typedef struct ZipArchive {
    ZipMember *members; /* sorted by name */
    size_t count;
} ZipArchive;

/* Zero-initialise `archive`, release it with zip_archive_free(), after an error too; it borrows `bytes`, and `name` is for
 * messages. STATUS_UNSUPPORTED for what is packed, STATUS_FORMAT for what is broken. */
Status zip_archive_read(const unsigned char *bytes, size_t size, const char *name, ZipArchive *archive,
                        Error *error) STATUS_MUST_CHECK;
void zip_archive_free(ZipArchive *archive);

/* The member of that name, or NULL. */
const ZipMember *zip_archive_find(const ZipArchive *archive, const char *name, size_t length);

#endif
