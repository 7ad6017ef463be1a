// Child processes that read what may crash them.
#define _GNU_SOURCE
#include "cc_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

int cc_limit_process(uint64_t memory, uint64_t seconds) {
  struct rlimit space = {memory, memory}, time = {seconds, seconds + 1}, none = {0, 0};
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  if (setrlimit(RLIMIT_CORE, &none) < 0 || setrlimit(RLIMIT_CPU, &time) < 0) return -1;
  return setrlimit(RLIMIT_AS, &space);
}

int cc_pipe(int ends[2]) {
#ifdef __linux__
  return pipe2(ends, O_CLOEXEC);
#else
  if (pipe(ends) < 0) return -1;
  fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  return fcntl(ends[1], F_SETFD, FD_CLOEXEC);
#endif
}
