#include "core/files/hash.h"

#include "core/files/hash_blocks.h"
#include "core/support/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 1 << 20 };

struct Hash {
    EVP_MD_CTX *context; /* libcrypto's; NULL: hash_blocks, with what follows */
    HashState state;
    uint64_t size;                  /* of what was added */
    unsigned char rest[HASH_BLOCK]; /* its last bytes that fill no block */
};

/* ---- whose instructions ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool has_blocks;

static void choose(void) {
    const char *kernels = getenv("REJUV_KERNELS");
    has_blocks = hash_blocks_are_at_hand() && (kernels == NULL || strcmp(kernels, "portable") != 0);
}

static bool use_blocks(void) {
    (void)pthread_once(&once, choose); /* cannot fail: `once` is one */
    return has_blocks;
}

unsigned hash_lanes(void) {
    return use_blocks() ? 2 : 1;
}

/* ---- by blocks ---- */

static size_t rest_size(const Hash *hash) {
    return (size_t)(hash->size % HASH_BLOCK);
}

static const unsigned char *at(const HashPart *part) {
    return part->bytes;
}

static void skip(HashPart *part, size_t size) {
    if (size == 0) return; /* of nothing, which may lie nowhere */
    part->hash->size += size;
    part->bytes = at(part) + size;
    part->size -= size;
}

/* What fits into the block that was begun; into an empty one only what is less than a block. */
static void add_to_rest(HashPart *part) {
    size_t begun = rest_size(part->hash), room = HASH_BLOCK - begun;
    if (part->size == 0 || (begun == 0 && part->size >= HASH_BLOCK)) return;
    size_t size = part->size < room ? part->size : room;
    memcpy(part->hash->rest + begun, part->bytes, size);
    if (size == room) hash_blocks_add(&part->hash->state, part->hash->rest, 1);
    skip(part, size);
}

static void add_blocks(HashPart *part) {
    size_t blocks = part->size / HASH_BLOCK;
    hash_blocks_add(&part->hash->state, at(part), blocks);
    skip(part, blocks * HASH_BLOCK);
}

static void add_part(HashPart part) {
    add_to_rest(&part);
    add_blocks(&part);
    add_to_rest(&part);
}

static void add_two_parts(HashPart one, HashPart other) {
    add_to_rest(&one);
    add_to_rest(&other);
    size_t size = one.size < other.size ? one.size : other.size, blocks = size / HASH_BLOCK;
    hash_blocks_add_two((HashState *const[]){&one.hash->state, &other.hash->state},
                        (const unsigned char *const[]){at(&one), at(&other)}, blocks);
    skip(&one, blocks * HASH_BLOCK);
    skip(&other, blocks * HASH_BLOCK);
    add_part(one);
    add_part(other);
}

/* FIPS 180-4, 5.1.1: a one, zeros, and the length in bits fill the last block or the last two. */
static void finish_blocks(Hash *hash, unsigned char digest[EVP_MAX_MD_SIZE], unsigned *length) {
    enum { LENGTH_BYTES = 8 };
    unsigned char end[2 * HASH_BLOCK] = {0x80};
    size_t padded = 2 * HASH_BLOCK - rest_size(hash);
    if (padded > HASH_BLOCK + LENGTH_BYTES) padded -= HASH_BLOCK;
    for (size_t i = 0; i < LENGTH_BYTES; i++)
        end[padded - 1 - i] = (unsigned char)(hash->size << 3 >> (8 * i));
    add_part((HashPart){hash, end, padded});
    *length = 4 * HASH_WORDS;
    for (size_t i = 0; i < *length; i++)
        digest[i] = (unsigned char)(hash->state.words[i / 4] >> (24 - 8 * (i % 4)));
}

/* ---- a running sum ---- */

static Status begin(Hash *hash, Error *error) {
    hash->size = 0;
    hash->state = hash_blocks_begin();
    if (hash->context == NULL || EVP_DigestInit_ex(hash->context, EVP_sha256(), NULL) == 1) return STATUS_OK;
    return status_fail(error, STATUS_UNSUPPORTED, "libcrypto offers no SHA-256");
}

Status hash_create(Hash **hash, Error *error) {
    *hash = NULL;
    Hash *made = memory_allocate(1, sizeof *made);
    if (made == NULL || (!use_blocks() && (made->context = EVP_MD_CTX_new()) == NULL)) {
        hash_free(made);
        return memory_fail(error, "a hash");
    }
    Status status = begin(made, error);
    if (status != STATUS_OK) {
        hash_free(made);
        return status;
    }
    *hash = made;
    return STATUS_OK;
}

