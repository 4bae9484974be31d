/*
 * memory_directory — a directory of files of any bytes, for readers that open one themselves: in memory where the system has
 * such a place, since a disk takes longer than all the rest. There is one, gone at the end.
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

/* The file is not there, whether it was or not. */
static inline void memory_directory_drop(const char *name) {
    (void)memory_directory();
    (void)unlinkat(memory_directory_folder, name, 0);
}

/* The file holds exactly these bytes. */
static inline void memory_directory_put(const char *name, const void *bytes, size_t count) {
    (void)memory_directory();
    int file = openat(memory_directory_folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0 || write(file, bytes, count) != (ssize_t)count || close(file) != 0) abort();
}

#endif
