#ifndef CAMPUS_CPLATFORM_H
#define CAMPUS_CPLATFORM_H
// libc calls that Swift's Glibc overlay cannot reach. Header-only wrappers; no state.
#include <malloc.h>
#include <stddef.h>

/// Gives freed heap pages back to the kernel after a bulk job. The corresponding C function is `malloc_trim`.
static inline int campus_malloc_trim(size_t pad) { return malloc_trim(pad); }

/// Limits the number of glibc malloc arenas; call first thing in main. The corresponding C function is `mallopt`.
static inline int campus_limit_malloc_arenas(int count) { return mallopt(M_ARENA_MAX, count); }

#endif
