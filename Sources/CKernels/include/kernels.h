// The vector loops of the engine. Each is written once (body.inc) and compiled per instruction set
// into a table of function pointers; `ck_kernels()` is the table that was chosen at start. Bit i of
// a bitset is bit i % 64 of word i / 64. Nothing here allocates, reads files or knows what a
// profile is.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/// What came before a piece of events, see `events_of_ranks`.
typedef struct {
    /// Rows so far.
    size_t ranks;
    /// Whether the last event was chosen.
    bool fills;
} ck_passed;

typedef struct ck_table {
    const char *_Nonnull name;

    // Set algebra over `words` 64-bit words, in place; `words` is a multiple of 8.
    void (*_Nonnull and_into)(uint64_t *_Nonnull d, const uint64_t *_Nonnull a, size_t words);
    void (*_Nonnull or_into)(uint64_t *_Nonnull d, const uint64_t *_Nonnull a, size_t words);
    void (*_Nonnull andnot_into)(uint64_t *_Nonnull d, const uint64_t *_Nonnull a, size_t words);  // d &= ~a
    void (*_Nonnull not_within)(uint64_t *_Nonnull d, const uint64_t *_Nonnull a, size_t words);   // d = a & ~d
    size_t (*_Nonnull popcount)(const uint64_t *_Nonnull a, size_t words);
    size_t (*_Nonnull popcount_both)(const uint64_t *_Nonnull a, const uint64_t *_Nonnull b, size_t words);

    // Counting: one byte counter a row. Only count_bitset and count_rows_saturating stop at 255; of
    // the others the caller knows that no counter can pass it.
    void (*_Nonnull count_rows)(uint8_t *_Nonnull counters, const uint16_t *_Nonnull rows, size_t n);
    void (*_Nonnull count_rows_by)(
        uint8_t *_Nonnull counters, const uint16_t *_Nonnull rows, const uint32_t *_Nonnull by, size_t n);
    // counters[i] = min(counters[i], cap); n is a multiple of 64.
    void (*_Nonnull cap_counters)(uint8_t *_Nonnull counters, uint8_t cap, size_t n);
    void (*_Nonnull count_rows_saturating)(
        uint8_t *_Nonnull counters, const uint16_t *_Nonnull rows, const uint32_t *_Nullable by, size_t n);
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
    // The rows of a set, ascending; it has at most `room` of them, for which there is room.
    size_t (*_Nonnull rows_of)(
        const uint64_t *_Nonnull bits, size_t words, uint16_t *_Nonnull rows, size_t room);
    // The rows that come at least `least` (1 or more) and at most `most` times in a list in which
    // equal ones stand together; `kept` has room for n + 64. Returns how many.
    size_t (*_Nonnull repeated_rows)(
        const uint16_t *_Nonnull rows, size_t n, size_t least, size_t most, uint16_t *_Nonnull kept);
    // The rows of the events that the mask chooses, each as often as chosen; `kept` has room for n
    // + 64. Returns how many.
    size_t (*_Nonnull keep_rows)(
        const uint16_t *_Nonnull rows, const uint64_t *_Nonnull mask, size_t n, uint16_t *_Nonnull kept);
    // The same for events of which only the first of each of the `distinct` rows has its bit set in
    // `starts`. Long runs come in pieces: `passed` says how many rows came before, and is counted
    // on. -1 when bits and rows do not fit.
    ptrdiff_t (*_Nonnull keep_ranked)(
        const uint16_t *_Nonnull rows, size_t distinct, const uint8_t *_Nonnull starts, const uint64_t *_Nonnull mask,
        size_t n, size_t *_Nonnull passed, uint16_t *_Nonnull kept);
    // Spreads bits by rank: bit r of `ranks` becomes the r-th set bit of `members`.
    void (*_Nonnull expand)(
        const uint64_t *_Nonnull members, size_t words, const uint64_t *_Nonnull ranks, uint64_t *_Nonnull out);

    // Gathers bits by rank: the bit of `bits` at the r-th set bit of `members` becomes bit r of
    // `ranks`, which has room for one word more than there are.
    void (*_Nonnull gather)(
        const uint64_t *_Nonnull members, const uint64_t *_Nonnull bits, size_t words, uint64_t *_Nonnull ranks);
    // Takes the events of rows that are not in a set off the mask of `n`, an event a row.
    void (*_Nonnull narrow_to_rows)(
        const uint16_t *_Nonnull rows, size_t n, const uint64_t *_Nonnull set, uint64_t *_Nonnull mask);
    // Makes the mask the events of the rows whose rank is in `ranks`, which has a word more than
    // there are; of the events of a row only the first has its bit set in `starts`. Long runs come
    // in pieces. false when bits and rows do not fit.
    bool (*_Nonnull events_of_ranks)(
        const uint64_t *_Nonnull ranks, size_t distinct, const uint8_t *_Nonnull starts, size_t n,
        ck_passed *_Nonnull passed, uint64_t *_Nonnull mask);

    // Where the `m` bytes of a part first begin in the `n` bytes of a text; n for nowhere.
    size_t (*_Nonnull find_bytes)(
        const uint8_t *_Nonnull text, size_t n, const uint8_t *_Nonnull part, size_t m);
    // Bit i of `marks`, of which there are whole words, says whether byte i of a text is one of the
    // four of `wanted`.
    void (*_Nonnull mark_bytes)(
        const uint8_t *_Nonnull text, size_t n, uint32_t wanted, uint64_t *_Nonnull marks);
    size_t (*_Nonnull count_byte)(const uint8_t *_Nonnull text, size_t n, uint8_t byte);
    bool (*_Nonnull is_ascii)(const uint8_t *_Nonnull text, size_t n);

    // Bit-sliced values, see ck_slice. Positions whose value does not lie in lo...hi leave the
    // mask; only those in it are looked at. The mask has whole groups of 512.
    void (*_Nonnull sliced_between)(
        const uint8_t *_Nonnull sliced, size_t n, unsigned width, uint64_t lo, uint64_t hi, uint64_t *_Nonnull mask);
    // One bit of every value; `out` has whole groups of 512, what lies behind the last value is
    // undefined.
    void (*_Nonnull sliced_bit)(
        const uint8_t *_Nonnull sliced, size_t n, unsigned width, unsigned bit, uint64_t *_Nonnull out);
    // Compares numbers x + a and y, bit by bit from the lowest: `x`, `y` and `add` are one bit of
    // each, the others what is known so far: at first nothing is carried or greater, all is equal.
    void (*_Nonnull compare_bit)(
        const uint64_t *_Nonnull x, const uint64_t *_Nonnull y, bool add, uint64_t *_Nonnull carry,
        uint64_t *_Nonnull greater, uint64_t *_Nonnull equal, size_t words);
    // The values of `count` sliced ones that a mask chooses of the `n` from `first`, a multiple of
    // 64, on, one after the other, each times `unit` above `base`; `out` has room for 8 more.
    // Returns how many.
    size_t (*_Nonnull unslice)(
        const uint8_t *_Nonnull sliced, size_t count, unsigned width, size_t first, size_t n,
        const uint64_t *_Nonnull mask, int64_t base, uint32_t unit, int64_t *_Nonnull out);

    // Events of some rows, each with its time. What is kept of a row becomes the greatest of it and
    // of `origin` plus `sign` (1 or -1) times its events' times; where it is then at the bound or
    // above, the row leaves `open`.
    void (*_Nonnull take_times)(
        int64_t *_Nonnull kept, const uint16_t *_Nonnull rows, const int64_t *_Nonnull at, size_t n, int64_t origin,
        int64_t sign, int64_t bound, uint64_t *_Nullable open);
    // Rows with an event later than the time that was kept so, at `floor` or above, and not later
    // than their end, are found, and leave `open`; those whose time is at the bound or after it
    // leave it, too.
    void (*_Nonnull find_later)(
        const int64_t *_Nonnull kept, const int64_t *_Nullable ends, const uint16_t *_Nonnull rows,
        const int64_t *_Nonnull at, size_t n, int64_t origin, int64_t sign, int64_t floor, int64_t bound,
        uint64_t *_Nonnull found, uint64_t *_Nullable open);
} ck_table;

