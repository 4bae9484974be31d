/* One way to make a file: whole under its name, or not at all. */
#include "core/files/disk.h"
#include "scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* In place of the library's: an error for directories, as some file systems give it. */
static int directory_error;

int fsync(int file);
int fsync(int file) {
    struct stat facts;
    if (directory_error != 0 && fstat(file, &facts) == 0 && S_ISDIR(facts.st_mode)) {
        errno = directory_error;
        return -1;
    }
    return (int)syscall(SYS_fsync, file);
}

static void must(Status status, const Error *error) {
    if (status != STATUS_OK) fail_msg("%s", error->message);
}

static void expect_text(const char *name, const char *expected) {
    char *path = scratch_path(name), found[64] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t count = fread(found, 1, sizeof found - 1, file);
    assert_int_equal(fclose(file), 0);
    free(path);
    assert_int_equal(count, strlen(expected));
    assert_string_equal(found, expected);
}

/* A folder of its own, so that what lies beside the file can be counted. */
static char *make_folder(const char *name) {
    char *path = scratch_path(name);
    assert_int_equal(mkdir(path, 0777), 0);
    return path;
}

static int count_entries(const char *folder) {
    DIR *stream = opendir(folder);
    assert_non_null(stream);
    int count = 0;
    while (readdir(stream) != NULL) count++;
    assert_int_equal(closedir(stream), 0);
    return count - 2; /* . and .. */
}

static void a_new_file_is_never_written_over_another(void **state) {
    (void)state;
    char *folder = make_folder("new"), *path = scratch_path("new/file");
    DiskFile file;
    Error error = {0};
    must(disk_file_begin_new(&file, path, &error), &error);
    assert_true(fputs("first", file.stream) >= 0);
    must(disk_file_commit(&file, DISK_SYNC_NONE, &error), &error);
    assert_int_equal(disk_file_begin_new(&file, path, &error), STATUS_IO);
    assert_non_null(strstr(error.message, path));
    expect_text("new/file", "first");
    assert_int_equal(count_entries(folder), 1);
    free(folder);
    free(path);
}

static void what_is_discarded_was_never_there(void **state) {
    (void)state;
    char *folder = make_folder("discarded"), *path = scratch_path("discarded/file");
    DiskFile file;
    Error error = {0};
    must(disk_file_begin_new(&file, path, &error), &error);
    assert_true(fputs("half", file.stream) >= 0);
    disk_file_discard(&file);
    assert_int_equal(count_entries(folder), 0);
    scratch_write_text("discarded/file", "old");
    must(disk_file_begin_beside(&file, path, &error), &error);
    assert_true(fputs("half", file.stream) >= 0 && fflush(file.stream) == 0);
    disk_file_discard(&file);
    expect_text("discarded/file", "old");
    assert_int_equal(count_entries(folder), 1);
    free(folder);
    free(path);
}

