#include "CPlatform.h"

#include <malloc.h>

void campus_trim_heap(void) { malloc_trim(0); }
