// Child processes that read what may crash them.
#pragma once
#include <stdint.h>

// Limits this process: seconds of processor time, no core file, no file written; never to more than it has already. It
// dies with the thread that started it, if asked to: one that serves many threads must see to its end in another way.
int cc_limit_process(uint64_t seconds, int dies_with_parent);
// Limits the address space of this process to so many bytes, for now; the limit may be raised again.
int cc_limit_memory(uint64_t memory);
// Ends this process when it has worked for so many seconds from now on; 0 for never.
int cc_limit_file(uint64_t seconds);
// A pipe whose ends children do not inherit, unless handed to them.
int cc_pipe(int ends[2]);
// Writes all bytes to a pipe: 0, or -1 where nobody reads it any more (without a signal).
int cc_send_all(int fd, const void *bytes, unsigned long size);
