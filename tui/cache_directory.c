#include "tui/cache_directory.h"

#include "core/memory.h"

#include <stdlib.h>

char *cache_directory_find(void) {
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache != NULL && cache[0] == '/') return memory_format("%s/rejuv", cache);
    if (home != NULL && home[0] == '/') return memory_format("%s/.cache/rejuv", home);
    return NULL;
}
