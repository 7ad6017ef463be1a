// The system calls that a sandboxed program may not make. Namespaces and missing capabilities refuse most of them
// already; this filter also excludes rarely exercised parts of the kernel, and what namespaces do not cover.
#define _GNU_SOURCE
#include "CProcesses.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define CP_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define CP_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifdef CP_ARCHITECTURE

// Calls that are refused with any arguments.
static const uint32_t refused[] = {
    // Other processes.
    SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp,
    // Keys are shared by all processes of a user.
    SYS_add_key, SYS_request_key, SYS_keyctl,
    // Mounts and namespaces; clone3 is below.
    SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_setns, SYS_unshare, SYS_open_by_handle_at,
    SYS_name_to_handle_at,
    // Large parts of the kernel that programs do not need.
    SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_fanotify_init, SYS_lookup_dcookie,
    // The machine.
    SYS_kexec_load, SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_swapon, SYS_swapoff, SYS_reboot, SYS_acct,
    SYS_syslog, SYS_quotactl, SYS_nfsservctl, SYS_settimeofday, SYS_clock_settime, SYS_clock_adjtime, SYS_adjtimex,
    SYS_sethostname, SYS_setdomainname, SYS_vhangup,
#ifdef SYS_kexec_file_load
    SYS_kexec_file_load,
#endif
#ifdef SYS_iopl
    SYS_iopl, SYS_ioperm, SYS_modify_ldt, SYS_uselib, SYS_ustat, SYS_sysfs, SYS__sysctl,
#endif
    // By number where headers are old: open_tree to fspick, pidfd_getfd, mount_setattr, quotactl_fd, open_tree_attr.
    428, 429, 430, 431, 432, 433, 438, 442, 443, 467,
};

// Calls that programs try but do not need: they fail with ENOSYS. glibc then uses clone, whose flags a filter can see.
static const uint32_t absent[] = {435 /* clone3 */, 425, 426, 427 /* io_uring */,
                                  437 /* openat2, whose mode is in memory that a filter can't read */};

// ioctl requests that are refused: input for a terminal, flags that protect files from removal.
static const uint32_t requests[] = {
    0x5412 /* TIOCSTI */, 0x541C /* TIOCLINUX */, 0x40086602 /* FS_IOC_SETFLAGS */, 0x40046602, 0x401C5820 /* FSSETXATTR */,
    0x800C6613 /* FS_IOC_SET_ENCRYPTION_POLICY */,
};

// Allowed socket families. All others are refused: some, such as AF_VSOCK, bypass the network namespace.
static const uint32_t families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};

// CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET.
static const uint32_t namespaces = 0x7E020000;

enum { CP_STEPS = 512 };

struct steps {
    struct sock_filter list[CP_STEPS];
    unsigned count;
};

static void add(struct steps *s, uint16_t code, uint8_t yes, uint8_t no, uint32_t k) {
    if (s->count < CP_STEPS) s->list[s->count] = (struct sock_filter){code, yes, no, k};
    s->count++;
}

static void load(struct steps *s, uint32_t offset) { add(s, BPF_LD | BPF_W | BPF_ABS, 0, 0, offset); }
static void give(struct steps *s, uint32_t what) { add(s, BPF_RET | BPF_K, 0, 0, what); }
// Continues with the next step where the value is `k`, else skips `skipped` steps.
static void unless(struct steps *s, uint32_t k, uint8_t skipped) { add(s, BPF_JMP | BPF_JEQ | BPF_K, 0, skipped, k); }

static const uint32_t no = SECCOMP_RET_ERRNO | EPERM;

// The low half of an argument; both processors are little-endian.
static uint32_t argument(unsigned i) { return (uint32_t)offsetof(struct seccomp_data, args) + 8 * i; }

// Refuses a call where argument `i` has any of `bits` set.
static void refuse_bits(struct steps *s, uint32_t call, unsigned i, uint32_t bits) {
    unless(s, call, 4);
    load(s, argument(i));
    add(s, BPF_JMP | BPF_JSET | BPF_K, 0, 1, bits);
    give(s, no);
    give(s, SECCOMP_RET_ALLOW);
}

static void build(struct steps *s) {
    load(s, offsetof(struct seccomp_data, arch));
    add(s, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, CP_ARCHITECTURE);
    give(s, SECCOMP_RET_KILL_PROCESS);  // 32-bit programs have other numbers for all calls.
    load(s, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
    add(s, BPF_JMP | BPF_JGE | BPF_K, 0, 1, 0x40000000);  // So does x32.
    give(s, SECCOMP_RET_ERRNO | ENOSYS);
#endif
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        unless(s, refused[i], 1);
        give(s, no);
    }
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        unless(s, absent[i], 1);
        give(s, SECCOMP_RET_ERRNO | ENOSYS);
    }
    refuse_bits(s, SYS_clone, 0, namespaces);
    // A setuid or setgid file would keep those rights outside the sandbox.
    refuse_bits(s, SYS_fchmod, 1, S_ISUID | S_ISGID);
    refuse_bits(s, SYS_fchmodat, 2, S_ISUID | S_ISGID);
    refuse_bits(s, 452 /* fchmodat2 */, 2, S_ISUID | S_ISGID);
#ifdef SYS_chmod
    refuse_bits(s, SYS_chmod, 1, S_ISUID | S_ISGID);
    refuse_bits(s, SYS_creat, 1, S_ISUID | S_ISGID);
    refuse_bits(s, SYS_open, 2, S_ISUID | S_ISGID);
    refuse_bits(s, SYS_mknod, 1, S_ISUID | S_ISGID);
#endif
    refuse_bits(s, SYS_openat, 3, S_ISUID | S_ISGID);
    refuse_bits(s, SYS_mknodat, 2, S_ISUID | S_ISGID);

    const uint8_t requestCount = sizeof requests / sizeof *requests, familyCount = sizeof families / sizeof *families;
    unless(s, SYS_ioctl, 2 + 2 * requestCount);
    load(s, argument(1));
    for (size_t i = 0; i < requestCount; i++) {
        unless(s, requests[i], 1);
        give(s, no);
    }
    give(s, SECCOMP_RET_ALLOW);
    for (unsigned pair = 0; pair < 2; pair++) {
        unless(s, pair ? SYS_socketpair : SYS_socket, 2 + 2 * familyCount);
        load(s, argument(0));
        for (size_t i = 0; i < familyCount; i++) {
            unless(s, families[i], 1);
            give(s, SECCOMP_RET_ALLOW);
        }
        give(s, SECCOMP_RET_ERRNO | EAFNOSUPPORT);
    }
    give(s, SECCOMP_RET_ALLOW);
}

int cp_filter(void) {
    struct steps steps;
    steps.count = 0;
    build(&steps);
    if (steps.count > CP_STEPS) {
        errno = E2BIG;
        return -1;
    }
    return cp_memory_file("filter", steps.list, steps.count * sizeof *steps.list);
}

#else

int cp_filter(void) {
    errno = ENOSYS;
    return -1;
}

#endif