/// The table in use: the best that this processor can run, or the one that WINNOW_ISA names
/// (baseline, avx2, avx512).
const ck_table *_Nonnull ck_kernels(void);
/// The i-th table that this processor can run, baseline first; NULL behind the last.
const ck_table *_Nullable ck_variant(size_t i);

/// Values `first ..< first + n` of a bit-packed sequence of `width` bits each (0...32), `add` added
/// to each; reads up to 8 bytes past.
void ck_unpack32(
    const uint8_t *_Nonnull packed, size_t first, size_t n, unsigned width, uint32_t add, uint32_t *_Nonnull out);

/// Bit-slicing: values in groups of 512, a group as one slice per bit, highest bit first, each
/// slice a bit per value: 64 bytes, in a last, shorter group of n values (n + 7) / 8. So n values
/// take width * ((n + 7) / 8) bytes, as packed ones do; readers of slices may read 64 bytes past
/// them. `sliced` is overwritten. After BitWeaving/V (Li, Patel).
void ck_slice(const uint64_t *_Nonnull values, size_t n, unsigned width, uint8_t *_Nonnull sliced);
/// The values `first ..< first + n` of `count` sliced ones.
void ck_unslice(
    const uint8_t *_Nonnull sliced, size_t count, unsigned width, size_t first, size_t n, uint64_t *_Nonnull out);

