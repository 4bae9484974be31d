#include "core/numerics/blas_buffers.h"

#include "core/support/memory_limit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum {
    MOST_BUFFERS = 512,
    FEWEST_PLACES = 50,     /* that any OpenBLAS has for buffers */
    OTHERS_SPACE = 24 << 20 /* what the rest of the process shall find free beside the first buffer */
};

static const char WHAT[] = "a product of matrices";

/* Buffers that are there (high half) and products that are being computed (low half), changed together. While more
 * buffers are mapped there are none, so that no product begins. */
static _Atomic uint64_t gate;
static _Atomic unsigned waiting; /* threads that wait for `changed` */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static unsigned count_there(uint64_t state) {
    return (unsigned)(state >> 32);
}

static unsigned count_running(uint64_t state) {
    return (unsigned)(state & UINT32_MAX);
}

/* ---- products ---- */

static bool try_enter(void) {
    uint64_t state = atomic_load(&gate);
    while (count_running(state) < count_there(state)) {
        if (atomic_compare_exchange_weak(&gate, &state, state + 1)) return true;
    }
    return false;
}

const BlasLibrary *blas_buffers_enter(void) {
    if (!try_enter()) {
        (void)pthread_mutex_lock(&lock); /* nothing here can fail: initialised above, held once */
        (void)atomic_fetch_add(&waiting, 1);
        while (!try_enter()) (void)pthread_cond_wait(&changed, &lock);
        (void)atomic_fetch_sub(&waiting, 1);
        (void)pthread_mutex_unlock(&lock);
    }
    return blas_library_get();
}

void blas_buffers_leave(void) {
    (void)atomic_fetch_sub(&gate, 1);
    if (atomic_load(&waiting) == 0)
        return; /* who begins to wait looks at the gate after it has counted itself */
    (void)pthread_mutex_lock(&lock);
    (void)pthread_cond_broadcast(&changed);
    (void)pthread_mutex_unlock(&lock);
}

unsigned blas_buffers_count(void) {
    return count_there(atomic_load(&gate));
}

/* ---- buffers ---- */

/* OpenBLAS has a place for two buffers of each thread that it was built for, fifty at least. */
static unsigned count_places(const BlasLibrary *library) {
    unsigned threads = 0;
    const char *told = strstr(library->configuration(), "MAX_THREADS=");
    if (told != NULL) (void)sscanf(told, "MAX_THREADS=%u", &threads); /* unread: 0 */
    unsigned places = threads < MOST_BUFFERS / 2 ? 2 * threads : MOST_BUFFERS;
    return places < FEWEST_PLACES ? FEWEST_PLACES : places;
}

/* Where OpenBLAS does not show how it takes buffers, their room is kept until all are counted. */
static void *take(const BlasLibrary *library) {
    if (library->allocate != NULL && library->release != NULL) return library->allocate(0);
    void *map = mmap(NULL, BLAS_LIBRARY_BUFFER, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return map != MAP_FAILED ? map : NULL;
}

static void give_back(const BlasLibrary *library, void *buffer) {
    if (library->allocate != NULL && library->release != NULL)
        library->release(buffer);
    else
        (void)munmap(buffer, BLAS_LIBRARY_BUFFER); /* it was mapped above */
}

/* Takes all that shall be there at once, so that each is another one, and gives them back: they stay mapped. Nobody
 * multiplies meanwhile. Returns how many there are now; `error` tells why not more. */
static unsigned map_buffers(const BlasLibrary *library, unsigned there, unsigned wanted, Error *error) {
    static void *buffers[MOST_BUFFERS]; /* under the lock of growing */
    unsigned count = 0;
    while (count < wanted) {
        size_t others =
            count == 0 ? OTHERS_SPACE : BLAS_LIBRARY_BUFFER; /* half of what is left stays theirs */
        if (count >= there && memory_limit_check(BLAS_LIBRARY_BUFFER + others, WHAT, error) != STATUS_OK)
            break;
        void *buffer = take(library);
        if (buffer == NULL) {
            (void)status_fail(error, STATUS_NO_MEMORY, "OpenBLAS gets no buffer");
            break;
        }
        buffers[count++] = buffer;
    }
    for (unsigned i = count; i > 0; i--) give_back(library, buffers[i - 1]);
    return count;
}

/* Shuts the gate, waits until nobody is inside, maps, and opens it. */
static unsigned grow(const BlasLibrary *library, unsigned wanted, Error *error) {
    (void)pthread_mutex_lock(&lock);
    unsigned there = count_there(atomic_fetch_and(&gate, UINT32_MAX));
    (void)atomic_fetch_add(&waiting, 1);
    while (count_running(atomic_load(&gate)) > 0) (void)pthread_cond_wait(&changed, &lock);
    (void)atomic_fetch_sub(&waiting, 1);
    there = map_buffers(library, there, wanted, error);
    atomic_store(&gate, (uint64_t)there << 32);
    (void)pthread_cond_broadcast(&changed);
    (void)pthread_mutex_unlock(&lock);
    return there;
}

Status blas_buffers_prepare(unsigned threads, Error *error) {
    static pthread_mutex_t growing = PTHREAD_MUTEX_INITIALIZER;
    Status status = blas_library_load(error);
    if (status != STATUS_OK) return status;
    const BlasLibrary *library = blas_library_get();
    unsigned places = count_places(library);
    unsigned wanted = threads < places ? threads : places;
    if (wanted == 0) wanted = 1;
    Error why = {0};
    (void)pthread_mutex_lock(&growing);
    unsigned there = blas_buffers_count();
    if (there < wanted) there = grow(library, wanted, &why);
    (void)pthread_mutex_unlock(&growing);
    if (there > 0) return STATUS_OK;
    if (error != NULL) *error = why;
    return why.status;
}
