#include "kernels.h"
#include <string.h>

// Few keys: insertion sort; a radix pass costs as much as a few hundred comparisons whatever n is.
static void sort_few(uint64_t *keys, size_t n, uint64_t mask) {
    for (size_t i = 1; i < n; i++) {
        uint64_t key = keys[i];
        size_t j = i;
        for (; j && (keys[j - 1] & mask) > (key & mask); j--) keys[j] = keys[j - 1];
        keys[j] = key;
    }
}

void ck_sort(uint64_t *keys, uint64_t *scratch, size_t n, unsigned bits) {
    enum { DIGIT = 11, BINS = 1 << DIGIT };
    if (n < 48) {
        sort_few(keys, n, bits >= 64 ? ~(uint64_t)0 : ((uint64_t)1 << bits) - 1);
        return;
    }
    uint64_t *from = keys, *to = scratch;
    for (unsigned shift = 0; shift < bits; shift += DIGIT) {
        const unsigned rest = bits - shift;
        const uint64_t mask = rest < DIGIT ? ((uint64_t)1 << rest) - 1 : BINS - 1;
        size_t at[BINS] = {0};
        for (size_t i = 0; i < n; i++) at[from[i] >> shift & mask]++;
        size_t sum = 0;
        for (size_t b = 0; b <= mask; b++) {
            size_t count = at[b];
            at[b] = sum;
            sum += count;
        }
        for (size_t i = 0; i < n; i++) to[at[from[i] >> shift & mask]++] = from[i];
        uint64_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != keys) memcpy(keys, from, n * sizeof(uint64_t));
}
