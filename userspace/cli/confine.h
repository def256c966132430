/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_CONFINE_H
#define LAB_CLI_CONFINE_H

/*
 * confine - before hostile bytes are read: what a reader needs not is taken away, so that bytes
 * which take over the reader get little by it.
 *
 * A seccomp filter (seccomp(2)) refuses, with EPERM: to open a file for writing, and to make,
 * remove, rename or change one by its name; to execute a program; sockets; signals to other
 * processes; to look into or stop them; to type into the terminal; mounts, namespaces, BPF,
 * io_uring, and system calls of another architecture. What remains: to read files that the user may
 * read, memory, threads, and the descriptors that are open.
 */

/**
 * confine_reader() - for the calling thread, and all that come from it, for good
 *
 * No new privileges must be possible (privilege_drop_capabilities()). A kernel without seccomp
 * confines nothing. Return: 0, or -errno after one logged sentence.
 */
int confine_reader(void);

#endif /* LAB_CLI_CONFINE_H */
