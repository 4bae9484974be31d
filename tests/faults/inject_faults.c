/*
 * inject_faults — makes system calls of a program fail, for tests. A shared object for LD_PRELOAD:
 *
 *     LD_PRELOAD=inject_faults.so FAULT_CALL=write FAULT_PATH=.safetensors FAULT_BYTES=4096
 *         FAULT_ERRNO=ENOSPC FAULT_TIMES=0 FAULT_LOG=log rejuv export …
 *
 * FAULT_CALL   open (also creat, fopen), read, pread, write, pwrite, close (also fclose), fsync (also
 *              fdatasync), rename (also renameat, renameat2), ftruncate, fallocate, mmap, munmap, mkdir,
 *              pthread_create, or malloc (also calloc, realloc, aligned_alloc, posix_memalign). One kind; without it
 *              nothing happens.
 * FAULT_PATH   only files whose path contains this text (of a rename either path, of an mmap the mapped
 *              file). For malloc: counting begins when such a file is opened first. Unset: every file.
 * FAULT_NTH    the how manieth of these calls is the first to fail, from 1; unless told 1.
 * FAULT_BYTES  in place of FAULT_NTH, for read, pread, write, pwrite: so many bytes go through in all; the
 *              call that would go beyond is cut short there, the next one fails. As a disk that fills up.
 * FAULT_ERRNO  EACCES EAGAIN EDQUOT EINTR EIO EMFILE ENOENT ENOMEM ENOSPC EOPNOTSUPP EXDEV; SHORT: a read or write moves half of its
 *              bytes, at least one; KILL: the process is killed at that point, before the call. Unless told
 *              EIO, for malloc ENOMEM.
 * FAULT_TIMES  how many calls fail in a row; 0: all that follow. Unless told 1.
 * FAULT_LOG    a file to which one line is added for each fault, "CALL PATH", so that a test can see that its
 *              fault did happen.
 * FAULT_COUNT  a file that gets, when the program leaves through exit(), how many of these calls there were.
 *
 * A program built with the address sanitizer needs ASAN_OPTIONS=verify_asan_link_order=0 beside LD_PRELOAD.
 *
 * What it cannot see: calls that the C library makes inside itself (fwrite() reaches write() without passing
 * here; fopen() and fclose() are therefore caught themselves). A close() that fails has closed the file, as
 * in Linux. Allocations count when the program's own code makes them, not its shared libraries.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what shall fail ---- */

typedef enum Effect { EFFECT_NONE, EFFECT_FAIL, EFFECT_SHORT } Effect;

enum { ERRNO_SHORT = -1, ERRNO_KILL = -2 };

static const struct {
    const char *name;
    int value;
} errors[] = {{"EACCES", EACCES},  {"EAGAIN", EAGAIN},         {"EDQUOT", EDQUOT}, {"EINTR", EINTR},
              {"EIO", EIO},        {"EMFILE", EMFILE},         {"ENOENT", ENOENT}, {"ENOMEM", ENOMEM},
              {"ENOSPC", ENOSPC},  {"EOPNOTSUPP", EOPNOTSUPP}, {"EXDEV", EXDEV},   {"SHORT", ERRNO_SHORT},
              {"KILL", ERRNO_KILL}};

static struct {
    const char *call, *path, *log, *count;
    long nth, times;
    long long bytes; /* -1: not by bytes */
    int error;
    uintptr_t image_begin, image_end; /* of the program itself */
} plan;

static atomic_long calls, faults;
static atomic_llong bytes_moved;
static atomic_bool counting; /* malloc only */

static long number_from(const char *name, long otherwise) {
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtol(text, NULL, 10);
}

static int find_image(struct dl_phdr_info *info, size_t size, void *user) {
    (void)size;
    (void)user;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type != PT_LOAD) continue;
        uintptr_t begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        uintptr_t end = begin + info->dlpi_phdr[i].p_memsz;
        if (plan.image_end == 0 || begin < plan.image_begin) plan.image_begin = begin;
        if (end > plan.image_end) plan.image_end = end;
    }
    return 1; /* the first object is the program */
}

