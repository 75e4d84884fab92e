#pragma once
#include <zlib.h>

// A macro that Swift does not see.
static inline int winnow_inflate_gzip(z_stream *stream) { return inflateInit2(stream, 15 + 16); }
