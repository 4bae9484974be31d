/*
 * hold_workers — preloaded, it stops every thread but the first where it takes a logarithm, which every pass over rows
 * does, for as long as the file that HOLD_WORKERS names is there. So that a screen can be looked at which otherwise a pass
 * would soon replace.
 */
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const struct timespec MOMENT = {.tv_nsec = 5000000};

double log(double value);

double log(double value) {
    static _Atomic(double (*)(double)) found;
    double (*real)(double) = atomic_load(&found);
    if (real == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "log");
        atomic_store(&found, real);
    }
    const char *path = gettid() == getpid() ? NULL : getenv("HOLD_WORKERS");
    while (path != NULL && access(path, F_OK) == 0) (void)nanosleep(&MOMENT, NULL);
    return real(value);
}
