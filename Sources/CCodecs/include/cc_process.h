// Child processes that read files which may crash them.
#pragma once
#include <stdint.h>

// Limits this process: seconds of processor time, no core file, no writes to files; never raises a limit. With
// `dies_with_parent` it is killed when the thread that started it ends; a process that serves many threads must be ended
// in another way.
int cc_limit_process(uint64_t seconds, int dies_with_parent);
// Limits the address space of this process in bytes; the limit may be raised again.
int cc_limit_memory(uint64_t memory);
// Ends this process after so many seconds of processor time from now; 0 for never.
int cc_limit_file(uint64_t seconds);
// A pipe whose ends children do not inherit unless passed explicitly.
int cc_pipe(int ends[2]);
// Writes all bytes to a pipe: 0, or -1 where its reader is gone (without a signal).
int cc_send_all(int fd, const void *bytes, unsigned long size);
