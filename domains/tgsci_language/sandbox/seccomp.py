"""A filter of system calls for bubblewrap: what namespaces and limits leave open is closed."""

from __future__ import annotations

import errno
import platform
from functools import cache
from struct import pack

#: Refused by number on (x86_64, aarch64): kernel objects that no limit counts, other users' processes, new
#: namespaces and mounts, and parts of the kernel that no candidate needs.
_REFUSED = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_getfd": (438, 438), "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39),
    "pivot_root": (155, 41), "chroot": (161, 51), "open_tree": (428, 428), "move_mount": (429, 429),
    "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "mount_setattr": (442, 442), "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    "shmget": (29, 194), "msgget": (68, 186), "semget": (64, 190), "memfd_create": (319, 279),
    "memfd_secret": (447, 447), "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "mq_open": (240, 180),
}  # fmt: skip
#: (architecture of the kernel's audit, place in the pairs above, socket, clone, fork and vfork where there are such)
_MACHINES = {"x86_64": (0xC000003E, 0, 41, 56, (57, 58)), "aarch64": (0xC00000B7, 1, 198, 220, ())}
_CLONE3 = 435
_NEW_NAMESPACES, _THREAD = 0x7E020080, 0x00010000
#: Unix and internet sockets alone: the network is empty, but some kinds, as vsock, do not belong to it.
_FAMILIES = (1, 2, 10)

_LOAD, _EQUAL, _SET, _AT_LEAST, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16


@cache
def program(*, forks: bool) -> bytes:
    """Build the filter, as the kernel takes it; empty on a machine whose calls are not known here.

    Args:
        forks: Whether the candidate may start processes; threads it always may.
    """
    if platform.machine() not in _MACHINES:
        return b""
    architecture, place, socket, clone, fork = _MACHINES[platform.machine()]
    steps = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _KILL)]
    steps += [(_LOAD, 0, 0, _NUMBER)]
    if place == 0:  # the x32 calls are others under the same architecture
        steps += [(_AT_LEAST, 0, 1, 0x40000000), (_RETURN, 0, 0, _KILL)]
    refused = [numbers[place] for numbers in _REFUSED.values()]
    for number in (*refused, *(() if forks else fork)):
        steps += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERROR | errno.EPERM)]
    steps += [(_EQUAL, 0, 1, _CLONE3), (_RETURN, 0, 0, _ERROR | errno.ENOSYS)]  # the C library takes clone then
    families = [(_EQUAL, len(_FAMILIES) - i, 0, family) for i, family in enumerate(_FAMILIES)]
    steps += [(_EQUAL, 0, len(families) + 3, socket), (_LOAD, 0, 0, _FIRST_ARGUMENT), *families]
    steps += [(_RETURN, 0, 0, _ERROR | errno.EACCES), (_RETURN, 0, 0, _ALLOW)]
    steps += [(_EQUAL, 0, 5, clone), (_LOAD, 0, 0, _FIRST_ARGUMENT), (_SET, 2, 0, _NEW_NAMESPACES)]
    steps += [(_SET, 2, 0, _THREAD), (_RETURN, 0, 0, _ALLOW if forks else _ERROR | errno.EPERM)]
    steps += [(_RETURN, 0, 0, _ERROR | errno.EPERM), (_RETURN, 0, 0, _ALLOW)]
    return b"".join(pack("<HBBI", *step) for step in steps)
