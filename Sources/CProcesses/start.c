// In C because what runs between vfork and exec shares the memory of the whole program: it may touch locals and make
// system calls, and nothing else. posix_spawn knows neither folders (portably) nor death signals.
#define _GNU_SOURCE
#include "CProcesses.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void become(const char *path, char *const arguments[], char *const environment[], const char *folder,
                   const int descriptors[3], pid_t parent) {
    // Handlers of the parent must not run here, and ignored signals must not stay so.
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int signal = 1; signal < NSIG; signal++) sigaction(signal, &standard, 0);
    sigset_t none;
    sigemptyset(&none);
    if (setpgid(0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return;
    if (getppid() != parent) _exit(127);  // The parent died before the request was made.
    if (chdir(folder) != 0) return;
    // First out of the way of 0 to 2, then in place: a descriptor may be one of these already.
    int moved[3];
    for (int i = 0; i < 3; i++) {
        moved[i] = dup(descriptors[i]);
        while (moved[i] >= 0 && moved[i] < 3) moved[i] = dup(descriptors[i]);
        if (moved[i] < 0) return;
    }
    for (int i = 0; i < 3; i++)
        if (dup2(moved[i], i) != i) return;
    if (close_range(3, ~0U, 0) != 0) return;
    if (sigprocmask(SIG_SETMASK, &none, 0) != 0) return;
    execve(path, arguments, environment);
}

pid_t cp_start(const char *path, char *const arguments[], char *const environment[], const char *folder,
               const int descriptors[3]) {
    volatile int failure = 0;
    pid_t parent = getpid();
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t child = vfork();
    if (child == 0) {
        become(path, arguments, environment, folder, descriptors, parent);
        failure = errno;
        _exit(127);
    }
    int code = child < 0 ? errno : failure;
    sigprocmask(SIG_SETMASK, &before, 0);
    if (code == 0) return child;
    if (child > 0) waitpid(child, 0, 0);
    errno = code;
    return -1;
}

int cp_watch(pid_t process) {
    return (int)syscall(SYS_pidfd_open, process, 0);
}
