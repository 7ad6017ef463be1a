// Child processes that read what may crash them.
#pragma once
#include <stdint.h>

// Limits this process: bytes of address space, seconds of processor time, no core file. It dies with its parent.
int cc_limit_process(uint64_t memory, uint64_t seconds);
// A pipe whose ends children do not inherit, unless handed to them.
int cc_pipe(int ends[2]);
