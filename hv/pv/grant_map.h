/* SPDX-License-Identifier: MIT */
/* Grant mappings in the page tables of PV guests: the other half of dom/grant_map.c. */
#ifndef PV_GRANT_MAP_H
#define PV_GRANT_MAP_H

/* Registers grant_map_ops; before the first domain runs. */
void pv_grant_init(void);

#endif
