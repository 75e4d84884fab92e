// For memmem, which is no part of C.
#define _GNU_SOURCE
#include "kernels.h"
#include <stdlib.h>
#include <string.h>

typedef uint64_t v8u64 __attribute__((ext_vector_type(8)));
typedef uint32_t v8u32 __attribute__((ext_vector_type(8)));
typedef uint32_t v64u32 __attribute__((ext_vector_type(64)));
typedef uint16_t v64u16 __attribute__((ext_vector_type(64)));
typedef uint8_t v64u8 __attribute__((ext_vector_type(64)));
typedef _Bool b64 __attribute__((ext_vector_type(64)));

#define ALWAYS static inline __attribute__((always_inline))

// Pointer casts to vectors would promise an alignment that mapped files do not have; memcpy
// promises nothing.
#define load8(p) ({ v8u64 v_; __builtin_memcpy(&v_, (p), 64); v_; })
#define store8(p, x) ({ v8u64 v_ = (x); __builtin_memcpy((p), &v_, 64); })

// The r-th bit of `chosen` moves to the r-th set bit of `mask`.
ALWAYS uint64_t deposit(uint64_t chosen, uint64_t mask) {
    uint64_t result = 0;
    for (; chosen && mask; chosen >>= 1, mask &= mask - 1) {
        if (chosen & 1) result |= mask & -mask;
    }
    return result;
}

// The bits of `bits` where `mask` has one, moved together.
ALWAYS uint64_t extract(uint64_t bits, uint64_t mask) {
    uint64_t result = 0;
    for (unsigned r = 0; mask; r++, mask &= mask - 1) result |= (bits >> __builtin_ctzll(mask) & 1) << r;
    return result;
}

// Byte k of word j becomes byte j of word k.
#define bytes_by_value(x) __builtin_shufflevector((x), (x), \
    0, 8, 16, 24, 32, 40, 48, 56, 1, 9, 17, 25, 33, 41, 49, 57, 2, 10, 18, 26, 34, 42, 50, 58, \
    3, 11, 19, 27, 35, 43, 51, 59, 4, 12, 20, 28, 36, 44, 52, 60, 5, 13, 21, 29, 37, 45, 53, 61, \
    6, 14, 22, 30, 38, 46, 54, 62, 7, 15, 23, 31, 39, 47, 55, 63)

// The same, last byte first.
#define bytes_last_first(x) __builtin_shufflevector((x), (x), \
    56, 48, 40, 32, 24, 16, 8, 0, 57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, \
    59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36, 28, 20, 12, 4, 61, 53, 45, 37, 29, 21, 13, 5, \
    62, 54, 46, 38, 30, 22, 14, 6, 63, 55, 47, 39, 31, 23, 15, 7)

// Eight words, one for each bit, become 64 bytes, one for each bit's place: bytes are brought
// together value by value, then bits, in each eight bytes (after Warren).
#define swap_bits(x, distance, mask) ({ \
    const v8u64 t_ = ((x) ^ ((x) >> (distance))) & (mask); (x) ^ t_ ^ (t_ << (distance)); })
#define bits_by_value(bytes) ({ \
    v64u8 bytes_ = bytes_by_value(bytes); v8u64 x_; \
    __builtin_memcpy(&x_, &bytes_, 64); \
    x_ = swap_bits(x_, 7, 0x00AA00AA00AA00AAu); \
    x_ = swap_bits(x_, 14, 0x0000CCCC0000CCCCu); \
    x_ = swap_bits(x_, 28, 0x00000000F0F0F0F0u); \
    __builtin_memcpy(&bytes_, &x_, 64); bytes_; })

// Moves the numbers of the set bits of a word together.
ALWAYS size_t keep_numbers(const uint32_t *numbers, uint64_t m, uint32_t *kept) {
    size_t n = 0;
    for (; m; m &= m - 1) kept[n++] = numbers[__builtin_ctzll(m)];
    return n;
}

// Up to 64 bytes, and zeros behind them.
#define bytes_and_zeros(bytes, n) ({ v64u8 v_ = 0; memcpy(&v_, (bytes), (n)); v_; })

// A bit for each byte that is not 0.
#define bits_of(flags) ({ \
    const b64 bits_ = __builtin_convertvector((flags), b64); \
    uint64_t word_; memcpy(&word_, &bits_, 8); word_; })

#define any(x) (__builtin_reduce_or(x) != 0)

