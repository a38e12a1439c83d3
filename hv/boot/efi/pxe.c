/* SPDX-License-Identifier: MIT */
/*
 * Files of the TFTP server that the firmware's own network boot has loaded us from, by the protocol that it
 * leaves open (UEFI 24.3). What the DHCP server has answered is in its mode: a packet of BOOTP (RFC 951) with
 * options (RFC 2132). Nothing in it is trusted further than its size.
 */
#include "boot/efi/loader.h"
#include "lib/string.h"

#define BLOCK	      1468 /* of TFTP, in an Ethernet frame */
#define BOOTP_SIADDR  20
#define BOOTP_FILE    108
#define BOOTP_OPTIONS 240
#define OPT_SERVER_ID 54
#define OPT_BOOT_FILE 67
#define OPT_PAD	      0
#define OPT_END	      255

static const struct efi_guid pxe_guid = {
	0x03c4e603, 0xac28, 0x11d3, {0x9a, 0x2d, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d}};

/* NULL: we do not come from there, or by IPv6. */
static struct efi_pxe *network(void)
{
	struct efi_pxe *pxe;

	if (efi_system->boot->handle_protocol(efi_self->device, &pxe_guid, &pxe))
		return NULL;
	return pxe->mode->started && pxe->mode->dhcp_ack_received && !pxe->mode->using_ipv6 ? pxe
											    : NULL;
}

/* The packet that named server and file. */
static const u8 *boot_packet(const struct efi_pxe_mode *m)
{
	if (m->pxe_reply_received)
		return m->pxe_reply;
	return m->proxy_offer_received ? m->proxy_offer : m->dhcp_ack;
}

/* The value of an option, and then its length; or NULL. */
static const u8 *option(const u8 *packet, u8 code, size_t *len)
{
	for (size_t i = BOOTP_OPTIONS; i + 2 <= EFI_PXE_PACKET && packet[i] != OPT_END;) {
		size_t n = packet[i + 1];

		if (packet[i] == OPT_PAD) {
			i++;
			continue;
		}
		if (i + 2 + n > EFI_PXE_PACKET)
			break;
		if (packet[i] == code) {
			*len = n;
			return packet + i + 2;
		}
		i += 2 + n;
	}
	return NULL;
}

bool pxe_own_path(char *out, size_t size)
{
	const struct efi_pxe *pxe = network();
	size_t len = BOOTP_OPTIONS - 4 - BOOTP_FILE, n = 0;
	const u8 *packet, *file;

	if (!pxe)
		return false;
	packet = boot_packet(pxe->mode);
	file = option(packet, OPT_BOOT_FILE, &len);
	if (!file)
		file = packet + BOOTP_FILE;
	for (; n < len && n + 1 < size && file[n]; n++)
		out[n] = (char)file[n];
	out[n] = '\0';
	return true;
}

static bool find_server(const struct efi_pxe *pxe, struct efi_ip *ip)
{
	const u8 *packet = boot_packet(pxe->mode), *from = packet + BOOTP_SIADDR;
	size_t len = 4;

	if (!(from[0] | from[1] | from[2] | from[3]))
		from = option(packet, OPT_SERVER_ID, &len);
	memset(ip, 0, sizeof(*ip));
	if (!from || len != 4)
		return false;
	memcpy(ip, from, 4);
	return true;
}

efi_status pxe_read_file(const char *name, struct loaded *out)
{
	struct efi_pxe *pxe = network();
	size_t block = BLOCK;
	struct efi_ip server;
	efi_status st;
	u64 size = 0, got;

	if (!pxe)
		return EFI_UNSUPPORTED;
	if (!find_server(pxe, &server))
		return EFI_NOT_FOUND;
	st = pxe->mtftp(pxe, EFI_TFTP_FILE_SIZE, NULL, false, &size, &block, &server, name, NULL,
			false);
	if (st)
		return st == EFI_TFTP_ERROR ? EFI_NOT_FOUND : st;
	st = pages_for_file(size, out);
	if (st)
		return st;
	got = size;
	block = BLOCK;
	st = pxe->mtftp(pxe, EFI_TFTP_READ, (void *)out->start, false, &got, &block, &server, name,
			NULL, false);
	return !st && got != size ? EFI_LOAD_ERROR : st;
}