__attribute__((constructor)) static void read_plan(void) {
    const char *call = getenv("FAULT_CALL"), *error = getenv("FAULT_ERRNO"), *bytes = getenv("FAULT_BYTES");
    if (call == NULL) return;
    plan.path = getenv("FAULT_PATH");
    plan.log = getenv("FAULT_LOG");
    plan.count = getenv("FAULT_COUNT");
    plan.nth = number_from("FAULT_NTH", 1);
    plan.times = number_from("FAULT_TIMES", 1);
    plan.bytes = bytes == NULL ? -1 : strtoll(bytes, NULL, 10);
    plan.error = strcmp(call, "malloc") == 0 ? ENOMEM : EIO;
    bool known = error == NULL;
    for (size_t i = 0; error != NULL && i < sizeof errors / sizeof errors[0]; i++) {
        if (strcmp(error, errors[i].name) != 0) continue;
        plan.error = errors[i].value;
        known = true;
    }
    if (!known) {
        static const char message[] = "inject_faults: unknown FAULT_ERRNO\n";
        (void)!write(2, message, sizeof message - 1);
        _exit(125); /* a misspelt plan must not pass for a test without a fault */
    }
    (void)dl_iterate_phdr(find_image, NULL);
    counting = plan.path == NULL;
    plan.call = call; /* last: from here on it counts */
}

/* ---- the real functions ---- */

#define REAL(name) ((__typeof__(&name))real_function(#name))

static void *real_function(const char *name) {
    void *function = dlsym(RTLD_NEXT, name);
    if (function == NULL) _exit(124);
    return function;
}

/* ---- deciding ---- */

static void write_log(const char *call, const char *path) {
    if (plan.log == NULL) return;
    char line[4200];
    int length = snprintf(line, sizeof line, "%s %s\n", call, path);
    int file = REAL(open)(plan.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0 || length < 0) return;
    (void)!REAL(write)(file, line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
    (void)REAL(close)(file);
}

__attribute__((destructor)) static void write_count(void) {
    char text[32];
    if (plan.call == NULL || plan.count == NULL) return;
    int length = snprintf(text, sizeof text, "%ld\n", atomic_load(&calls));
    int file = REAL(open)(plan.count, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0 || length < 0) return;
    (void)!REAL(write)(file, text, (size_t)length);
    (void)REAL(close)(file);
}

static Effect act(const char *call, const char *path) {
    if (plan.times > 0 && atomic_fetch_add(&faults, 1) >= plan.times) return EFFECT_NONE;
    write_log(call, path);
    if (plan.error == ERRNO_KILL) (void)kill(getpid(), SIGKILL);
    if (plan.error == ERRNO_SHORT) return EFFECT_SHORT;
    errno = plan.error;
    return EFFECT_FAIL;
}

static bool is_planned(const char *call, const char *path) {
    if (plan.call == NULL || path == NULL) return false;
    bool matches = plan.path == NULL || strstr(path, plan.path) != NULL;
    if (matches && strcmp(call, "open") == 0) counting = true;
    return matches && strcmp(call, plan.call) == 0;
}

static Effect decide(const char *call, const char *path) {
    if (!is_planned(call, path) || plan.bytes >= 0) return EFFECT_NONE;
    return atomic_fetch_add(&calls, 1) + 1 >= plan.nth ? act(call, path) : EFFECT_NONE;
}

static const char *path_of(int file, char *path, size_t size) {
    char link[64];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, size - 1);
    path[length < 0 ? 0 : length] = '\0';
    return path;
}

static Effect decide_file(const char *call, int file) {
    if (plan.call == NULL || strcmp(call, plan.call) != 0) return EFFECT_NONE;
    char path[4096];
    return decide(call, path_of(file, path, sizeof path));
}

