// Child processes that read files which may crash them.
#define _GNU_SOURCE
#include "cc_process.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

// Lowers a limit; never raises it above the present one.
static int lower(int resource, rlim_t soft, rlim_t hard) {
  struct rlimit now;
  if (getrlimit(resource, &now) < 0) return -1;
  if (now.rlim_max == RLIM_INFINITY || hard < now.rlim_max) now.rlim_max = hard;
  now.rlim_cur = soft < now.rlim_max ? soft : now.rlim_max;
  return setrlimit(resource, &now);
}

int cc_limit_process(uint64_t seconds, int dies_with_parent) {
#ifdef __linux__
  if (dies_with_parent) prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  // It only reads and writes an answer to a pipe: no core dump, no files.
  if (lower(RLIMIT_CORE, 0, 0) < 0 || lower(RLIMIT_FSIZE, 0, 0) < 0) return -1;
  return lower(RLIMIT_CPU, seconds, seconds < RLIM_INFINITY - 1 ? seconds + 1 : seconds);
}

int cc_limit_memory(uint64_t memory) {
  struct rlimit now;
  if (getrlimit(RLIMIT_AS, &now) < 0) return -1;
  now.rlim_cur = now.rlim_max != RLIM_INFINITY && memory > now.rlim_max ? now.rlim_max : memory;
  return setrlimit(RLIMIT_AS, &now);
}

int cc_limit_file(uint64_t seconds) {
  struct itimerval timer = {.it_value = {.tv_sec = (time_t)seconds}};
  return setitimer(ITIMER_PROF, &timer, NULL);
}

int cc_send_all(int fd, const void *bytes, unsigned long size) {
  // A write to a pipe without a reader raises SIGPIPE in this thread; it is consumed here.
  sigset_t pipe_signal, before, waiting;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
  const char *p = bytes;
  int status = 0;
  while (size > 0 && status == 0) {
    ssize_t n = write(fd, p, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) status = -1;
    else p += n, size -= (unsigned long)n;
  }
  if (status < 0 && sigpending(&waiting) == 0 && sigismember(&waiting, SIGPIPE) && !sigismember(&before, SIGPIPE)) {
    int taken;
    sigwait(&pipe_signal, &taken);
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return status;
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
