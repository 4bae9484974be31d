/*
 * stand_in — files that only stand for others: a link whose target is gone (a Hub cache that was cleaned up), and the
 * few lines that git leaves in place of a large file where git-lfs is not at work.
 */
#ifndef REJUV_CORE_STAND_IN_H
#define REJUV_CORE_STAND_IN_H

#include "core/support/status.h"

/* How the pointer that git-lfs leaves begins. */
#define STAND_IN_POINTER "version https://git-lfs"

/* STATUS_OK where the path is a file of its own, or nothing at all. STATUS_IO for a link that leads nowhere and for a
 * pointer of git-lfs: the message says which, and the command that brings the file. */
Status stand_in_check(const char *path, Error *error) STATUS_MUST_CHECK;

#endif
