#ifndef FERRY_ALLOCATOR_SETTLE_H
#define FERRY_ALLOCATOR_SETTLE_H

#include <malloc.h>

/// Sets the C library's allocator for a process that lives long and moves much: free memory goes back to the system.
/// Call it before anything else of the process.
///
/// By default glibc lets its threshold for blocks of their own grow with the blocks it sees, and keeps an arena for each
/// of many threads: then one large mailbox marks the size of the process for good.
static inline void ferry_settle_allocator(void) {
#ifdef __GLIBC__
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    mallopt(M_TRIM_THRESHOLD, 256 * 1024);
#endif
}

#endif
