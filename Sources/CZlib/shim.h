#ifndef CAMPUS_CZLIB_SHIM_H
#define CAMPUS_CZLIB_SHIM_H
#include <zlib.h>

// deflateInit2 is a macro, which Swift does not see. 15 bits of window, 16 more for gzip's header and checksum.
static inline int campus_gzip_start(z_stream *stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}
#endif
