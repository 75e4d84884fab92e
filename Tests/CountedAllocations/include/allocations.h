// Counts the allocations of each thread, by standing before the C library's functions in the test process.
#pragma once
#include <stddef.h>

/// Allocations of the calling thread so far; always 0 where they are not counted (other C libraries, sanitizers).
size_t allocations_of_thread(void);
