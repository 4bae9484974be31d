/*
 * directory_form — the forms of weights that this program does not read, or not always: what each is known by, what it is called, and
 * the command that makes a directory of it that can be opened.
 *
 * A form is known by the names in a directory alone; no file is opened.
 */
#ifndef REJUV_CORE_DIRECTORY_FORM_H
#define REJUV_CORE_DIRECTORY_FORM_H

#include "core/checkpoint/directory_listing.h"

typedef struct DirectoryForm {
    const char *entry; /* a pattern of fnmatch(3) for a name in the directory */
    const char *with;  /* another that must be there too, or NULL */
    const char *what;  /* "found …": {file} is the name that matched */
    /* the command, and what it does; {dir} the directory, {base} its last part, {file} as above */
    const char *help;
    bool is_loose;         /* known by an ending only: a model in a folder beside it goes first */
    const char *help_many; /* the command where several files match, {all} a pattern for them; or NULL */
} DirectoryForm;

/* The form of what a directory holds. */
typedef struct DirectoryMatch {
    const DirectoryForm *form;
    const char *file; /* the first name that told */
    size_t count;     /* of such names, for a loose form; else 1 */
    size_t common;    /* the bytes that all of these names begin with */
} DirectoryMatch;

/* False where it holds none of them. */
bool directory_form_find(const DirectoryListing *listing, bool loose, DirectoryMatch *match);

/* The same of a file by its name. */
bool directory_form_of_file(const char *name, DirectoryMatch *match);

/* A file of weights that is no model of its own: an adapter, a part of something, a state of the training. */
bool directory_form_is_no_model(const char *name);

/* The command that makes safetensors of a file whose form is known by its name, filled in likewise; NULL when out of memory,
 * or for another name. */
char *directory_form_convert(const char *directory, const char *name);

/* Fails with "GIVEN: expected …, found WHAT; HELP". `given` is what the user named, `directory` where the file
 * lies: the same, a folder in it, or where `given` is a file, the one around it. */
Status directory_form_refuse(const DirectoryMatch *match, const char *given, const char *directory,
                             Error *error);

/* `command` with its names put in, in a block that the caller frees; NULL when out of memory. A name that a shell
 * would read otherwise, or that is too long for a line, stays the word DIR or FILE. */
char *directory_form_fill(const char *command, const char *directory, const char *file, const char *all);

/* The command that merges an adapter into its base, filled in likewise. */
char *directory_form_merge(const char *directory, bool is_mlx);

#endif
