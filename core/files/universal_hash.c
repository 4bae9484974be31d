#include "core/files/universal_hash.h"

#include "core/support/memory.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

enum { KEY_SIZE = 16, IV_SIZE = 12 };

struct UniversalHash {
    EVP_MAC_CTX *context;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static unsigned char key[KEY_SIZE];
static bool has_key;

static void draw_key(void) {
    has_key = RAND_priv_bytes(key, sizeof key) == 1;
}

/* One nonce for all: two tags are then equal where what GMAC computes before it encrypts is. A nonce of its own would
 * keep the key from whoever sees the tags, and nobody does. */
static Status begin(UniversalHash *hash, Error *error) {
    static const char CIPHER[] = "AES-128-GCM";
    unsigned char iv[IV_SIZE] = {0};
    char cipher[sizeof CIPHER];
    for (size_t i = 0; i < sizeof cipher; i++) cipher[i] = CIPHER[i];
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher, 0),
                                     OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_IV, iv, sizeof iv),
                                     OSSL_PARAM_construct_end()};
    if (EVP_MAC_init(hash->context, key, sizeof key, parameters) == 1) return STATUS_OK;
    return status_fail(error, STATUS_UNSUPPORTED, "libcrypto could not begin a GMAC");
}

Status universal_hash_create(UniversalHash **hash, Error *error) {
    *hash = NULL;
    (void)pthread_once(&once, draw_key); /* cannot fail: `once` is one */
    if (!has_key) return status_fail(error, STATUS_UNSUPPORTED, "libcrypto offers no random key");
    EVP_MAC *kind = EVP_MAC_fetch(NULL, "GMAC", NULL);
    if (kind == NULL) return status_fail(error, STATUS_UNSUPPORTED, "libcrypto offers no GMAC");
    UniversalHash *made = memory_allocate(1, sizeof *made);
    if (made != NULL) made->context = EVP_MAC_CTX_new(kind);
    EVP_MAC_free(kind); /* the context holds it */
    Status status = made == NULL || made->context == NULL ? memory_fail(error, "a tag") : begin(made, error);
    if (status == STATUS_OK)
        *hash = made;
    else
        universal_hash_free(made);
    return status;
}

void universal_hash_free(UniversalHash *hash) {
    if (hash == NULL) return;
    EVP_MAC_CTX_free(hash->context);
    free(hash);
}

Status universal_hash_add(UniversalHash *hash, const void *bytes, size_t size, Error *error) {
    if (size == 0 || EVP_MAC_update(hash->context, bytes, size) == 1) return STATUS_OK;
    return status_fail(error, STATUS_UNSUPPORTED, "libcrypto could not go on with a GMAC");
}

Status universal_hash_finish(UniversalHash *hash, unsigned char tag[UNIVERSAL_HASH_SIZE], Error *error) {
    size_t length = 0;
    if (EVP_MAC_final(hash->context, tag, &length, UNIVERSAL_HASH_SIZE) != 1 || length != UNIVERSAL_HASH_SIZE)
        return status_fail(error, STATUS_UNSUPPORTED, "libcrypto could not finish a GMAC");
    return begin(hash, error);
}
