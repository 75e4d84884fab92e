// The vector loops of the engine. Each is written once (body.inc) and compiled per instruction set into a table of
// function pointers; `ck_kernels()` is the table that was chosen at start. Bit i of a bitset is bit i % 64 of word
// i / 64. Nothing here allocates, reads files or knows what a profile is.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ck_table {
    const char *_Nonnull name;

    // Set algebra over `words` 64-bit words, in place; `words` is a multiple of 8.
    void (*_Nonnull and_into)(uint64_t *_Nonnull d, const uint64_t *_Nonnull a, size_t words);
    void (*_Nonnull or_into)(uint64_t *_Nonnull d, const uint64_t *_Nonnull a, size_t words);
    void (*_Nonnull andnot_into)(uint64_t *_Nonnull d, const uint64_t *_Nonnull a, size_t words);  // d &= ~a
    void (*_Nonnull not_within)(uint64_t *_Nonnull d, const uint64_t *_Nonnull a, size_t words);   // d = a & ~d
    size_t (*_Nonnull popcount)(const uint64_t *_Nonnull a, size_t words);

    // Counting: one byte counter a row. The caller knows that no counter can pass 255; only count_bitset saturates.
    void (*_Nonnull count_rows)(uint8_t *_Nonnull counters, const uint16_t *_Nonnull rows, size_t n);
    void (*_Nonnull count_rows_by)(
        uint8_t *_Nonnull counters, const uint16_t *_Nonnull rows, const uint32_t *_Nonnull by, size_t n);
    void (*_Nonnull count_bitset)(
        uint8_t *_Nonnull counters, const uint64_t *_Nonnull bits, size_t words, uint8_t by);
    // The same with 64-bit counters, for scopes in which a row can have more.
    void (*_Nonnull count_rows_wide)(
        uint64_t *_Nonnull counters, const uint16_t *_Nonnull rows, const uint32_t *_Nullable by, size_t n);
    // out bit i = lo <= counters[i] <= hi; n is a multiple of 64.
    void (*_Nonnull counters_between)(
        const uint8_t *_Nonnull counters, uint8_t lo, uint8_t hi, uint64_t *_Nonnull out, size_t n);
    void (*_Nonnull counters_between_wide)(
        const uint64_t *_Nonnull counters, uint64_t lo, uint64_t hi, uint64_t *_Nonnull out, size_t n);

    // Rows and bitsets.
    void (*_Nonnull set_rows)(uint64_t *_Nonnull bits, const uint16_t *_Nonnull rows, size_t n);
    size_t (*_Nonnull rows_of)(const uint64_t *_Nonnull bits, size_t words, uint16_t *_Nonnull rows);
    // Keeps the rows whose value lies in lo...hi; `kept` may be `rows`. Returns how many.
    size_t (*_Nonnull keep_between)(
        const uint16_t *_Nonnull rows, const uint64_t *_Nonnull values, size_t n, uint64_t lo, uint64_t hi,
        uint16_t *_Nonnull kept);
    // Spreads bits by rank: bit r of `ranks` becomes the r-th set bit of `members`.
    void (*_Nonnull expand)(
        const uint64_t *_Nonnull members, size_t words, const uint64_t *_Nonnull ranks, uint64_t *_Nonnull out);

    // Bit-sliced comparison: slice s holds bit s of every value, `words` words a slice, low bit first.
    // out = positions whose value lies in lo...hi.
    void (*_Nonnull slices_between)(
        const uint64_t *_Nonnull slices, unsigned width, size_t words, uint64_t lo, uint64_t hi,
        uint64_t *_Nonnull out);
} ck_table;

/// The table in use: the best that this processor can run, or the one that WINNOW_ISA names (baseline, avx2, avx512).
const ck_table *_Nonnull ck_kernels(void);
/// The i-th table that this processor can run, baseline first; NULL behind the last.
const ck_table *_Nullable ck_variant(size_t i);

/// Values `first ..< first + n` of a bit-packed sequence of `width` bits each (0...57); reads up to 8 bytes past.
void ck_unpack(const uint8_t *_Nonnull packed, size_t first, size_t n, unsigned width, uint64_t *_Nonnull out);
/// Same, into 32 bits, `add` added to each; width 0...32.
void ck_unpack32(
    const uint8_t *_Nonnull packed, size_t first, size_t n, unsigned width, uint32_t add, uint32_t *_Nonnull out);

/// CRC-32C (Castagnoli), as iSCSI and ext4 use it.
uint32_t ck_crc32c(uint32_t crc, const void *_Nonnull bytes, size_t n);
/// XXH64 of https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
uint64_t ck_xxh64(const void *_Nullable bytes, size_t n, uint64_t seed);

/// Sorts keys by their low `bits` bits (least significant digit radix sort); `scratch` has room for n.
void ck_sort(uint64_t *_Nonnull keys, uint64_t *_Nonnull scratch, size_t n, unsigned bits);
