// Counts the allocations of each thread, by standing before the C library's functions in the test process.
#pragma once
#include <stdbool.h>
#include <stddef.h>

/// Whether they are counted: not with other C libraries, and not under sanitizers.
bool allocations_are_counted(void);

/// Allocations of the calling thread so far; 0 where they are not counted.
size_t allocations_of_thread(void);
