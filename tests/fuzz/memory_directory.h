/*
 * memory_directory — a directory of files of any bytes, for readers that open one themselves: in memory where the system has
 * such a place, since a disk takes longer than all the rest. There is one, gone at the end; its files stay open, and no one
 * else writes or removes them.
 */
#ifndef REJUV_TESTS_FUZZ_MEMORY_DIRECTORY_H
#define REJUV_TESTS_FUZZ_MEMORY_DIRECTORY_H

#include <dirent.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char memory_directory_paths[][32] = {"/dev/shm/rejuv-fuzz-XXXXXX", "/tmp/rejuv-fuzz-XXXXXX"};
static char *memory_directory_path; /* the one that was made */
static int memory_directory_folder = -1;

enum { MEMORY_DIRECTORY_FILES = 16 };
static struct MemoryDirectoryFile {
    const char *name; /* borrowed; NULL: none */
    int file;
    size_t size;
} memory_directory_files[MEMORY_DIRECTORY_FILES];

/* What is left behind where this fails is a few kilobytes. */
static inline void memory_directory_remove(void) {
    DIR *files = fdopendir(memory_directory_folder);
    for (struct dirent *file; files != NULL && (file = readdir(files)) != NULL;)
        if (file->d_name[0] != '.') (void)unlinkat(dirfd(files), file->d_name, 0);
    if (files != NULL) (void)closedir(files);
    (void)rmdir(memory_directory_path);
}

/* Its path. */
static inline const char *memory_directory(void) {
    for (size_t i = 0; i < 2 && memory_directory_path == NULL; i++)
        memory_directory_path = mkdtemp(memory_directory_paths[i]);
    if (memory_directory_path == NULL) abort();
    if (memory_directory_folder < 0) {
        memory_directory_folder = open(memory_directory_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (memory_directory_folder < 0 || atexit(memory_directory_remove) != 0) abort();
    }
    return memory_directory_path;
}

/* The place of a file, or a free one. */
static inline struct MemoryDirectoryFile *memory_directory_find(const char *name) {
    struct MemoryDirectoryFile *place = NULL;
    for (size_t i = 0; i < MEMORY_DIRECTORY_FILES; i++) {
        struct MemoryDirectoryFile *at = &memory_directory_files[i];
        if (at->name == name || (at->name != NULL && strcmp(at->name, name) == 0)) return at;
        if (at->name == NULL && place == NULL) place = at;
    }
    if (place == NULL) abort();
    return place;
}

/* The file is not there, whether it was or not. */
static inline void memory_directory_drop(const char *name) {
    struct MemoryDirectoryFile *place = memory_directory_find(name);
    if (place->name == NULL) return;
    (void)close(place->file);
    (void)unlinkat(memory_directory_folder, name, 0);
    place->name = NULL;
}

/* The file holds exactly these bytes. `name` must last. */
static inline void memory_directory_put(const char *name, const void *bytes, size_t count) {
    (void)memory_directory();
    struct MemoryDirectoryFile *place = memory_directory_find(name);
    if (place->name == NULL) {
        int file = openat(memory_directory_folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (file < 0) abort();
        *place = (struct MemoryDirectoryFile){name, file, 0};
    }
    if (count < place->size && ftruncate(place->file, (off_t)count) != 0) abort();
    if (pwrite(place->file, bytes, count, 0) != (ssize_t)count) abort();
    place->size = count;
}

#endif
