#include "kernels.h"

// Horizontal packing: value i starts at bit i * width. One unaligned 8-byte load a value serves
// widths up to 57; the vectoriser must stay away, its gathers are several times slower than these
// loads.
void ck_unpack32(const uint8_t *packed, size_t first, size_t n, unsigned width, uint32_t add, uint32_t *out) {
    const uint64_t mask = ((uint64_t)1 << width) - 1;
    uint64_t bit = (uint64_t)first * width;
#pragma clang loop vectorize(disable)
    for (size_t i = 0; i < n; i++, bit += width) {
        uint64_t x;
        __builtin_memcpy(&x, packed + (bit >> 3), 8);
        out[i] = (uint32_t)(x >> (bit & 7) & mask) + add;
    }
}
