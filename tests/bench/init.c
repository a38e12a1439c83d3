/* SPDX-License-Identifier: MIT */
/*
 * /init of the bench: notes the clocks at its first instruction, measures fork+exec+wait of a
 * static busybox, and only then prints: lines "BENCH name value" on the console, among them the
 * hypervisor's memory and the rows of linux.c, the last one "BENCH end".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <xen/xen.h>
#include <xen/domctl.h>
#include <xen/sysctl.h>
#include <xen/sys/privcmd.h>

#include "init.h"
#include "marks.h"

#define FORKS 200

static uint64_t rdtsc(void)
{
	uint32_t low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static uint64_t uptime_ns(void)
{
	struct timespec now;

	syscall(SYS_clock_gettime, CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

/* One write a line, so that the kernel's own messages stay apart. */
void say(const char *format, ...)
{
	char line[512];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (write(1, line, length) != length)
		_exit(1);
}

static int run_busybox(void)
{
	static char *const argv[] = {"true", NULL}, *const envp[] = {NULL};
	int status;
	pid_t child = fork();

	if (!child) {
		execve("/bin/busybox", argv, envp);
		_exit(127);
	}
	return child > 0 && waitpid(child, &status, 0) == child ? status : -1;
}

static int fork_exec(uint64_t *cycles)
{
	int failed = run_busybox();
	uint64_t begin = rdtsc();

	MARK(MARK_FORK_BEGIN);
	for (int i = 0; i < FORKS; i++)
		failed |= run_busybox();
	MARK(MARK_FORK_END);
	*cycles = rdtsc() - begin;
	return failed;
}

/* The first line of a file, printed as the value of name. */
static void say_file(const char *name, const char *path)
{
	char text[256];
	int fd = open(path, O_RDONLY);
	ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (length <= 0)
		return;
	text[length] = 0;
	text[strcspn(text, "\n")] = 0;
	say("BENCH %s %s\n", name, text);
}

static void say_system(void)
{
	static const char *const bugs[] = {
		"meltdown", "spectre_v1", "spectre_v2",		 "spec_store_bypass",
		"retbleed", "mds",	  "spec_rstack_overflow"};
	char name[128], path[128];
	char line[256];
	FILE *info = fopen("/proc/cpuinfo", "r");

	while (info && fgets(line, sizeof(line), info)) {
		if (strncmp(line, "model name", 10))
			continue;
		say("BENCH cpu %s", strchr(line, ':') + 2);
		break;
	}
	if (info)
		fclose(info);
	for (size_t i = 0; i < sizeof(bugs) / sizeof(*bugs); i++) {
		snprintf(name, sizeof(name), "bug.%s", bugs[i]);
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/vulnerabilities/%s", bugs[i]);
		say_file(name, path);
	}
	say_file("hypervisor", "/sys/hypervisor/type");
	say_file("hv_major", "/sys/hypervisor/version/major");
	say_file("hv_minor", "/sys/hypervisor/version/minor");
	say_file("hv_extra", "/sys/hypervisor/version/extra");
	say_file("memory", "/proc/meminfo");
	say_file("kernel", "/proc/version");
}

static int hypercall(int fd, uint64_t number, void *argument)
{
	struct privcmd_hypercall call = {.op = number, .arg = {(uintptr_t)argument}};

	return ioctl(fd, IOCTL_PRIVCMD_HYPERCALL, &call);
}

static int open_privcmd(void)
{
	int module = open("/xen-privcmd.ko", O_RDONLY);

	if (module < 0 || access("/sys/hypervisor/type", F_OK))
		return -1;
	if (syscall(SYS_finit_module, module, "", 0))
		say("BENCH note xen-privcmd.ko: %s\n", strerror(errno));
	close(module);
	return open("/dev/xen/privcmd", O_RDWR);
}

/* What neither a domain nor the free list has belongs to the hypervisor. */
static void say_hypervisor_memory(void)
{
	static struct xen_sysctl info = {.cmd = XEN_SYSCTL_physinfo,
					 .interface_version = XEN_SYSCTL_INTERFACE_VERSION};
	static struct xen_domctl dom0 = {.cmd = XEN_DOMCTL_getdomaininfo,
					 .interface_version = XEN_DOMCTL_INTERFACE_VERSION};
	int fd = open_privcmd();

	if (fd < 0)
		return;
	if (hypercall(fd, __HYPERVISOR_sysctl, &info) ||
	    hypercall(fd, __HYPERVISOR_domctl, &dom0)) {
		say("BENCH note physinfo or getdomaininfo: %s\n", strerror(errno));
		return;
	}
	say("BENCH pages.total %llu\n", (unsigned long long)info.u.physinfo.total_pages);
	say("BENCH pages.free %llu\n", (unsigned long long)info.u.physinfo.free_pages);
	say("BENCH pages.dom0 %llu\n", (unsigned long long)dom0.u.getdomaininfo.tot_pages);
	close(fd);
}

int main(void)
{
	uint64_t init_tsc, init_ns, tsc, ns, cycles;
	int failed;

	MARK(MARK_INIT);
	init_tsc = rdtsc();
	init_ns = uptime_ns();
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	failed = fork_exec(&cycles);
	tsc = rdtsc();
	ns = uptime_ns();

	say("\nBENCH init.tsc %llu\n", (unsigned long long)init_tsc);
	say("BENCH init.ns %llu\n", (unsigned long long)init_ns);
	say("BENCH fork.tsc %llu\n", (unsigned long long)cycles);
	say("BENCH later.tsc %llu\n", (unsigned long long)(tsc - init_tsc));
	say("BENCH later.ns %llu\n", (unsigned long long)(ns - init_ns));
	if (failed)
		say("BENCH note busybox failed: %#x\n", failed);
	say_system();
	say_hypervisor_memory();
	linux_rows();
	say("BENCH end\n");
	for (;;)
		pause();
}
