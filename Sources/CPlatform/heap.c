#include "CPlatform.h"

#include <malloc.h>

void campus_trim_heap(void) { malloc_trim(0); }

void campus_map_large_allocations(void) { mallopt(M_MMAP_THRESHOLD, 128 * 1024); }
