#pragma once
// First, so that the features that liburing.h asks for do not change types that the Glibc module defines, too.
#include <features.h>
#include <liburing.h>
