// zlib, with the two initializers that are macros there. Raw deflate streams (RFC 1951), as COMPRESS=DEFLATE has them.
#ifndef FERRY_CZLIB_SHIM_H
#define FERRY_CZLIB_SHIM_H

#include <zlib.h>

static inline int ferry_inflate_init_raw(z_stream *stream) {
    return inflateInit2(stream, -15);
}

static inline int ferry_deflate_init_raw(z_stream *stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
}

#endif
