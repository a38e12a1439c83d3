/* SPDX-License-Identifier: MIT */
/*
 * What the loader needs of UEFI's interface (UEFI Specification 2.10): tables and protocols, with
 * functions that it does not call as plain pointers. Strings are UTF-16.
 */
#ifndef BOOT_EFI_UEFI_H
#define BOOT_EFI_UEFI_H

#include "lib/types.h"
#include "plat/efi.h"

#define EFIAPI __attribute__((ms_abi))

typedef u64 efi_status;
typedef void *efi_handle;
typedef u16 efi_char;

#define EFI_ERROR	      (1ULL << 63)
#define EFI_SUCCESS	      0
#define EFI_LOAD_ERROR	      (EFI_ERROR | 1)
#define EFI_INVALID_PARAMETER (EFI_ERROR | 2)
#define EFI_UNSUPPORTED	      (EFI_ERROR | 3)
#define EFI_BUFFER_TOO_SMALL  (EFI_ERROR | 5)
#define EFI_OUT_OF_RESOURCES  (EFI_ERROR | 9)
#define EFI_NOT_FOUND	      (EFI_ERROR | 14)
#define EFI_TIMEOUT	      (EFI_ERROR | 18)
#define EFI_TFTP_ERROR	      (EFI_ERROR | 23)
#define EFI_PROTOCOL_ERROR    (EFI_ERROR | 24)
#define EFI_HTTP_ERROR	      (EFI_ERROR | 35)

struct efi_guid {
	u32 a;
	u16 b, c;
	u8 d[8];
};

struct efi_text_output { /* 12.4 */
	void *reset;
	efi_status(EFIAPI *output_string)(struct efi_text_output *self, const efi_char *s);
};

enum efi_allocate { /* 7.2 */
	EFI_ALLOCATE_ANY,
	EFI_ALLOCATE_BELOW,
	EFI_ALLOCATE_AT
};

struct efi_device_path { /* 10.3; nodes follow each other without padding */
	u8 type, subtype;
	u8 length[2];
};
#define EFI_PATH_MESSAGING 3
#define EFI_PATH_MAC	   11
#define EFI_PATH_IPV4	   12
#define EFI_PATH_URI	   24
#define EFI_PATH_MEDIA	   4
#define EFI_PATH_FILE	   4
#define EFI_PATH_END	   0x7f

struct efi_boot_services { /* 4.4 */
	u8 header[24];
	void *raise_tpl, *restore_tpl;
	efi_status(EFIAPI *allocate_pages)(enum efi_allocate how, enum efi_memory_type type,
					   size_t pages, u64 *pa);
	efi_status(EFIAPI *free_pages)(u64 pa, size_t pages);
	efi_status(EFIAPI *get_memory_map)(size_t *size, void *map, size_t *key, size_t *desc_size,
					   u32 *desc_version);
	void *allocate_pool, *free_pool;
	efi_status(EFIAPI *create_event)(u32 type, size_t tpl, void *notify, void *context,
					 efi_handle *event);
	void *set_timer, *wait_for_event, *signal_event;
	efi_status(EFIAPI *close_event)(efi_handle event);
	efi_status(EFIAPI *check_event)(efi_handle event);
	void *install_protocol, *reinstall_protocol, *uninstall_protocol;
	efi_status(EFIAPI *handle_protocol)(efi_handle h, const struct efi_guid *guid, void *out);
	void *reserved, *register_protocol_notify, *locate_handle;
	efi_status(EFIAPI *locate_device_path)(const struct efi_guid *guid,
					       const struct efi_device_path **path, efi_handle *h);
	void *install_configuration_table;
	void *load_image, *start_image, *exit, *unload_image;
	efi_status(EFIAPI *exit_boot_services)(efi_handle image, size_t key);
	void *get_next_monotonic_count;
	efi_status(EFIAPI *stall)(size_t microseconds);
	efi_status(EFIAPI *set_watchdog_timer)(size_t seconds, u64 code, size_t size,
					       const efi_char *data);
	void *connect_controller, *disconnect_controller, *open_protocol, *close_protocol;
	void *open_protocol_information, *protocols_per_handle, *locate_handle_buffer;
	efi_status(EFIAPI *locate_protocol)(const struct efi_guid *guid, void *registration,
					    void *out);
};

struct efi_system_table { /* 4.3 */
	u8 header[24];
	const efi_char *vendor;
	u32 vendor_revision;
	efi_handle con_in_handle;
	void *con_in;
	efi_handle con_out_handle;
	struct efi_text_output *con_out;
	efi_handle std_err_handle;
	void *std_err;
	void *runtime;
	struct efi_boot_services *boot;
	size_t nr_config;
	void *config;
};

struct efi_loaded_image { /* 9.1 */
	u32 revision;
	efi_handle parent;
	struct efi_system_table *system;
	efi_handle device;
	const struct efi_device_path *path;
	void *reserved;
	u32 options_size; /* bytes */
	const efi_char *options;
	const void *base;
	u64 size;
};

struct efi_file { /* 13.5 */
	u64 revision;
	efi_status(EFIAPI *open)(struct efi_file *self, struct efi_file **out, const efi_char *name,
				 u64 mode, u64 attributes);
	efi_status(EFIAPI *close)(struct efi_file *self);
	void *delete;
	efi_status(EFIAPI *read)(struct efi_file *self, size_t *n, void *buf);
	void *write;
	efi_status(EFIAPI *get_position)(struct efi_file *self, u64 *at);
	efi_status(EFIAPI *set_position)(struct efi_file *self, u64 at);
};
#define EFI_FILE_READ 1

