/* parts — several things that share one row of tasks, the tasks of each behind those of the one before. */
#ifndef REJUV_CORE_PARTS_H
#define REJUV_CORE_PARTS_H

#include <stddef.h>

/* The number of the thing that a task belongs to. *first is the first task of the first, that of the next lies `stride` bytes
 * on; there is one at least, and one without tasks is passed over. */
size_t parts_find(const size_t *first, size_t stride, size_t count, size_t task);

#endif
