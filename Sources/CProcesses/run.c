// This is C because code between vfork and exec shares the memory of the whole program: it may only use local variables
// and make system calls.
//
// Two processes are created. The first, the supervisor, is a child of vfork that never calls exec: the calling thread
// sleeps until it is gone, so it can use that thread's stack, copies no memory, and can store its results there. It adopts
// orphaned descendants (PR_SET_CHILD_SUBREAPER), so no process of the program can escape it. The second becomes the
// program.
#define _GNU_SOURCE
#include "CProcesses.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

enum { CP_DESCRIPTORS = 64 };

static int close_from(unsigned first, unsigned last) {
    if (first > last) return 0;
    return (int)syscall(SYS_close_range, first, last, 0);
}

// bwrap exposes the machine's device nodes as writable. In this mount namespace the nodes become read-only, which bwrap
// preserves; a device on a read-only mount can still be written to. Threads may have their own mount namespace once they
// no longer share their root.
int cp_guard_devices(int ends[2]) {
    static const char *const nodes[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"};
    if (unshare(CLONE_FS | CLONE_NEWNS) != 0) return -1;
    if (mount(0, "/", 0, MS_REC | MS_SLAVE, 0) != 0) return -1;
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        struct stat s;
        if (stat(nodes[i], &s) != 0) continue;
        if (mount(nodes[i], nodes[i], 0, MS_BIND, 0) != 0) return -1;
        struct statvfs v;
        if (statvfs(nodes[i], &v) != 0) return -1;
        unsigned long flags = 0;
        if (v.f_flag & ST_NOSUID) flags |= MS_NOSUID;
        if (v.f_flag & ST_NOEXEC) flags |= MS_NOEXEC;
        if (v.f_flag & ST_NOATIME) flags |= MS_NOATIME;
        if (v.f_flag & ST_NODIRATIME) flags |= MS_NODIRATIME;
        if (v.f_flag & ST_RELATIME) flags |= MS_RELATIME;
        if (mount(0, nodes[i], 0, MS_REMOUNT | MS_BIND | MS_RDONLY | flags, 0) != 0) return -1;
    }
    ends[0] = open("/proc/thread-self/ns/mnt", O_RDONLY | O_CLOEXEC);
    if (ends[0] < 0) return -1;
    ends[1] = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (ends[1] >= 0) return 0;
    int code = errno;
    close(ends[0]);
    errno = code;
    return -1;
}

// Enters the namespace of `cp_guard_devices`, with its root folder.
static int enter(int mountNamespace, int rootFolder) {
    if (setns(mountNamespace, CLONE_NEWNS) != 0) return -1;
    if (fchdir(rootFolder) != 0) return -1;
    return chroot(".");
}

static void become(const struct cp_program *p, pid_t parent) {
    if (p->descriptorCount > CP_DESCRIPTORS) {
        errno = EMFILE;
        return;
    }
    // Handlers of the caller must not run here, and ignored signals must not stay ignored.
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int signal = 1; signal < NSIG; signal++) sigaction(signal, &standard, 0);
    sigset_t none;
    sigemptyset(&none);
    if (setsid() < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return;
    if (getppid() != parent) _exit(127);
    struct rlimit noCore = {0, 0};
    if (setrlimit(RLIMIT_CORE, &noCore) != 0) return;
    if (p->mountNamespace >= 0 && enter(p->mountNamespace, p->rootFolder) != 0) return;
    if (chdir(p->folder) != 0) return;
    // First moved out of the way, then into place: a descriptor may already have one of these numbers.
    int moved[CP_DESCRIPTORS];
    for (int i = 0; i < p->descriptorCount; i++) {
        moved[i] = fcntl(p->descriptors[i], F_DUPFD, p->descriptorCount);
        if (moved[i] < 0) return;
    }
    for (int i = 0; i < p->descriptorCount; i++)
        if (dup2(moved[i], i) != i) return;
    if (close_from((unsigned)p->descriptorCount, ~0U) != 0) return;
    if (sigprocmask(SIG_SETMASK, &none, 0) != 0) return;
    execve(p->path, p->arguments, p->environment);
}

static __attribute__((noinline)) pid_t start(const struct cp_program *p, volatile struct cp_ending *ending) {
    pid_t parent = getpid();
    pid_t child = vfork();
    if (child == 0) {
        become(p, parent);
        ending->error = errno ? errno : EINVAL;
        _exit(127);
    }
    if (child < 0) ending->error = errno;
    return child;
}

// Sends SIGKILL to every child that the kernel lists; a subreaper's children include all orphaned descendants.
static void kill_children(void) {
    char text[4096];
    int list = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    if (list < 0) return;
    pid_t number = 0;
    ssize_t n;
    while ((n = read(list, text, sizeof text)) > 0)
        for (ssize_t i = 0; i < n; i++) {
            if (text[i] >= '0' && text[i] <= '9') {
                number = number * 10 + (text[i] - '0');
            } else {
                if (number > 1) kill(number, SIGKILL);
                number = 0;
            }
        }
    if (number > 1) kill(number, SIGKILL);
    close(list);
}

