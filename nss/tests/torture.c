/*
 * torture: what hosts do to an NSS module beside forking (that is forktest's part). Needs users user00000 to user09999 with uids from 100000.
 *
 *   torture cancel    threads are cancelled in the middle of look-ups; look-ups still work afterwards, none is stuck
 *   torture walk      two complete walks without endpwent give the same; four threads share one walk and nobody is seen twice
 *   torture unload    dlopen, a look-up in a thread, dlclose, and then the thread ends
 *   torture stdio     descriptors 0 to 2 closed: look-ups must not put a socket there
 *   torture sigpipe   SIGPIPE at its default, 200 unknown names: the host lives
 *   torture grow N    the child of a threaded parent makes N look-ups; prints how its memory has grown, fails above 16 MiB
 *
 * Prints "NAME ok" or "NAME FAIL: why".
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { USERS = 10000, UID = 100000 };

static const char *name;

static int fail(const char *why)
{
    printf("%s FAIL: %s\n", name, why);
    return 1;
}

static int right(long key)
{
    char user[32], buffer[1024];
    struct passwd entry, *found = NULL;
    snprintf(user, sizeof user, "user%05ld", key % USERS);
    int error = getpwnam_r(user, &entry, buffer, sizeof buffer, &found);
    return error == 0 && found && found->pw_uid == (uid_t)(UID + key % USERS);
}

static volatile int stop;

static void *look_up_for_ever(void *from)
{
    for (long key = (long)from; !stop; key++) {
        right(key);
        pthread_testcancel();
    }
    return NULL;
}

static int cancel(void)
{
    for (int round = 0; round < 1000; round++) {
        pthread_t thread;
        pthread_create(&thread, NULL, look_up_for_ever, (void *)(long)round);
        if (round % 4) usleep(round % 4 * 50);
        pthread_cancel(thread);
        pthread_join(thread, NULL);
    }
    for (long key = 0; key < 100; key++)
        if (!right(key)) return fail("a look-up after the cancellations");
    return 0;
}

static int walk_once(void)
{
    int count = 0;
    setpwent();
    while (getpwent()) count++;
    return count;
}

static unsigned char seen[USERS];
static int twice;

static void *walk_together(void *unused)
{
    char buffer[1024];
    struct passwd entry, *found;
    while (getpwent_r(&entry, buffer, sizeof buffer, &found) == 0 && found)
        if (found->pw_uid >= UID && found->pw_uid < UID + USERS && __atomic_fetch_add(&seen[found->pw_uid - UID], 1, __ATOMIC_RELAXED))
            __atomic_fetch_add(&twice, 1, __ATOMIC_RELAXED);
    return unused;
}

static int walk(void)
{
    int first = walk_once(), second = walk_once(), missed = 0;
    if (first < USERS || first != second) return fail("two walks differ, or are not complete");
    pthread_t threads[4];
    setpwent();
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, walk_together, NULL);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    endpwent();
    for (int i = 0; i < USERS; i++) missed += !seen[i];
    return twice || missed ? fail("four threads together saw somebody twice or not at all") : 0;
}

typedef int look_up_function(const char *, struct passwd *, char *, size_t, int *);
static look_up_function *module_look_up;
static pthread_barrier_t barrier;

static void *thread_of_unload(void *unused)
{
    char buffer[1024];
    struct passwd entry;
    int error;
    module_look_up("user00001", &entry, buffer, sizeof buffer, &error);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    return unused;
}

static int unload(void)
{
    void *module = dlopen("libnss_pwb.so.2", RTLD_NOW);
    if (!module) return fail(dlerror());
    *(void **)&module_look_up = dlsym(module, "_nss_pwb_getpwnam_r");
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_t thread;
    pthread_create(&thread, NULL, thread_of_unload, NULL);
    pthread_barrier_wait(&barrier);
    dlclose(module);
    pthread_barrier_wait(&barrier);
    pthread_join(thread, NULL);
    return 0;
}

static int stdio(void)
{
    int out = dup(1);
    for (int fd = 0; fd < 3; fd++) close(fd);
    int good = 1;
    for (long key = 0; key < 50; key++) good &= right(key);
    struct stat meta;
    int taken = 0;
    for (int fd = 0; fd < 3; fd++) taken += fstat(fd, &meta) == 0;
    dup2(out, 1);
    if (taken) return fail("a descriptor below 3 was kept");
    return good ? 0 : fail("a look-up without standard streams");
}

static int sigpipe(void)
{
    char user[32], buffer[1024];
    struct passwd entry, *found;
    signal(SIGPIPE, SIG_DFL);
    for (int i = 0; i < 200; i++) {
        snprintf(user, sizeof user, "stranger%d", i);
        getpwnam_r(user, &entry, buffer, sizeof buffer, &found);
    }
    return 0;
}

static long resident_kb(void)
{
    FILE *file = fopen("/proc/self/smaps_rollup", "re");
    char line[256];
    long kb = -1;
    while (file && fgets(line, sizeof line, file)) sscanf(line, "Private_Dirty: %ld", &kb);
    if (file) fclose(file);
    return kb;
}

static int grow(long count)
{
    pthread_t threads[4];
    for (long i = 0; i < 4; i++) pthread_create(&threads[i], NULL, look_up_for_ever, (void *)(i * 2500));
    usleep(200000);
    pid_t pid = fork();
    if (pid == 0) {
        for (long key = 0; key < count / 10; key++) right(key * 7);
        long before = resident_kb();
        for (long key = 0; key < count; key++) right(key * 7);
        long after = resident_kb();
        fprintf(stderr, "private memory %ld KiB, then %ld KiB\n", before, after);
        _exit(after - before > 16 << 10);
    }
    stop = 1;
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    int status;
    waitpid(pid, &status, 0);
    return status ? fail("the child grew, or died") : 0;
}

int main(int argc, char **argv)
{
    name = argc > 1 ? argv[1] : "";
    alarm(300);
    int failed = 2;
    if (!strcmp(name, "cancel")) failed = cancel();
    else if (!strcmp(name, "walk")) failed = walk();
    else if (!strcmp(name, "unload")) failed = unload();
    else if (!strcmp(name, "stdio")) failed = stdio();
    else if (!strcmp(name, "sigpipe")) failed = sigpipe();
    else if (!strcmp(name, "grow")) failed = grow(argc > 2 ? atol(argv[2]) : 1000000);
    else fputs("usage: torture cancel|walk|unload|stdio|sigpipe|grow [N]\n", stderr);
    if (!failed) printf("%s ok\n", name);
    return failed;
}
