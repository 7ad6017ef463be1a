#pragma once

#include <stddef.h>

/// Writes the versions of the libraries behind the codecs, as found at run time, into `text` (one line, terminated).
void cc_library_versions(char *_Nonnull text, size_t capacity);
