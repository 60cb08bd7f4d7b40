/* SPDX-License-Identifier: Apache-2.0 */
#include "app/settle.h"

#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

void settle_memory(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}