/* How many of `count` bytes may be moved; errno is set and false returned when none may. */
static bool allow_bytes(const char *call, int file, size_t *count) {
    if (plan.call == NULL || strcmp(call, plan.call) != 0 || *count == 0) return true;
    char path[4096];
    (void)path_of(file, path, sizeof path);
    if (plan.bytes < 0) {
        Effect effect = decide(call, path);
        if (effect == EFFECT_SHORT) *count = (*count + 1) / 2;
        return effect != EFFECT_FAIL;
    }
    if (!is_planned(call, path)) return true;
    long long before = atomic_fetch_add(&bytes_moved, (long long)*count), left = plan.bytes - before;
    if (left >= (long long)*count) return true;
    if (left > 0) {
        atomic_store(&bytes_moved, plan.bytes);
        *count = (size_t)left;
        return true;
    }
    return act(call, path) == EFFECT_NONE;
}

/* ---- calls on paths ---- */

/* The third argument of open() exists only where a file may be made. */
#define OPEN_MODE(flags)                                                                                     \
    mode_t mode = 0;                                                                                         \
    if (((flags) & (O_CREAT | O_TMPFILE)) != 0) {                                                            \
        va_list rest;                                                                                        \
        va_start(rest, flags);                                                                               \
        mode = va_arg(rest, mode_t);                                                                         \
        va_end(rest);                                                                                        \
    }

#define DEFINE_OPEN(name)                                                                                    \
    int name(const char *path, int flags, ...) {                                                             \
        OPEN_MODE(flags)                                                                                     \
        return decide("open", path) == EFFECT_FAIL ? -1 : REAL(name)(path, flags, mode);                     \
    }
DEFINE_OPEN(open)
DEFINE_OPEN(open64)

/* What the headers make of these calls where they are checked (_FORTIFY_SOURCE). */
#define DEFINE_CHECKED_OPEN(name, plain)                                                                     \
    int name(const char *path, int flags);                                                                   \
    int name(const char *path, int flags) {                                                                  \
        return plain(path, flags);                                                                           \
    }
DEFINE_CHECKED_OPEN(__open_2, open)
DEFINE_CHECKED_OPEN(__open64_2, open64)

#define DEFINE_OPENAT(name)                                                                                  \
    int name(int folder, const char *path, int flags, ...) {                                                 \
        OPEN_MODE(flags)                                                                                     \
        return decide("open", path) == EFFECT_FAIL ? -1 : REAL(name)(folder, path, flags, mode);             \
    }
DEFINE_OPENAT(openat)
DEFINE_OPENAT(openat64)

#define DEFINE_CHECKED_OPENAT(name, plain)                                                                   \
    int name(int folder, const char *path, int flags);                                                       \
    int name(int folder, const char *path, int flags) {                                                      \
        return plain(folder, path, flags);                                                                   \
    }
DEFINE_CHECKED_OPENAT(__openat_2, openat)
DEFINE_CHECKED_OPENAT(__openat64_2, openat64)

#define DEFINE_CREAT(name)                                                                                   \
    int name(const char *path, mode_t mode) {                                                                \
        return decide("open", path) == EFFECT_FAIL ? -1 : REAL(name)(path, mode);                            \
    }
DEFINE_CREAT(creat)
DEFINE_CREAT(creat64)

#define DEFINE_FOPEN(name)                                                                                   \
    FILE *name(const char *path, const char *mode) {                                                         \
        return decide("open", path) == EFFECT_FAIL ? NULL : REAL(name)(path, mode);                          \
    }
DEFINE_FOPEN(fopen)
DEFINE_FOPEN(fopen64)

int mkdir(const char *path, mode_t mode) {
    return decide("mkdir", path) == EFFECT_FAIL ? -1 : REAL(mkdir)(path, mode);
}

/* Of the two paths the one that the plan means. */
static Effect decide_rename(const char *from, const char *to) {
    bool first = plan.path != NULL && from != NULL && strstr(from, plan.path) != NULL;
    return decide("rename", first ? from : to);
}

