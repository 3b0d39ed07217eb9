// zlib, with the initializers that are macros there. A raw stream (RFC 1951) is what COMPRESS=DEFLATE has; HTTP has gzip
// (RFC 1952) and the zlib format (RFC 1950).
#ifndef FERRY_CZLIB_SHIM_H
#define FERRY_CZLIB_SHIM_H

#include <zlib.h>

static inline int ferry_inflate_init_raw(z_stream *stream) {
    return inflateInit2(stream, -15);
}

static inline int ferry_deflate_init_raw(z_stream *stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
}

/// `window_bits`: 15 for the zlib format, 31 for gzip.
static inline int ferry_inflate_init(z_stream *stream, int window_bits) {
    return inflateInit2(stream, window_bits);
}

/// `window_bits`: 15 for the zlib format, 31 for gzip.
static inline int ferry_deflate_init(z_stream *stream, int level, int window_bits) {
    return deflateInit2(stream, level, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
}

#endif
