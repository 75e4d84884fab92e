#include "kernels.h"
#include <pthread.h>
#include <string.h>

// CRC-32C, eight bytes at a time, for processors without an instruction. The table is built when it is
// first used: no other process has to wait for it.
static uint32_t crc_table[8][256];
static pthread_once_t crc_table_built = PTHREAD_ONCE_INIT;

static void build_crc_table(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++) c = c & 1 ? c >> 1 ^ 0x82f63b78u : c >> 1;
        crc_table[0][i] = c;
    }
    for (int t = 1; t < 8; t++) {
        for (int i = 0; i < 256; i++) {
            const uint32_t before = crc_table[t - 1][i];
            crc_table[t][i] = before >> 8 ^ crc_table[0][before & 255];
        }
    }
}

uint32_t ck_crc32c_portable(uint32_t crc, const void *bytes, size_t n) {
    pthread_once(&crc_table_built, build_crc_table);
    const uint8_t *p = bytes;
    crc = ~crc;
    while (n >= 8) {
        uint64_t x;
        memcpy(&x, p, 8);
        x ^= crc;
        crc = crc_table[7][x & 255] ^ crc_table[6][x >> 8 & 255] ^ crc_table[5][x >> 16 & 255]
            ^ crc_table[4][x >> 24 & 255] ^ crc_table[3][x >> 32 & 255] ^ crc_table[2][x >> 40 & 255]
            ^ crc_table[1][x >> 48 & 255] ^ crc_table[0][x >> 56];
        p += 8;
        n -= 8;
    }
    while (n--) crc = crc >> 8 ^ crc_table[0][(crc ^ *p++) & 255];
    return ~crc;
}

#if defined(__x86_64__)
enum { STREAM = 2048 };
typedef long long v2i64 __attribute__((vector_size(16)));

// What STREAM zero bytes do to a register: it is multiplied with x^(8 STREAM - 33) without carries,
// the lowest bit being the highest power; the instruction reduces the product and adds 33 to the power.
__attribute__((target("sse4.2,pclmul"))) static uint32_t shift(uint32_t crc) {
    const v2i64 product = __builtin_ia32_pclmulqdq128((v2i64){crc, 0}, (v2i64){0xa51b6135, 0}, 0);
    return (uint32_t)__builtin_ia32_crc32di(0, (unsigned long long)product[0]);
}

// The instruction has a latency of three cycles, so three streams run side by side and are joined.
__attribute__((target("sse4.2,pclmul"))) static uint32_t crc_bytes(uint32_t crc, const uint8_t *p, size_t n) {
    while (n >= 3 * STREAM) {
        uint64_t a = crc, b = 0, c = 0;
        for (size_t i = 0; i < STREAM; i += 8) {
            uint64_t x, y, z;
            memcpy(&x, p + i, 8);
            memcpy(&y, p + STREAM + i, 8);
            memcpy(&z, p + 2 * STREAM + i, 8);
            a = __builtin_ia32_crc32di(a, x);
            b = __builtin_ia32_crc32di(b, y);
            c = __builtin_ia32_crc32di(c, z);
        }
        crc = shift(shift((uint32_t)a) ^ (uint32_t)b) ^ (uint32_t)c;
        p += 3 * STREAM;
        n -= 3 * STREAM;
    }
    uint64_t wide = crc;
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t x;
        memcpy(&x, p, 8);
        wide = __builtin_ia32_crc32di(wide, x);
    }
    crc = (uint32_t)wide;
    while (n--) crc = __builtin_ia32_crc32qi(crc, *p++);
    return crc;
}
#endif

uint32_t ck_crc32c(uint32_t crc, const void *bytes, size_t n) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul")) return ~crc_bytes(~crc, bytes, n);
#endif
    return ck_crc32c_portable(crc, bytes, n);
}

static const uint64_t P1 = 0x9E3779B185EBCA87u, P2 = 0xC2B2AE3D27D4EB4Fu, P3 = 0x165667B19E3779F9u,
                      P4 = 0x85EBCA77C2B2AE63u, P5 = 0x27D4EB2F165667C5u;

static uint64_t rotate(uint64_t x, int by) { return x << by | x >> (64 - by); }
static uint64_t read64(const uint8_t *p) { uint64_t x; memcpy(&x, p, 8); return x; }
static uint64_t lane(uint64_t acc, uint64_t input) { return rotate(acc + input * P2, 31) * P1; }

uint64_t ck_xxh64(const void *bytes, size_t n, uint64_t seed) {
    const uint8_t *p = bytes;
    size_t left = n;
    uint64_t h;
    if (left >= 32) {
        uint64_t acc[4] = {seed + P1 + P2, seed + P2, seed, seed - P1};
        for (; left >= 32; left -= 32, p += 32) {
            for (int i = 0; i < 4; i++) acc[i] = lane(acc[i], read64(p + 8 * i));
        }
        h = rotate(acc[0], 1) + rotate(acc[1], 7) + rotate(acc[2], 12) + rotate(acc[3], 18);
        for (int i = 0; i < 4; i++) h = (h ^ lane(0, acc[i])) * P1 + P4;
    } else {
        h = seed + P5;
    }
    h += n;
    for (; left >= 8; left -= 8, p += 8) h = rotate(h ^ lane(0, read64(p)), 27) * P1 + P4;
    if (left >= 4) {
        uint32_t x;
        memcpy(&x, p, 4);
        h = rotate(h ^ x * P1, 23) * P2 + P3;
        p += 4;
        left -= 4;
    }
    for (; left; left--, p++) h = rotate(h ^ *p * P5, 11) * P1;
    h = (h ^ h >> 33) * P2;
    h = (h ^ h >> 29) * P3;
    return h ^ h >> 32;
}