// Where a part begins in a text, n for nowhere, in time linear in both (two-way search).
static size_t ck_find_linear(const uint8_t *text, size_t n, const uint8_t *part, size_t m) {
    const uint8_t *found = memmem(text, n, part, m);
    return found ? (size_t)(found - text) : n;
}

// Moves the rows of the set bits of a word together; only processors that do 32 rows at a time gain
// by it.
#define keeps_words false
#define keep_word(rows, m, kept) 0
#define CK(name) name##_baseline
#define CK_NAME "baseline"
#include "body.inc"
#undef CK
#undef CK_NAME

#if defined(__x86_64__)

#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define CK(name) name##_avx2
#define CK_NAME "avx2"
#define deposit(chosen, mask) __builtin_ia32_pdep_di(chosen, mask)
#define extract(bits, mask) __builtin_ia32_pext_di(bits, mask)
#include "body.inc"
#undef CK
#undef CK_NAME
#pragma clang attribute pop

#undef keeps_words
#undef keep_word
#define keeps_words true

// x86-64-v4 alone prefers 256-bit vectors, which halves the speed of comparisons into bitsets.
#pragma clang attribute push( \
    __attribute__((target("arch=x86-64-v4,avx512vpopcntdq,avx512vbmi,avx512vbmi2,gfni,no-prefer-256-bit"))), \
    apply_to = function)
typedef short v32i16 __attribute__((vector_size(64)));
typedef int v16i32 __attribute__((vector_size(64)));
typedef char v64i8 __attribute__((vector_size(64)));
ALWAYS size_t keep_word(const uint16_t *rows, uint64_t m, uint16_t *kept) {
    v32i16 low, high;
    memcpy(&low, rows, 64);
    memcpy(&high, rows + 32, 64);
    low = __builtin_ia32_compresshi512_mask(low, (v32i16){0}, (uint32_t)m);
    high = __builtin_ia32_compresshi512_mask(high, (v32i16){0}, (uint32_t)(m >> 32));
    const size_t n = (size_t)__builtin_popcount((uint32_t)m);
    memcpy(kept, &low, 64);
    memcpy(kept + n, &high, 64);
    return (size_t)__builtin_popcountll(m);
}
ALWAYS size_t keep_numbers_wide(const uint32_t *numbers, uint64_t m, uint32_t *kept) {
    size_t n = 0;
    for (size_t i = 0; i < 64; i += 16, m >>= 16) {
        v16i32 some;
        memcpy(&some, numbers + i, 64);
        some = __builtin_ia32_compresssi512_mask(some, (v16i32){0}, (uint16_t)m);
        memcpy(kept + n, &some, 64);
        n += (size_t)__builtin_popcount((uint16_t)m);
    }
    return n;
}
#define keep_numbers(numbers, m, kept) keep_numbers_wide(numbers, m, kept)
// Multiplied with the identity, the bits of eight bytes, last first, change places with bytes.
#undef bits_by_value
#define bits_by_value(bytes) ({ \
    v64i8 x_, identity_; \
    v64u8 reversed_ = bytes_last_first(bytes), result_; \
    memcpy(&x_, &reversed_, 64); \
    const v8u64 ones_ = 0x8040201008040201u; \
    memcpy(&identity_, &ones_, 64); \
    x_ = __builtin_ia32_vgf2p8affineqb_v64qi(identity_, x_, 0); \
    memcpy(&result_, &x_, 64); result_; })
#define CK(name) name##_avx512
#define CK_NAME "avx512"
#include "body.inc"
#undef CK
#undef CK_NAME
#undef deposit
#undef extract
#pragma clang attribute pop

const ck_table *ck_variant(size_t i) {
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("x86-64-v3");
    const bool avx512 = __builtin_cpu_supports("x86-64-v4") && __builtin_cpu_supports("avx512vpopcntdq")
        && __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2")
        && __builtin_cpu_supports("gfni");
    if (i == 0) return &table_baseline;
    if (i == 1 && avx2) return &table_avx2;
    if (i == 2 && avx2 && avx512) return &table_avx512;
    return NULL;
}

#else

const ck_table *ck_variant(size_t i) { return i == 0 ? &table_baseline : NULL; }

#endif

static const ck_table *chosen_table;

__attribute__((constructor)) static void choose_table(void) {
    const char *wanted = getenv("WINNOW_ISA");
    const ck_table *variant;
    for (size_t i = 0; (variant = ck_variant(i)); i++) {
        chosen_table = variant;
        if (wanted && strcmp(wanted, variant->name) == 0) return;
    }
}

const ck_table *ck_kernels(void) { return chosen_table; }
