#pragma once

#include <stddef.h>

/// Writes the versions of the codec libraries, as found at run time, into `text` (one line, NUL-terminated).
void cc_library_versions(char *_Nonnull text, size_t capacity);