/// CRC-32C (Castagnoli), as iSCSI and ext4 use it.
uint32_t ck_crc32c(uint32_t crc, const void *_Nonnull bytes, size_t n);
/// The same on processors without an instruction for it.
uint32_t ck_crc32c_portable(uint32_t crc, const void *_Nonnull bytes, size_t n);
/// XXH64 of https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
uint64_t ck_xxh64(const void *_Nullable bytes, size_t n, uint64_t seed);

/// Whether two places hold the same n bytes. Of ids, mostly 4 to 16 bytes, it compares the first and
/// the last eight, or four, which may overlap: a call would take longer.
static inline bool ck_same(const void *_Nonnull a, const void *_Nonnull b, size_t n) {
    const char *p = (const char *)a, *q = (const char *)b;
    if (n > 16 || n < 4) return memcmp(p, q, n) == 0;
    if (n < 8) {
        uint32_t x[2], y[2];
        memcpy(x, p, 4);
        memcpy(x + 1, p + n - 4, 4);
        memcpy(y, q, 4);
        memcpy(y + 1, q + n - 4, 4);
        return x[0] == y[0] && x[1] == y[1];
    }
    uint64_t x[2], y[2];
    memcpy(x, p, 8);
    memcpy(x + 1, p + n - 8, 8);
    memcpy(y, q, 8);
    memcpy(y + 1, q + n - 8, 8);
    return x[0] == y[0] && x[1] == y[1];
}

/// Where a byte comes first, n where it does not.
static inline size_t ck_find_byte(const void *_Nonnull bytes, uint8_t byte, size_t n) {
    const void *found = memchr(bytes, byte, n);
    return found ? (size_t)((const char *)found - (const char *)bytes) : n;
}

/// Says that a place will be read soon.
static inline void ck_prefetch(const void *_Nonnull place) { __builtin_prefetch(place); }

/// Sorts keys by their low `bits` bits (least significant digit radix sort); `scratch` has room for
/// n.
void ck_sort(uint64_t *_Nonnull keys, uint64_t *_Nonnull scratch, size_t n, unsigned bits);
