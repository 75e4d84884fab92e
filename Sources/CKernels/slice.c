#include "kernels.h"
#include <string.h>

static size_t stride_at(size_t count, size_t group) {
    const size_t rest = count - group * 512;
    return rest < 512 ? (rest + 7) / 8 : 64;
}

// Eight values give a byte of each slice: bits of one value are spread to the bytes of a word per
// eight slices by transposing an 8 x 8 bit matrix (Hacker's Delight, 7-3).
static uint64_t transpose8(uint64_t x) {
    uint64_t t = (x ^ (x >> 7)) & 0x00AA00AA00AA00AAu;
    x ^= t ^ (t << 7);
    t = (x ^ (x >> 14)) & 0x0000CCCC0000CCCCu;
    x ^= t ^ (t << 14);
    t = (x ^ (x >> 28)) & 0x00000000F0F0F0F0u;
    return x ^ t ^ (t << 28);
}

void ck_slice(const uint64_t *values, size_t n, unsigned width, uint8_t *sliced) {
    for (size_t i = 0; i < n; i += 8) {
        const size_t group = i / 512, stride = stride_at(n, group);
        uint8_t *at = sliced + group * 64 * width + (i % 512) / 8;
        uint64_t v[8] = {0};
        memcpy(v, values + i, (n - i < 8 ? n - i : 8) * 8);
        for (unsigned low = 0; low < width; low += 8) {
            uint64_t bytes = 0;
            for (unsigned lane = 0; lane < 8; lane++) bytes |= (v[lane] >> low & 0xFF) << (8 * lane);
            bytes = transpose8(bytes);
            for (unsigned bit = 0; bit < 8 && low + bit < width; bit++) {
                at[(width - 1 - low - bit) * stride] = (uint8_t)(bytes >> (8 * bit));
            }
        }
    }
}

void ck_unslice(const uint8_t *sliced, size_t count, unsigned width, size_t first, size_t n, uint64_t *out) {
    const size_t end = first + n;
    for (size_t i = first / 8 * 8; i < end; i += 8) {
        const size_t group = i / 512, stride = stride_at(count, group);
        const uint8_t *at = sliced + group * 64 * width + (i % 512) / 8;
        uint64_t v[8] = {0};
        for (unsigned low = 0; low < width; low += 8) {
            uint64_t bytes = 0;
            for (unsigned bit = 0; bit < 8 && low + bit < width; bit++) {
                bytes |= (uint64_t)at[(width - 1 - low - bit) * stride] << (8 * bit);
            }
            bytes = transpose8(bytes);
            for (unsigned lane = 0; lane < 8; lane++) v[lane] |= (bytes >> (8 * lane) & 0xFF) << low;
        }
        for (size_t lane = 0; lane < 8; lane++) {
            if (i + lane >= first && i + lane < end) out[i + lane - first] = v[lane];
        }
    }
}