int rename(const char *from, const char *to) {
    return decide_rename(from, to) == EFFECT_FAIL ? -1 : REAL(rename)(from, to);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    return decide_rename(from, to) == EFFECT_FAIL ? -1 : REAL(renameat)(from_folder, from, to_folder, to);
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
    return decide_rename(from, to) == EFFECT_FAIL ? -1
                                                  : REAL(renameat2)(from_folder, from, to_folder, to, flags);
}

/* ---- calls on open files ---- */

ssize_t read(int file, void *bytes, size_t count) {
    return allow_bytes("read", file, &count) ? REAL(read)(file, bytes, count) : -1;
}

ssize_t write(int file, const void *bytes, size_t count) {
    return allow_bytes("write", file, &count) ? REAL(write)(file, bytes, count) : -1;
}

#define DEFINE_AT(name, call, constant)                                                                      \
    ssize_t name(int file, constant void *bytes, size_t count, off_t offset) {                               \
        return allow_bytes(call, file, &count) ? REAL(name)(file, bytes, count, offset) : -1;                \
    }
DEFINE_AT(pread, "pread", )
DEFINE_AT(pread64, "pread", )
DEFINE_AT(pwrite, "pwrite", const)
DEFINE_AT(pwrite64, "pwrite", const)

ssize_t __read_chk(int file, void *bytes, size_t count, size_t room);
ssize_t __read_chk(int file, void *bytes, size_t count, size_t room) {
    if (count > room) abort();
    return read(file, bytes, count);
}

#define DEFINE_CHECKED_PREAD(name, plain)                                                                    \
    ssize_t name(int file, void *bytes, size_t count, off_t offset, size_t room);                            \
    ssize_t name(int file, void *bytes, size_t count, off_t offset, size_t room) {                           \
        if (count > room) abort();                                                                           \
        return plain(file, bytes, count, offset);                                                            \
    }
DEFINE_CHECKED_PREAD(__pread_chk, pread)
DEFINE_CHECKED_PREAD(__pread64_chk, pread64)

int close(int file) {
    Effect effect = decide_file("close", file);
    int error = errno, result = REAL(close)(file);
    if (effect != EFFECT_FAIL) return result;
    errno = error;
    return -1;
}

int fclose(FILE *stream) {
    Effect effect = decide_file("close", fileno(stream));
    int error = errno, result = REAL(fclose)(stream);
    if (effect != EFFECT_FAIL) return result;
    errno = error;
    return EOF;
}

int fsync(int file) {
    return decide_file("fsync", file) == EFFECT_FAIL ? -1 : REAL(fsync)(file);
}

int fdatasync(int file) {
    return decide_file("fsync", file) == EFFECT_FAIL ? -1 : REAL(fdatasync)(file);
}

#define DEFINE_FTRUNCATE(name)                                                                               \
    int name(int file, off_t length) {                                                                       \
        return decide_file("ftruncate", file) == EFFECT_FAIL ? -1 : REAL(name)(file, length);                \
    }
DEFINE_FTRUNCATE(ftruncate)
DEFINE_FTRUNCATE(ftruncate64)

#define DEFINE_FALLOCATE(name)                                                                               \
    int name(int file, int mode, off_t offset, off_t length) {                                               \
        return decide_file("fallocate", file) == EFFECT_FAIL ? -1 : REAL(name)(file, mode, offset, length);  \
    }
DEFINE_FALLOCATE(fallocate)
DEFINE_FALLOCATE(fallocate64)

/* posix_fallocate() returns the error and leaves errno alone. */
#define DEFINE_POSIX_FALLOCATE(name)                                                                         \
    int name(int file, off_t offset, off_t length) {                                                         \
        int before = errno;                                                                                  \
        if (decide_file("fallocate", file) != EFFECT_FAIL) return REAL(name)(file, offset, length);          \
        int error = errno;                                                                                   \
        errno = before;                                                                                      \
        return error;                                                                                        \
    }
DEFINE_POSIX_FALLOCATE(posix_fallocate)
DEFINE_POSIX_FALLOCATE(posix_fallocate64)