void hash_free(Hash *hash) {
    if (hash == NULL) return;
    EVP_MD_CTX_free(hash->context);
    free(hash);
}

Status hash_add(Hash *hash, const void *bytes, size_t size, Error *error) {
    if (hash->context == NULL)
        add_part((HashPart){hash, bytes, size});
    else if (size > 0 && EVP_DigestUpdate(hash->context, bytes, size) != 1)
        return status_fail(error, STATUS_UNSUPPORTED, "libcrypto could not go on with a SHA-256");
    return STATUS_OK;
}

Status hash_add_two(HashPart one, HashPart other, Error *error) {
    if (one.hash->context == NULL) {
        add_two_parts(one, other);
        return STATUS_OK;
    }
    Status status = hash_add(one.hash, one.bytes, one.size, error);
    return status == STATUS_OK ? hash_add(other.hash, other.bytes, other.size, error) : status;
}

Status hash_finish(Hash *hash, char hex[HASH_HEX_SIZE], Error *error) {
    static const char DIGITS[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    if (hash->context == NULL)
        finish_blocks(hash, digest, &length);
    else if (EVP_DigestFinal_ex(hash->context, digest, &length) != 1 || length != (HASH_HEX_SIZE - 1) / 2)
        return status_fail(error, STATUS_UNSUPPORTED, "libcrypto could not finish a SHA-256");
    for (unsigned i = 0; i < length; i++) {
        hex[2 * i] = DIGITS[digest[i] >> 4];
        hex[2 * i + 1] = DIGITS[digest[i] & 15];
    }
    hex[HASH_HEX_SIZE - 1] = '\0';
    return begin(hash, error);
}

Status hash_bytes(const void *bytes, size_t size, char hex[HASH_HEX_SIZE], Error *error) {
    Hash *hash;
    Status status = hash_create(&hash, error);
    if (status != STATUS_OK) return status;
    status = hash_add(hash, bytes, size, error);
    if (status == STATUS_OK) status = hash_finish(hash, hex, error);
    hash_free(hash);
    return status;
}

static Status add_descriptor(Hash *hash, int descriptor, const char *path, Job *job, uint64_t *size,
                             Error *error) {
    unsigned char *block = memory_allocate(CHUNK, 1);
    if (block == NULL) return memory_fail(error, path);
    Status status = STATUS_OK;
    *size = 0;
    while (status == STATUS_OK) {
        if (job_is_cancelled(job)) {
            status = job_cancelled(error);
            break;
        }
        ssize_t count = read(descriptor, block, CHUNK);
        if (count == 0) break;
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) {
            status = status_fail_errno(error, errno, "%s", path);
        } else {
            *size += (uint64_t)count;
            status = hash_add(hash, block, (size_t)count, error);
        }
    }
    free(block);
    return status;
}

Status hash_file(const char *path, Job *job, uint64_t *size, char hex[HASH_HEX_SIZE], Error *error) {
    /* a FIFO must not make this wait before it is refused */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return status_fail_errno(error, errno, "%s", path);
    struct stat facts;
    uint64_t total = 0;
    Hash *hash = NULL;
    Status status = STATUS_OK;
    if (fstat(descriptor, &facts) != 0)
        status = status_fail_errno(error, errno, "%s", path);
    else if (!S_ISREG(facts.st_mode))
        status = status_fail(error, STATUS_FORMAT, "%s: expected a regular file", path);
    if (status == STATUS_OK) status = hash_create(&hash, error);
    if (status == STATUS_OK) status = add_descriptor(hash, descriptor, path, job, &total, error);
    if (status == STATUS_OK) status = hash_finish(hash, hex, error);
    if (status == STATUS_OK && size != NULL) *size = total;
    hash_free(hash);
    (void)close(descriptor); /* opened for reading: nothing can be lost */
    return status;
}

uint64_t hash_fnv1a(const void *bytes, size_t size) {
    uint64_t hash = 14695981039346656037U;
    for (size_t i = 0; i < size; i++) hash = (hash ^ ((const unsigned char *)bytes)[i]) * 1099511628211U;
    return hash;
}

bool hash_is_hex(const char *text) {
    return text != NULL && strlen(text) == HASH_HEX_SIZE - 1 &&
           strspn(text, "0123456789abcdef") == HASH_HEX_SIZE - 1;
}
