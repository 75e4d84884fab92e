#include "kernels.h"
#include <stdlib.h>
#include <string.h>

typedef uint64_t v8u64 __attribute__((ext_vector_type(8)));
typedef uint8_t v64u8 __attribute__((ext_vector_type(64)));
typedef _Bool b64 __attribute__((ext_vector_type(64)));

#define ALWAYS static inline __attribute__((always_inline))

// Pointer casts to vectors would promise an alignment that mapped files do not have; memcpy promises nothing.
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
#include "body.inc"
#undef CK
#undef CK_NAME
#pragma clang attribute pop

// x86-64-v4 alone prefers 256-bit vectors, which halves the speed of comparisons into bitsets.
#pragma clang attribute push( \
    __attribute__((target("arch=x86-64-v4,avx512vpopcntdq,no-prefer-256-bit"))), apply_to = function)
#define CK(name) name##_avx512
#define CK_NAME "avx512"
#include "body.inc"
#undef CK
#undef CK_NAME
#undef deposit
#pragma clang attribute pop

const ck_table *ck_variant(size_t i) {
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("x86-64-v3");
    const bool avx512 = __builtin_cpu_supports("x86-64-v4") && __builtin_cpu_supports("avx512vpopcntdq");
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
