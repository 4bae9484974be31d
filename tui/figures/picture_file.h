/*
 * picture_file — where batch commands put a picture: standard output, or a file that is whole or not there.
 */
#ifndef REJUV_TUI_PICTURE_FILE_H
#define REJUV_TUI_PICTURE_FILE_H

#include "core/support/status.h"

#include <stdio.h>

/* Calls draw(user, file, error) for a file beside `path` and renames it to that, over one that is there; or for
 * standard output where `path` is NULL. After a failure there is nothing new. */
Status picture_file_write(const char *path, Status (*draw)(const void *user, FILE *file, Error *error),
                          const void *user, Error *error) STATUS_MUST_CHECK;

#endif
