/* A slow disk: preloaded into PostgreSQL, it makes each fsync and fdatasync take longer while the file that
 * ROLLCALL_HA_SLOW_DISK names is there. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* How much longer, in nanoseconds. */
static const long DELAY = 200 * 1000 * 1000;

static int slowly(const char *name, int descriptor) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    const char *file = getenv("ROLLCALL_HA_SLOW_DISK");
    if (file != NULL && access(file, F_OK) == 0) {
        const struct timespec delay = {0, DELAY};
        nanosleep(&delay, NULL);
    }
    return real(descriptor);
}

int fsync(int descriptor) { return slowly("fsync", descriptor); }

int fdatasync(int descriptor) { return slowly("fdatasync", descriptor); }
