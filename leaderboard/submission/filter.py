"""A seccomp filter for caged code: no new processes, no sockets, no way to change what a process or a file may do.

It is classic BPF over (number, arch, …, arguments) of every system call. A process may start threads, and replace
itself by another program, which inherits the filter; it cannot fork, so there is nothing to bomb with.
"""

import platform
import struct

_LOAD, _EQUAL, _GREATER, _BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _EPERM, _ENOSYS, _KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
_THREAD = 0x00010000  # CLONE_THREAD
_NUMBER, _ARCH, _ARGUMENT = 0, 4, 16  # offsets in seccomp_data

X86 = {
    "fork": 57, "vfork": 58, "socket": 41, "socketpair": 53, "connect": 42, "bind": 49, "listen": 50, "ptrace": 101,
    "process_vm_readv": 310, "process_vm_writev": 311, "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161,
    "unshare": 272, "setns": 308, "keyctl": 250, "add_key": 248, "request_key": 249, "bpf": 321, "io_uring_setup": 425,
    "userfaultfd": 323, "perf_event_open": 298, "memfd_create": 319, "shmget": 29, "shmat": 30, "msgget": 68,
    "semget": 64, "mq_open": 240, "personality": 135, "seccomp": 317, "open_tree": 428, "move_mount": 429,
    "fsopen": 430, "pidfd_open": 434, "pidfd_getfd": 438, "mount_setattr": 442, "chmod": 90, "fchmod": 91,
    "fchmodat": 268, "fchmodat2": 452, "chown": 92, "fchown": 93, "lchown": 94, "fchownat": 260, "utime": 132,
    "utimes": 235, "futimesat": 261, "utimensat": 280, "setxattr": 188, "lsetxattr": 189, "fsetxattr": 190,
    "setxattrat": 463,
}  # fmt: skip
ARM = {
    "socket": 198, "socketpair": 199, "connect": 203, "bind": 200, "listen": 201, "ptrace": 117,
    "process_vm_readv": 270, "process_vm_writev": 271, "mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51,
    "unshare": 97, "setns": 268, "keyctl": 219, "add_key": 217, "request_key": 218, "bpf": 280, "io_uring_setup": 425,
    "userfaultfd": 282, "perf_event_open": 241, "memfd_create": 279, "shmget": 194, "shmat": 196, "msgget": 186,
    "semget": 190, "mq_open": 180, "personality": 92, "seccomp": 277, "open_tree": 428, "move_mount": 429,
    "fsopen": 430, "pidfd_open": 434, "pidfd_getfd": 438, "mount_setattr": 442, "fchmod": 52, "fchmodat": 53,
    "fchmodat2": 452, "fchownat": 54, "fchown": 55, "utimensat": 88, "setxattr": 5, "lsetxattr": 6, "fsetxattr": 7,
    "setxattrat": 463,
}  # fmt: skip
ARCHES = {"x86_64": (0xC000003E, 56, X86), "aarch64": (0xC00000B7, 220, ARM)}
CLONE3 = 435


def program(machine: str = platform.machine()) -> bytes | None:
    """The filter as bubblewrap wants it; None where nobody has written one for this kind of machine."""
    if machine not in ARCHES:
        return None
    arch, clone, denied = ARCHES[machine]
    lines = [
        (_LOAD, 0, 0, _ARCH),
        (_EQUAL, 1, 0, arch),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_GREATER, 0, 1, 0x40000000),  # the x32 numbering of the same calls
        (_RETURN, 0, 0, _EPERM),
        (_EQUAL, 0, 1, CLONE3),  # its flags lie in memory, out of sight; libraries fall back to clone
        (_RETURN, 0, 0, _ENOSYS),
        (_EQUAL, 0, 4, clone),
        (_LOAD, 0, 0, _ARGUMENT),
        (_BITS, 0, 1, _THREAD),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _EPERM),
    ]
    for number in sorted(denied.values()):
        lines += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _EPERM)]
    lines.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("<HBBI", *line) for line in lines)
