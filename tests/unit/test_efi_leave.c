/* SPDX-License-Identifier: MIT */
/* The UEFI loader at the end of the firmware's services: what it must not ask for any more, and what it says. */
#include "fake/fake.h"
#include <string.h>
#include "boot/efi/loader.h"
#include "boot/efi/mbi.h"

struct efi_system_table *efi_system;
static unsigned int maps, exits, refuse;
static char firmware_said[64], raw_said[64];
static efi_status map_status;

void raw_write(const char *s, size_t n)
{
	strncat(raw_said, s, n);
}

static efi_status EFIAPI get_map(size_t *size, void *map, size_t *key, size_t *desc_size,
				 u32 *version)
{
	maps++;
	*key = maps;
	*desc_size = 48;
	*version = 1;
	assert_true(*size >= 96);
	memset(map, 0, 96);
	*size = 96;
	return exits ? map_status : EFI_SUCCESS;
}

static efi_status EFIAPI leave(efi_handle image, size_t key)
{
	exits++;
	assert_ptr_equal(image, &efi_system);
	assert_int_equal(key, maps); /* that of the last map */
	return refuse && refuse-- ? EFI_INVALID_PARAMETER : EFI_SUCCESS;
}

static efi_status EFIAPI output(struct efi_text_output *self, const efi_char *s)
{
	size_t n = strlen(firmware_said);

	assert_int_equal(exits, 0);
	while (*s)
		firmware_said[n++] = (char)*s++;
	return EFI_SUCCESS;
}

static struct efi_text_output con_out = {.output_string = output};
/* What is not here is not called. */
static struct efi_boot_services boot = {.get_memory_map = get_map, .exit_boot_services = leave};
static struct efi_system_table table = {.con_out = &con_out, .boot = &boot};

static efi_status try(unsigned int refusals, size_t room)
{
	static u8 buf[4096] __aligned(8);
	struct mbi m;
	efi_status st;

	efi_system = &table;
	maps = exits = 0;
	refuse = refusals;
	firmware_gone = false;
	firmware_said[0] = raw_said[0] = '\0';
	mbi_begin(&m, buf, room);
	say("before\n");
	st = leave_firmware(&efi_system, &m);
	/* As if the firmware had taken its console with it. */
	if (firmware_gone)
		table.con_out = NULL;
	say("after %u\n", 1);
	table.con_out = &con_out;
	return st;
}

static void test_leaves(void **state)
{
	assert_int_equal(try(0, 4096), EFI_SUCCESS);
	assert_int_equal(maps, 1);
	assert_string_equal(firmware_said, "before\r\n");
	assert_string_equal(raw_said, "after 1\n");
}

static void test_map_has_changed(void **state)
{
	assert_int_equal(try(3, 4096), EFI_SUCCESS);
	assert_int_equal(maps, 4);
	assert_int_equal(exits, 4);
}

static void test_does_not_let_go(void **state)
{
	assert_true(try(100, 4096) == EFI_INVALID_PARAMETER);
	assert_int_equal(exits, 4);
	assert_string_equal(raw_said, "after 1\n");
	map_status = EFI_OUT_OF_RESOURCES;
	assert_true(try(100, 4096) == EFI_OUT_OF_RESOURCES);
	assert_int_equal(exits, 1);
	assert_string_equal(raw_said, "after 1\n");
	map_status = EFI_SUCCESS;
}

/* Found before anything is asked of the firmware: it goes on. */
static void test_no_room(void **state)
{
	assert_true(try(0, 16) == EFI_BUFFER_TOO_SMALL);
	assert_int_equal(exits, 0);
	assert_string_equal(firmware_said, "before\r\nafter 1\r\n");
	assert_string_equal(raw_said, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leaves),
		cmocka_unit_test(test_map_has_changed),
		cmocka_unit_test(test_does_not_let_go),
		cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests_name("efi_leave", tests, NULL, NULL);
}