// The same where the kernel has no such list (CONFIG_PROC_CHILDREN): every process whose parent this is.
static void kill_children_slowly(void) {
    struct entry {
        uint64_t inode;
        int64_t offset;
        unsigned short length;
        unsigned char type;
        char name[];
    };
    _Alignas(8) char buffer[4096];
    pid_t self = getpid();
    int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (proc < 0) return;
    long n;
    while ((n = syscall(SYS_getdents64, proc, buffer, sizeof buffer)) > 0)
        for (long at = 0; at < n; at += ((struct entry *)(buffer + at))->length) {
            const char *name = ((struct entry *)(buffer + at))->name;
            pid_t number = 0;
            for (const char *c = name; *c; c++) number = *c >= '0' && *c <= '9' && number >= 0 ? number * 10 + (*c - '0') : -1;
            if (number <= 1) continue;
            char path[64] = "/proc/", text[512];
            strcat(strcat(path, name), "/stat");
            int stat = open(path, O_RDONLY | O_CLOEXEC);
            if (stat < 0) continue;
            ssize_t m = read(stat, text, sizeof text - 1);
            close(stat);
            if (m <= 0) continue;
            text[m] = 0;
            // `number (name) state parent ...`, where the name may hold parentheses.
            char *after = strrchr(text, ')');
            if (after && after[1] && after[2] && after[3]) {
                pid_t parent = 0;
                for (char *c = after + 4; *c >= '0' && *c <= '9'; c++) parent = parent * 10 + (*c - '0');
                if (parent == self) kill(number, SIGKILL);
            }
        }
    close(proc);
}

static void drain(int signals) {
    struct signalfd_siginfo info[8];
    while (read(signals, info, sizeof info) > 0) {}
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// Kills and reaps until no child is left. Returns 1 where that takes too long.
static int finish(int signals) {
    double begin = seconds();
    int hasLists = access("/proc/thread-self/children", R_OK) == 0;
    for (int round = 0;; round++) {
        int status;
        pid_t reaped;
        while ((reaped = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {}
        if (reaped < 0 && errno == ECHILD) return 0;
        if (seconds() - begin > 10) return 1;
        if (hasLists) kill_children();
        else kill_children_slowly();
        // Without waiting at first: a program that forks endlessly must not outrun this.
        struct pollfd wait = {.fd = signals, .events = POLLIN};
        if (round >= 8) poll(&wait, 1, round < 1000 ? 1 : 20);
        drain(signals);
    }
}

static __attribute__((noinline)) void supervise(const struct cp_program *p, int control,
                                                volatile struct cp_ending *ending) {
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    struct sigaction standard = {.sa_handler = SIG_DFL};
    if (sigaction(SIGCHLD, &standard, 0) != 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0 || setpgid(0, 0) != 0) {
        ending->error = errno;
        return;
    }
    int signals = signalfd(-1, &child, SFD_NONBLOCK | SFD_CLOEXEC);
    if (signals < 0) {
        ending->error = errno;
        return;
    }
    pid_t program = start(p, ending);
    if (program < 0) return;
    // All other descriptors are the caller's: pipes whose end must be noticed, locks that must be released.
    unsigned low = (unsigned)(signals < control ? signals : control), high = (unsigned)(signals < control ? control : signals);
    if (low > 0) close_from(0, low - 1);
    close_from(low + 1, high - 1);
    close_from(high + 1, ~0U);

    int isOver = 0;
    struct pollfd watched[2] = {{.fd = control, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
    while (!isOver) {
        poll(watched, 2, -1);
        if (watched[0].revents) {
            char order;
            ssize_t n = read(control, &order, 1);
            if (n == 0 || (n == 1 && order == 'K')) break;
            if (n == 1 && order == 'T') kill(-program, SIGTERM);
        }
        drain(signals);
        for (;;) {
            siginfo_t info;
            info.si_pid = 0;
            if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) != 0 || info.si_pid == 0) break;
            if (info.si_pid == program) {
                isOver = 1;
                break;
            }
            int status;
            waitpid(info.si_pid, &status, __WALL);
        }
    }
    // Its process id is not reused until it is reaped, so this hits no other process.
    kill(-program, SIGKILL);
    kill(program, SIGKILL);
    int status = 0;
    while (waitpid(program, &status, __WALL) < 0 && errno == EINTR) {}
    ending->status = status;
    ending->survivors = finish(signals);
}

void cp_run(const struct cp_program *program, int control, struct cp_ending *ending) {
    // Counts as killed until the supervisor reports otherwise.
    volatile struct cp_ending *shared = ending;
    shared->error = 0;
    shared->status = -1;
    shared->survivors = 0;
    pid_t supervisor = vfork();
    if (supervisor == 0) {
        supervise(program, control, shared);
        _exit(0);
    }
    if (supervisor < 0) {
        shared->error = errno;
        return;
    }
    int status;
    while (waitpid(supervisor, &status, __WALL) < 0 && errno == EINTR) {}
    if (shared->error == 0 && shared->status == -1) shared->error = ECHILD;
}

int cp_memory_file(const char *name, const void *bytes, size_t count) {
    int file = memfd_create(name, MFD_CLOEXEC);
    if (file < 0) return -1;
    for (size_t done = 0; done < count;) {
        ssize_t n = pwrite(file, (const char *)bytes + done, count - done, (off_t)done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            int code = errno;
            close(file);
            errno = code;
            return -1;
        }
        done += (size_t)n;
    }
    return file;
}

int cp_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int cp_holes_exceed(int descriptor, off_t limit) {
    struct stat s;
    if (fstat(descriptor, &s) != 0) return -1;
    if (s.st_size <= limit || s.st_blocks >= s.st_size / 512) return 0;
    off_t holes = 0;
    for (off_t at = 0; at < s.st_size;) {
        off_t data = lseek(descriptor, at, SEEK_DATA);
        if (data < 0) {
            if (errno != ENXIO) return -1;
            data = s.st_size;
        }
        holes += data - at;
        if (holes > limit) return 1;
        if (data >= s.st_size) break;
        off_t hole = lseek(descriptor, data, SEEK_HOLE);
        if (hole < 0) return -1;
        at = hole;
    }
    return 0;
}