/* A picture that is written to /dev/null must not put a file in its place. */
static void a_pipe_is_written_to_as_it_is_and_stays(void **state) {
    (void)state;
    char *folder = make_folder("pipe"), *path = scratch_path("pipe/pipe"), text[16] = "";
    DiskFile file;
    Error error = {0};
    struct stat facts;
    assert_int_equal(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(reader >= 0);
    for (int discards = 0; discards < 2; discards++) {
        must(disk_file_begin_beside(&file, path, &error), &error);
        assert_true(fputs("through", file.stream) >= 0 && fflush(file.stream) == 0);
        if (discards)
            disk_file_discard(&file);
        else
            must(disk_file_commit(&file, DISK_SYNC_NONE, &error), &error);
        assert_int_equal(read(reader, text, sizeof text), 7);
        assert_memory_equal(text, "through", 7);
        assert_true(stat(path, &facts) == 0 && S_ISFIFO(facts.st_mode));
        assert_int_equal(count_entries(folder), 1);
    }
    assert_int_equal(close(reader), 0);
    free(folder);
    free(path);
}

static void a_file_written_beside_shows_only_once_it_is_whole(void **state) {
    (void)state;
    char *folder = make_folder("beside"), *path = scratch_path("beside/file");
    scratch_write_text("beside/file", "old");
    DiskFile file;
    Error error = {0};
    must(disk_file_begin_beside(&file, path, &error), &error);
    assert_true(fputs("new", file.stream) >= 0 && fflush(file.stream) == 0);
    expect_text("beside/file", "old");
    must(disk_file_commit(&file, DISK_SYNC_CONTENTS, &error), &error);
    expect_text("beside/file", "new");
    assert_int_equal(count_entries(folder), 1);
    free(folder);
    free(path);
}

static void a_commit_that_fails_leaves_nothing_behind(void **state) {
    (void)state;
    char *folder = make_folder("failed"), *path = scratch_path("failed/taken");
    DiskFile file;
    Error error = {0};
    must(disk_file_begin_beside(&file, path, &error), &error);
    assert_true(fputs("new", file.stream) >= 0);
    free(make_folder("failed/taken")); /* meanwhile, and not empty: no file can have its name */
    scratch_write_text("failed/taken/inside", "here");
    assert_int_equal(disk_file_commit(&file, DISK_SYNC_CONTENTS, &error), STATUS_IO);
    assert_non_null(strstr(error.message, path));
    assert_int_equal(count_entries(folder), 1);
    free(folder);
    free(path);
}

static void remains_are_refused_unless_they_may_be_used(void **state) {
    (void)state;
    char *folder = make_folder("remains"), *left = scratch_path("remains/file.new");
    int directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(directory >= 0);
    scratch_write_text("remains/file.new", "left by a crash, longer than what comes");
    assert_int_equal(chmod(left, 0666), 0);
    DiskFile file;
    Error error = {0};
    assert_int_equal(disk_file_begin(&file, directory, "file", "file.new", 0, folder, &error), STATUS_IO);
    assert_int_equal(count_entries(folder), 1);
    must(disk_file_begin(&file, directory, "file", "file.new", DISK_FILE_REUSE | DISK_FILE_PRIVATE, folder,
                         &error),
         &error);
    must(disk_write(file.descriptor, "new", 3, 0, folder, &error), &error);
    must(disk_file_commit(&file, DISK_SYNC_NAME, &error), &error);
    expect_text("remains/file", "new");
    assert_int_equal(count_entries(folder), 1);
    struct stat facts;
    assert_true(fstatat(directory, "file", &facts, 0) == 0 && (facts.st_mode & 07777) == 0600);
    assert_int_equal(close(directory), 0);
    free(folder);
    free(left);
}

/* SMB and FUSE file systems: EINVAL, ENOTSUP. What a disk says of its own is no such thing. */
static void a_file_system_without_sync_of_directories_will_do(void **state) {
    (void)state;
    static const int WITHOUT[] = {EINVAL, ENOTSUP, ENOSYS};
    char *folder = make_folder("unsynced");
    int directory = open(folder, O_RDONLY | O_DIRECTORY);
    Error error = {0};
    assert_true(directory >= 0);
    for (size_t i = 0; i < sizeof WITHOUT / sizeof *WITHOUT; i++) {
        directory_error = WITHOUT[i];
        must(disk_sync(directory, folder, &error), &error);
    }
    directory_error = EIO;
    assert_int_equal(disk_sync(directory, folder, &error), STATUS_IO);
    assert_non_null(strstr(error.message, folder));
    directory_error = 0;
    assert_int_equal(close(directory), 0);
    free(folder);
}

static void a_volume_is_told_from_a_directory(void **state) {
    (void)state;
    char *folder = make_folder("no-volume");
    assert_true(disk_is_mount_point("/proc"));
    assert_false(disk_is_mount_point(folder));
    assert_false(disk_is_mount_point("/nowhere"));
    free(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_file_is_never_written_over_another),
        cmocka_unit_test(what_is_discarded_was_never_there),
        cmocka_unit_test(a_pipe_is_written_to_as_it_is_and_stays),
        cmocka_unit_test(a_file_written_beside_shows_only_once_it_is_whole),
        cmocka_unit_test(a_commit_that_fails_leaves_nothing_behind),
        cmocka_unit_test(remains_are_refused_unless_they_may_be_used),
        cmocka_unit_test(a_file_system_without_sync_of_directories_will_do),
        cmocka_unit_test(a_volume_is_told_from_a_directory),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
