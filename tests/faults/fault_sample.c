/*
 * fault_sample — does a little of everything to a file and says what failed: the program under test of
 * test_inject_faults.c.
 *
 *     fault_sample FOLDER     writes FOLDER/file.part in ten pieces of 100 bytes, reads it back, renames it
 *
 * Prints one line: "done", or "CALL N: TEXT OF THE ERROR" of the first call that failed, N counting from 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PIECE = 100, PIECES = 10 };

static int say(const char *call, int which) {
    (void)printf("%s %d: %s\n", call, which, strerror(errno));
    return 1;
}

/* One piece, however many calls that takes; *calls counts them. */
static int move_all(int file, char *bytes, int writing, int *calls) {
    size_t done = 0;
    while (done < PIECE) {
        ++*calls;
        ssize_t moved =
            writing ? write(file, bytes + done, PIECE - done) : read(file, bytes + done, PIECE - done);
        if (moved <= 0) return say(writing ? "write" : "read", *calls);
        done += (size_t)moved;
    }
    return 0;
}

static int use_file(int file) {
    char bytes[PIECE] = {0};
    int writes = 0, reads = 0;
    for (int i = 0; i < PIECES; i++)
        if (move_all(file, bytes, 1, &writes) != 0) return 1;
    if (fsync(file) != 0) return say("fsync", 1);
    if (ftruncate(file, PIECE * PIECES) != 0) return say("ftruncate", 1);
    if (lseek(file, 0, SEEK_SET) != 0) return say("lseek", 1);
    for (int i = 0; i < PIECES; i++)
        if (move_all(file, bytes, 0, &reads) != 0) return 1;
    if (pread(file, bytes, 1, 0) != 1) return say("pread", 1);
    if (pwrite(file, bytes, 1, 0) != 1) return say("pwrite", 1);
    void *map = mmap(NULL, PIECE, PROT_READ, MAP_SHARED, file, 0);
    if (map == MAP_FAILED) return say("mmap", 1);
    (void)munmap(map, PIECE);
    for (int i = 1; i <= 5; i++) {
        void *volatile block = malloc(PIECE);
        if (block == NULL) return say("malloc", i);
        free(block);
    }
    (void)fprintf(stderr, "%d writes, %d reads\n", writes, reads);
    return 0;
}

int main(int count, char **arguments) {
    if (count != 2 || chdir(arguments[1]) != 0) return 2;
    int file = open("file.part", O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (file < 0) return say("open", 1);
    int result = use_file(file);
    if (close(file) != 0 && result == 0) result = say("close", 1);
    if (result == 0 && rename("file.part", "file") != 0) result = say("rename", 1);
    if (result == 0) (void)printf("done\n");
    return result;
}
