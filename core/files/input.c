#include "core/files/input.h"

#include "core/files/stand_in.h"
#include "core/support/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_PIECE = 1 << 20, LEAST_PIECE = 1 << 12, WAIT_MILLISECONDS = 100 };

const char *input_name(const char *path) {
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

/* ---- what is refused by its first bytes ---- */

typedef struct ForeignFormat {
    const char *magic;
    size_t bytes, at; /* of the magic; where it stands */
    const char *name;
    const char *remedy; /* a command; %s is FILE */
} ForeignFormat;

#define TO_JSON(open)                                                                                        \
    "python3 -c 'import sys, pandas; " open                                                                  \
    ".to_json(sys.stdout, orient=\"records\", lines=True)' %s > rows.jsonl"
#define ARROW(reader)                                                                                        \
    "python3 -c 'import sys, pyarrow.ipc; pyarrow.ipc." reader                                               \
    "(sys.argv[1]).read_all().to_pandas().to_json(sys.stdout, orient=\"records\", lines=True)' %s > rows.jsonl"

static const ForeignFormat FOREIGN[] = {
    {"PAR1", 4, 0, "Parquet", TO_JSON("pandas.read_parquet(sys.argv[1])")},
    {"ARROW1\0\0", 8, 0, "an Arrow file", ARROW("open_file")},
    {"\xff\xff\xff\xff", 4, 0, "an Arrow stream", ARROW("open_stream")},
    {"FEA1", 4, 0, "Feather", TO_JSON("pandas.read_feather(sys.argv[1])")},
    {"PK\x03\x04", 4, 0, "a zip archive", "unzip -p %s > rows.jsonl"},
    {"\xfd"
     "7zXZ\0",
     6, 0, "packed by xz", "xz -dc %s > rows.jsonl"},
    {"BZh", 3, 0, "packed by bzip2", "bzip2 -dc %s > rows.jsonl"},
    {"\x04\x22\x4d\x18", 4, 0, "packed by lz4", "lz4 -dc %s > rows.jsonl"},
    {"7z\xbc\xaf\x27\x1c", 6, 0, "a 7-Zip archive", "7z x -so %s > rows.jsonl"},
    {"ustar", 5, 257, "a tar archive", "tar -xOf %s > rows.jsonl"},
    {"SQLite format 3", 16, 0, "an SQLite database", "sqlite3 -json %s 'select * from TABLE' > rows.json"},
    {"\x89HDF\r\n\x1a\n", 8, 0, "HDF5", TO_JSON("pandas.read_hdf(sys.argv[1])")},
    {"\xff\xfe", 2, 0, "text in UTF-16", "iconv -f UTF-16 -t UTF-8 %s > rows.jsonl"},
    {"\xfe\xff", 2, 0, "text in UTF-16", "iconv -f UTF-16 -t UTF-8 %s > rows.jsonl"},
    {STAND_IN_POINTER, sizeof STAND_IN_POINTER - 1, 0, "a git-lfs pointer", "git lfs pull --include %s"},
};

/* The path as a shell takes it, in quotes; where it has a quote itself, or there is none, a word for it. */
static const char *quote_path(const char *path, char quoted[512]) {
    size_t length = strlen(path);
    if (strcmp(path, "-") == 0 || strchr(path, '\'') != NULL || length + 3 > 512) return "FILE";
    quoted[0] = '\'';
    memcpy(quoted + 1, path, length);
    quoted[length + 1] = '\'';
    quoted[length + 2] = '\0';
    return quoted;
}

static Status refuse(const ForeignFormat *format, const char *path, Error *error) {
    char quoted[512];
    const char *hole = strstr(format->remedy, "%s");
    return status_fail(error, STATUS_UNSUPPORTED, "%s: expected text, found %s; to convert it: %.*s%s%s",
                       input_name(path), format->name, (int)(hole - format->remedy), format->remedy,
                       quote_path(path, quoted), hole + 2);
}

static Status check_format(const char *path, const char *text, size_t bytes, Error *error) {
    for (size_t i = 0; i < sizeof FOREIGN / sizeof *FOREIGN; i++) {
        const ForeignFormat *format = &FOREIGN[i];
        if (bytes >= format->at + format->bytes &&
            memcmp(text + format->at, format->magic, format->bytes) == 0)
            return refuse(format, path, error);
    }
    return STATUS_OK;
}

/* ---- reading ---- */

typedef struct Reading {
    int descriptor;
    const char *name;
    size_t limit, capacity, piece; /* bytes that are asked for at once */
    Input *input;
} Reading;

/* A pipe may have nothing to give for a while. False once the job is cancelled. */
static bool wait_for_more(int descriptor, const Job *job) {
    struct pollfd watched = {.fd = descriptor, .events = POLLIN};
    while (!job_is_cancelled(job)) {
        int ready = poll(&watched, 1, WAIT_MILLISECONDS);
        if (ready > 0 || (ready < 0 && errno != EINTR)) return true; /* read() says what is wrong */
    }
    return false;
}

static Status read_piece(Reading *reading, Job *job, bool *at_end, Error *error) {
    Input *input = reading->input;
    if (input->bytes > reading->limit)
        return status_fail(error, STATUS_FORMAT, "%s: expected at most %zu bytes, found more", reading->name,
                           reading->limit);
    Status status = MEMORY_RESERVE(input->text, &reading->capacity, input->bytes + reading->piece + 1, error);
    if (status != STATUS_OK) return status;
    if (!wait_for_more(reading->descriptor, job)) return job_cancelled(error);
    ssize_t got = read(reading->descriptor, input->text + input->bytes, reading->piece);
    if (got < 0 && errno != EINTR && errno != EAGAIN)
        return status_fail_errno(error, errno, "%s", reading->name);
    *at_end = got == 0;
    if (got > 0) input->bytes += (size_t)got;
    input->text[input->bytes] = '\0';
    return STATUS_OK;
}

/* A large file takes seconds, so that a cancelled job is asked about between pieces. */
static Status read_and_sum(Reading *reading, Job *job, Error *error) {
    Hash *hash;
    Status status = hash_create(&hash, error);
    if (status != STATUS_OK) return status;
    for (bool at_end = false; status == STATUS_OK && !at_end;) {
        size_t before = reading->input->bytes;
        status = read_piece(reading, job, &at_end, error);
        if (status == STATUS_OK)
            status = hash_add(hash, reading->input->text + before, reading->input->bytes - before, error);
    }
    if (status == STATUS_OK) status = hash_finish(hash, reading->input->sha256, error);
    hash_free(hash);
    return status;
}

/* Room at once for what a regular file says it holds. */
static Status prepare(Reading *reading, Error *error) {
    struct stat facts;
    if (fstat(reading->descriptor, &facts) != 0) return status_fail_errno(error, errno, "%s", reading->name);
    if (S_ISDIR(facts.st_mode))
        return status_fail(error, STATUS_FORMAT, "%s: expected a file, found a directory", reading->name);
    bool is_device = S_ISCHR(facts.st_mode) || S_ISBLK(facts.st_mode); /* it may never end */
    if (is_device && reading->limit > INPUT_DEVICE_LIMIT) reading->limit = INPUT_DEVICE_LIMIT;
    if (!S_ISREG(facts.st_mode)) return STATUS_OK;
    if ((uintmax_t)facts.st_size > reading->limit)
        return status_fail(error, STATUS_FORMAT, "%s: expected at most %zu bytes, found %jd", reading->name,
                           reading->limit, (intmax_t)facts.st_size);
    size_t size = (size_t)facts.st_size;
    if (size < READ_PIECE) reading->piece = size < LEAST_PIECE ? LEAST_PIECE : size + 1; /* /proc has 0 */
    return MEMORY_RESERVE(reading->input->text, &reading->capacity, size + reading->piece + 1, error);
}

Status input_read(const char *path, size_t limit, Job *job, Input *input, Error *error) {
    *input = (Input){0};
    bool is_standard = strcmp(path, "-") == 0;
    Reading reading = {.name = input_name(path), .limit = limit, .piece = READ_PIECE, .input = input};
    /* a pipe that nobody has opened yet is waited for where the job can be cancelled, not here */
    reading.descriptor = is_standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (reading.descriptor < 0) return status_fail_errno(error, errno, "%s", path);
    Status status = prepare(&reading, error);
    if (status == STATUS_OK) status = read_and_sum(&reading, job, error);
    if (!is_standard) (void)close(reading.descriptor); /* opened for reading: nothing can be lost */
    if (status == STATUS_OK) status = check_format(path, input->text, input->bytes, error);
    if (status != STATUS_OK) return status;
    status = input_unpack(reading.name, limit, job, &input->text, &input->bytes, error);
    return status == STATUS_OK ? check_format(path, input->text, input->bytes, error) : status;
}

void input_free(Input *input) {
    free(input->text);
    *input = (Input){0};
}