struct efi_file_system { /* 13.4 */
	u64 revision;
	efi_status(EFIAPI *open_volume)(struct efi_file_system *self, struct efi_file **root);
};

struct efi_ip { /* 24.3; the first word alone for IPv4 */
	u32 word[4];
};

#define EFI_PXE_PACKET 1472

struct efi_pxe_mode { /* 24.3; up to what is needed */
	u8 started, ipv6_available, ipv6_supported, using_ipv6;
	u8 bis_supported, bis_detected, auto_arp, send_guid;
	u8 dhcp_discover_valid, dhcp_ack_received, proxy_offer_received, pxe_discover_valid;
	u8 pxe_reply_received, pxe_bis_reply_received, icmp_error_received, tftp_error_received;
	u8 make_callbacks, ttl, tos;
	struct efi_ip station, mask;
	u8 dhcp_discover[EFI_PXE_PACKET], dhcp_ack[EFI_PXE_PACKET], proxy_offer[EFI_PXE_PACKET];
	u8 pxe_discover[EFI_PXE_PACKET], pxe_reply[EFI_PXE_PACKET];
};

enum efi_tftp {
	EFI_TFTP_FILE_SIZE = 1,
	EFI_TFTP_READ
};

struct efi_pxe { /* 24.3 */
	u64 revision;
	void *start, *stop, *dhcp, *discover;
	efi_status(EFIAPI *mtftp)(struct efi_pxe *self, enum efi_tftp what, void *buf,
				  bool overwrite, u64 *size, size_t *block,
				  const struct efi_ip *server, const char *name, const void *info,
				  bool no_buffer);
	void *udp_write, *udp_read, *set_ip_filter, *arp, *set_parameters, *set_station_ip;
	void *set_packets;
	const struct efi_pxe_mode *mode;
};

struct efi_service_binding { /* 11.6 */
	efi_status(EFIAPI *create_child)(struct efi_service_binding *self, efi_handle *child);
	efi_status(EFIAPI *destroy_child)(struct efi_service_binding *self, efi_handle child);
};

struct efi_http_v4 { /* 29.6, EFI_HTTPv4_ACCESS_POINT */
	bool use_default;
	u8 local[4], mask[4];
	u16 port;
};

struct efi_http_config {
	u32 version; /* 1: HTTP/1.1 */
	u32 timeout; /* milliseconds */
	bool ipv6;
	const struct efi_http_v4 *v4;
};

struct efi_http_header {
	const char *name, *value;
};

struct efi_http_request {
	u32 method; /* 0: GET */
	const efi_char *url;
};

#define EFI_HTTP_OK 3 /* as the enumeration counts them, not 200 */

struct efi_http_message {
	union {
		const struct efi_http_request *request;
		u32 *status;
	};
	size_t nr_headers;
	struct efi_http_header *headers;
	size_t body_size;
	void *body;
};

struct efi_http_token {
	efi_handle event;
	efi_status status;
	struct efi_http_message *message;
};

struct efi_http {
	void *get_mode_data;
	efi_status(EFIAPI *configure)(struct efi_http *self, const struct efi_http_config *c);
	efi_status(EFIAPI *request)(struct efi_http *self, struct efi_http_token *t);
	void *cancel;
	efi_status(EFIAPI *response)(struct efi_http *self, struct efi_http_token *t);
	efi_status(EFIAPI *poll)(struct efi_http *self);
};

enum efi_pixel_format {
	EFI_PIXEL_RGB,
	EFI_PIXEL_BGR,
	EFI_PIXEL_MASKS,
	EFI_PIXEL_BLT_ONLY
};

struct efi_gop_info { /* 12.9 */
	u32 version, width, height;
	enum efi_pixel_format format;
	u32 mask[4]; /* red, green, blue, reserved */
	u32 pixels_per_line;
};

struct efi_gop_mode {
	u32 max, mode;
	const struct efi_gop_info *info;
	size_t info_size;
	u64 fb_base;
	size_t fb_size;
};

struct efi_gop {
	void *query_mode, *set_mode, *blt;
	const struct efi_gop_mode *mode;
};

BUILD_BUG_ON(offsetof(struct efi_boot_services, handle_protocol) != 152);
BUILD_BUG_ON(offsetof(struct efi_boot_services, exit_boot_services) != 232);
BUILD_BUG_ON(offsetof(struct efi_boot_services, locate_protocol) != 320);
BUILD_BUG_ON(sizeof(struct efi_system_table) != 120);
BUILD_BUG_ON(offsetof(struct efi_loaded_image, base) != 64);
BUILD_BUG_ON(offsetof(struct efi_pxe_mode, station) != 20);
BUILD_BUG_ON(offsetof(struct efi_pxe_mode, dhcp_ack) != 1524);
BUILD_BUG_ON(offsetof(struct efi_pxe_mode, pxe_reply) != 5940);
BUILD_BUG_ON(offsetof(struct efi_pxe, mode) != 104);
BUILD_BUG_ON(offsetof(struct efi_boot_services, check_event) != 120);
BUILD_BUG_ON(offsetof(struct efi_boot_services, locate_device_path) != 184);
BUILD_BUG_ON(sizeof(struct efi_http_v4) != 12);
BUILD_BUG_ON(offsetof(struct efi_http_config, v4) != 16);

#endif
