/* SPDX-License-Identifier: MIT */
/*
 * pages NAME: says "BENCH pages.NAME N", the pages of the machine that are neither free nor a domain's: what
 * the hypervisor keeps for itself and, of its domains, beside their memory.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <xen/xen.h>
#include <xen/domctl.h>
#include <xen/sysctl.h>
#include <xen/sys/privcmd.h>

static int fd;

static int hypercall(uint64_t number, void *argument)
{
	struct privcmd_hypercall call = {.op = number, .arg = {(uintptr_t)argument}};

	return ioctl(fd, IOCTL_PRIVCMD_HYPERCALL, &call);
}

/* The hypervisor reads them without paging: locked by main. */
static struct xen_domctl domctl;
static struct xen_sysctl sysctl;

/* The pages of all domains. */
static uint64_t of_domains(void)
{
	uint64_t sum = 0;

	for (unsigned int id = 0;; id = domctl.domain + 1u) {
		memset(&domctl, 0, sizeof(domctl));
		domctl.cmd = XEN_DOMCTL_getdomaininfo;
		domctl.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
		domctl.domain = (domid_t)id;
		/* Answers for the next domain that there is. */
		if (hypercall(__HYPERVISOR_domctl, &domctl) || domctl.domain < id)
			return sum;
		sum += domctl.u.getdomaininfo.tot_pages;
	}
}

int main(int argc, char **argv)
{
	fd = open("/dev/xen/privcmd", O_RDWR);
	if (argc != 2 || fd < 0 || mlockall(MCL_CURRENT))
		return 2;
	sysctl.cmd = XEN_SYSCTL_physinfo;
	sysctl.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	if (hypercall(__HYPERVISOR_sysctl, &sysctl))
		return 1;
	printf("BENCH pages.%s %lld\n", argv[1],
	       (long long)(sysctl.u.physinfo.total_pages - sysctl.u.physinfo.free_pages -
			   of_domains()));
	return 0;
}
