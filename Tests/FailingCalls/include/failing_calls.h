// Stands before the C library's functions in the test process, and lets calls about files of one folder fail.
#pragma once

#include <stdbool.h>

enum failing_mode {
    // Calls from the given one on, so many of them, fail with a code.
    failing_with_code,
    // Every call is interrupted by a signal once, and works when it is tried again.
    failing_interrupted,
    // Writes and reads do half of what they are asked for.
    failing_short,
};

/// Whether calls can be intercepted: not with other C libraries, nor under sanitizers, which do so themselves.
bool calls_can_fail(void);

/// From now on, in all threads.
void failing_calls_begin(const char *folder, enum failing_mode mode, int call, int times, int code);

/// Ends it; returns how many calls there were.
int failing_calls_end(void);

/// From now on the calling thread gets no io_uring, as in most containers; 0 where that cannot be done.
int forbid_io_uring(void);
