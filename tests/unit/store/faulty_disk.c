/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/faulty_disk.h"

#include <stdatomic.h>
#include <stddef.h>

#include <sqlite3.h>

static struct {
	atomic_int  left;     /* operations until one fails; negative: none will */
	atomic_int  failed;   /* how many did */
	atomic_bool is_full;  /* every write fails */
	sqlite3_vfs vfs, *real;
} faults = { .left = -1 };

/* Our file object; the real one's lies behind it. */
struct faulty {
	sqlite3_file base;
};

static sqlite3_file *real_of(sqlite3_file *f)
{
	return (sqlite3_file *)((struct faulty *)f + 1);
}

static bool hit(void)
{
	if (atomic_load(&faults.left) < 0 || atomic_fetch_sub(&faults.left, 1) != 0)
		return false;
	atomic_fetch_add(&faults.failed, 1);
	return true;
}

static int f_close(sqlite3_file *f) { return real_of(f)->pMethods->xClose(real_of(f)); }
static int f_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
	return hit() ? SQLITE_IOERR_READ : real_of(f)->pMethods->xRead(real_of(f), to, n, at);
}
static int f_write(sqlite3_file *f, const void *from, int n, sqlite3_int64 at)
{
	if (atomic_load(&faults.is_full))
		return SQLITE_FULL;
	return hit() ? SQLITE_IOERR_WRITE : real_of(f)->pMethods->xWrite(real_of(f), from, n, at);
}
static int f_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	return hit() ? SQLITE_IOERR_TRUNCATE : real_of(f)->pMethods->xTruncate(real_of(f), size);
}
static int f_sync(sqlite3_file *f, int flags)
{
	(void)f;
	(void)flags; /* nothing here depends on what the real disk has */
	return hit() ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}
static int f_size(sqlite3_file *f, sqlite3_int64 *size)
{
	return hit() ? SQLITE_IOERR_FSTAT : real_of(f)->pMethods->xFileSize(real_of(f), size);
}
static int f_lock(sqlite3_file *f, int level) { return hit() ? SQLITE_IOERR_LOCK : real_of(f)->pMethods->xLock(real_of(f), level); }
static int f_unlock(sqlite3_file *f, int level) { return real_of(f)->pMethods->xUnlock(real_of(f), level); }
static int f_reserved(sqlite3_file *f, int *out) { return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out); }
static int f_control(sqlite3_file *f, int op, void *arg) { return real_of(f)->pMethods->xFileControl(real_of(f), op, arg); }
static int f_sector(sqlite3_file *f) { return real_of(f)->pMethods->xSectorSize(real_of(f)); }
static int f_device(sqlite3_file *f) { return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f)); }
static int f_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
	return hit() ? SQLITE_IOERR_SHMMAP : real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, out);
}
static int f_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
	/* Letting go never fails: the real one only forgets. */
	return (flags & SQLITE_SHM_LOCK) != 0 && hit() ? SQLITE_IOERR_SHMLOCK : real_of(f)->pMethods->xShmLock(real_of(f), at, n, flags);
}
static void f_shm_barrier(sqlite3_file *f) { real_of(f)->pMethods->xShmBarrier(real_of(f)); }
static int  f_shm_unmap(sqlite3_file *f, int remove) { return real_of(f)->pMethods->xShmUnmap(real_of(f), remove); }

static int v_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out_flags)
{
	(void)v;
	static const sqlite3_io_methods methods = {
		2, f_close, f_read, f_write, f_truncate, f_sync, f_size, f_lock, f_unlock, f_reserved, f_control, f_sector, f_device,
		f_shm_map, f_shm_lock, f_shm_barrier, f_shm_unmap, NULL, NULL,
	};
	f->pMethods = NULL;
	if (hit())
		return SQLITE_CANTOPEN;
	int rc = faults.real->xOpen(faults.real, name, real_of(f), flags, out_flags);
	if (rc == SQLITE_OK)
		f->pMethods = &methods;
	return rc;
}

int faulty_disk_register(void)
{
	faults.real = sqlite3_vfs_find(NULL);
	faults.vfs = *faults.real;
	faults.vfs.zName = "faulty";
	faults.vfs.szOsFile = (int)sizeof(struct faulty) + faults.real->szOsFile;
	faults.vfs.xOpen = v_open;
	return sqlite3_vfs_register(&faults.vfs, 1) == SQLITE_OK ? 0 : -1;
}

void faulty_disk_arm(int n)
{
	atomic_store(&faults.failed, 0);
	atomic_store(&faults.left, n);
}

void faulty_disk_fill(void)
{
	atomic_store(&faults.is_full, true);
}

bool faulty_disk_well(void)
{
	atomic_store(&faults.left, -1);
	atomic_store(&faults.is_full, false);
	return atomic_load(&faults.failed) > 0;
}
