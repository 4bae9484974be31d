/*
 * replay — runs a fuzz target over files, where there is no fuzzer: every file of every folder named, and
 * every file named. A crash or a sanitizer's report fails the test; so does a corpus without a file.
 */
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static int replay_file(const char *path) {
    FILE *file = fopen(path, "rb");
    struct stat about;
    if (file == NULL || fstat(fileno(file), &about) != 0) {
        perror(path);
        exit(2);
    }
    size_t size = (size_t)about.st_size;
    uint8_t *bytes = malloc(size == 0 ? 1 : size); /* exactly: reading beyond is seen */
    if (bytes == NULL || fread(bytes, 1, size, file) != size) {
        perror(path);
        exit(2);
    }
    (void)fclose(file);                        /* only read from */
    (void)LLVMFuzzerTestOneInput(bytes, size); /* its value means nothing but to the fuzzer */
    free(bytes);
    return 1;
}

static int replay_folder(const char *folder, DIR *directory) {
    int files = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char path[4096];
        struct stat about;
        int length = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (length < 0 || (size_t)length >= sizeof path || stat(path, &about) != 0) {
            perror(path);
            exit(2);
        }
        if (S_ISREG(about.st_mode)) files += replay_file(path);
    }
    return files;
}

int main(int count, char **arguments) {
    int files = 0;
    for (int i = 1; i < count; i++) {
        DIR *directory = opendir(arguments[i]);
        files += directory == NULL ? replay_file(arguments[i]) : replay_folder(arguments[i], directory);
        if (directory != NULL) (void)closedir(directory);
    }
    (void)printf("%d files replayed\n", files);
    return files == 0 ? 1 : 0;
}
