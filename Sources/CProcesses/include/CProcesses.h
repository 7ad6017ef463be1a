#pragma once

#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

// Starts a program that leads a process group of its own, inherits the three given descriptors and nothing else, has
// default signal handling, and is killed when the calling thread ends, whatever way. `arguments` and `environment` end
// with NULL. Returns the process, or -1 with errno where it could not be started, also where `path` is no program.
pid_t cp_start(const char *path, char *const arguments[], char *const environment[], const char *folder,
               const int descriptors[3]);

// A descriptor that becomes readable when a child has ended; below 0 where the system has none.
int cp_watch(pid_t process);

#ifdef __cplusplus
}
#endif