/* Memory that maps no file is never refused here: that is malloc's. */
#define DEFINE_MMAP(name)                                                                                    \
    void *name(void *address, size_t length, int protection, int flags, int file, off_t offset) {            \
        if (file >= 0 && decide_file("mmap", file) == EFFECT_FAIL) return MAP_FAILED;                        \
        return REAL(name)(address, length, protection, flags, file, offset);                                 \
    }
DEFINE_MMAP(mmap)
DEFINE_MMAP(mmap64)

/* Which file an address belongs to is not known: FAULT_PATH must be unset. */
int munmap(void *address, size_t length) {
    return decide("munmap", "") == EFFECT_FAIL ? -1 : REAL(munmap)(address, length);
}

/* ---- threads ---- */

/* As posix_fallocate(). */
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                   void *argument) {
    int before = errno;
    if (decide("pthread_create", "") != EFFECT_FAIL)
        return REAL(pthread_create)(thread, attributes, run, argument);
    int error = errno;
    errno = before;
    return error;
}

/* ---- memory ---- */

/* dlsym() may allocate before the real allocator is known: those few bytes come from here. */
static _Alignas(max_align_t) char early[16384];
static atomic_size_t early_bytes;

static void *allocate_early(size_t size) {
    size_t rounded = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    size_t at = atomic_fetch_add(&early_bytes, rounded);
    return at + rounded > sizeof early ? NULL : early + at; /* zeroed, being static */
}

static bool is_early(const void *block) {
    return (const char *)block >= early && (const char *)block < early + sizeof early;
}

static struct {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void *(*aligned_alloc)(size_t, size_t);
    int (*posix_memalign)(void **, size_t, size_t);
    void (*free)(void *);
} real;

/* Reached without a call: the address sanitizer replaces __tls_get_addr() and is not ready when this is. */
static _Thread_local bool resolving __attribute__((tls_model("initial-exec")));

/* False while the real functions are being looked up. */
static bool resolve(void) {
    if (resolving) return false;
    if (real.free != NULL) return true;
    resolving = true;
    real.malloc = REAL(malloc);
    real.calloc = REAL(calloc);
    real.realloc = REAL(realloc);
    real.aligned_alloc = REAL(aligned_alloc);
    real.posix_memalign = REAL(posix_memalign);
    real.free = REAL(free);
    resolving = false;
    return true;
}

static bool refuses_memory(const void *caller) {
    uintptr_t place = (uintptr_t)caller;
    if (plan.call == NULL || !counting || place < plan.image_begin || place >= plan.image_end) return false;
    return decide("malloc", plan.path == NULL ? "" : plan.path) == EFFECT_FAIL;
}

void *malloc(size_t size) {
    if (!resolve()) return allocate_early(size);
    return refuses_memory(__builtin_return_address(0)) ? NULL : real.malloc(size);
}

void *calloc(size_t count, size_t size) {
    if (!resolve()) return allocate_early(count * size);
    return refuses_memory(__builtin_return_address(0)) ? NULL : real.calloc(count, size);
}

void *realloc(void *block, size_t size) {
    if (!resolve()) return NULL;
    if (refuses_memory(__builtin_return_address(0))) return NULL;
    if (!is_early(block)) return real.realloc(block, size);
    void *moved = real.malloc(size);
    size_t room = (size_t)(early + sizeof early - (char *)block);
    if (moved != NULL) memcpy(moved, block, size < room ? size : room);
    return moved;
}

void *aligned_alloc(size_t alignment, size_t size) {
    if (!resolve()) return NULL;
    return refuses_memory(__builtin_return_address(0)) ? NULL : real.aligned_alloc(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size) {
    if (!resolve()) return ENOMEM;
    return refuses_memory(__builtin_return_address(0)) ? ENOMEM : real.posix_memalign(block, alignment, size);
}

void free(void *block) {
    if (block == NULL || is_early(block) || !resolve()) return;
    real.free(block);
}
