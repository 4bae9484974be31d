#include "core/files/hash.h"

#include "core/support/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 1 << 20 };

struct Hash {
    EVP_MD_CTX *context;
};

static Status begin(Hash *hash, Error *error) {
    if (EVP_DigestInit_ex(hash->context, EVP_sha256(), NULL) == 1) return STATUS_OK;
    return status_fail(error, STATUS_UNSUPPORTED, "libcrypto offers no SHA-256");
}

Status hash_create(Hash **hash, Error *error) {
    *hash = NULL;
    Hash *made = memory_allocate(1, sizeof *made);
    if (made == NULL || (made->context = EVP_MD_CTX_new()) == NULL) {
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
    if (size == 0 || EVP_DigestUpdate(hash->context, bytes, size) == 1) return STATUS_OK;
    return status_fail(error, STATUS_UNSUPPORTED, "libcrypto could not go on with a SHA-256");
}

Status hash_finish(Hash *hash, char hex[HASH_HEX_SIZE], Error *error) {
    static const char DIGITS[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    if (EVP_DigestFinal_ex(hash->context, digest, &length) != 1 || length != (HASH_HEX_SIZE - 1) / 2)
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
