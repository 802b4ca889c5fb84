/*
 * torture: what hosts do to an NSS module. Needs users user00000 to user09999 with uids from 100000.
 *
 *   torture cancel    threads are cancelled in the middle of look-ups; look-ups still work afterwards, none is stuck
 *   torture walk      two complete walks without endpwent give the same; four threads share one walk and nobody is seen twice
 *   torture unload    dlopen, a look-up in a thread, dlclose, and then the thread ends
 *   torture stdio     descriptors 0 to 2 closed: look-ups must not put a socket there
 *   torture sigpipe   SIGPIPE at its default, 200 unknown names: the host lives
 *   torture closefds  all descriptors from 3 are closed and their numbers taken by files of the program: answers stay right, the files untouched
 *   torture nofile    no descriptor left: answers are right or errors, never "not found"; right again when there are some
 *   torture forks     6 threads look up while 200 children are forked that look up too: nobody gets a wrong answer, nobody hangs
 *   torture frozen G  the service, process group G, is frozen: who is asked for first costs a second at most, all others and other processes nothing
 *   torture grow N    children of a threaded parent make N look-ups each; prints how their memory has grown, fails above 16 MiB
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
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { USERS = 10000, UID = 100000, ASKED = 9990 /* not the last ones: of them local accounts have the names */ };

static const char *name;

static int fail(const char *why)
{
    printf("%s FAIL: %s\n", name, why);
    return 1;
}

enum answer { RIGHT, ERROR, WRONG };

/* "Not found" for somebody who is there is as wrong as another's number. */
static enum answer ask(long key)
{
    char user[32], buffer[1024];
    struct passwd entry, *found = NULL;
    key %= ASKED;
    snprintf(user, sizeof user, "user%05ld", key);
    int error = getpwnam_r(user, &entry, buffer, sizeof buffer, &found);
    if (error && error != ENOENT) return ERROR;
    return found && found->pw_uid == (uid_t)(UID + key) ? RIGHT : WRONG;
}

static int right(long key)
{
    return ask(key) == RIGHT;
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
    int failed = 0, status;
    for (int child = 0; child < 4; child++) {
        usleep(50000); /* the next one is forked at another moment of the threads' look-ups */
        pid_t pid = fork();
        if (pid == 0) {
            for (long key = 0; key < count / 10; key++) right(key * 7);
            long before = resident_kb();
            for (long key = 0; key < count; key++) right(key * 7);
            long after = resident_kb();
            fprintf(stderr, "private memory %ld KiB, then %ld KiB\n", before, after);
            _exit(after - before > 16 << 10);
        }
        waitpid(pid, &status, 0);
        failed |= status;
    }
    stop = 1;
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    return failed ? fail("a child grew, or died") : 0;
}

static int closefds(void)
{
    if (!right(100)) return fail("a look-up before");
    int files[32][2];
    char byte;
    for (int fd = 3; fd < 256; fd++) close(fd);
    for (int i = 0; i < 32; i++)
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, files[i])) return fail("socketpair");
    for (long key = 200; key < 300; key++)
        if (!right(key)) return fail("a look-up afterwards");
    for (int i = 0; i < 32; i++) {
        if (recv(files[i][1], &byte, 1, 0) >= 0 || errno != EAGAIN) return fail("a file of the program was written to or closed");
        if (write(files[i][0], "x", 1) != 1 || recv(files[i][1], &byte, 1, 0) != 1) return fail("a file of the program was taken over");
    }
    return 0;
}

static int nofile(void)
{
    struct rlimit before, none;
    getrlimit(RLIMIT_NOFILE, &before);
    if (!right(300)) return fail("a look-up before");
    none = before;
    int lowest = dup(0);
    close(lowest);
    none.rlim_cur = lowest; /* numbers below may be in use; from here on there are none */
    setrlimit(RLIMIT_NOFILE, &none);
    int wrong = 0;
    for (long key = 400; key < 420; key++) wrong += ask(key) == WRONG;
    pid_t pid = fork();
    if (pid == 0) {
        for (long key = 420; key < 440; key++) wrong += ask(key) == WRONG;
        _exit(wrong);
    }
    int status;
    waitpid(pid, &status, 0);
    setrlimit(RLIMIT_NOFILE, &before);
    if (wrong || status) return fail("\"not found\" without descriptors, or the child died");
    usleep(2100000); /* longer than a breaker stays open */
    return right(450) ? 0 : fail("a look-up afterwards");
}

static int wrong_in_parent;

static void *look_up_and_judge(void *from)
{
    for (long key = (long)from; !__atomic_load_n(&stop, __ATOMIC_RELAXED); key++)
        if (ask(key) == WRONG) __atomic_fetch_add(&wrong_in_parent, 1, __ATOMIC_RELAXED);
    return NULL;
}

static int forks(void)
{
    pthread_t threads[6];
    int wrong = 0, errors = 0, died = 0, status;
    for (long i = 0; i < 6; i++) pthread_create(&threads[i], NULL, look_up_and_judge, (void *)(i * 1500));
    for (int round = 0; round < 200; round++) {
        pid_t pid = fork();
        if (pid == 0) {
            alarm(20); /* one that hangs dies of it */
            enum answer worst = RIGHT;
            for (long key = 0; key < 5; key++) {
                enum answer this = ask(9000 + round * 5 + key);
                if (this > worst) worst = this;
            }
            _exit(worst);
        }
        waitpid(pid, &status, 0);
        if (!WIFEXITED(status)) died++;
        else if (WEXITSTATUS(status) == WRONG) wrong++;
        else errors += WEXITSTATUS(status) == ERROR;
    }
    stop = 1;
    for (int i = 0; i < 6; i++) pthread_join(threads[i], NULL);
    fprintf(stderr, "%d wrong in children, %d in threads, %d hung or dead, %d with errors\n", wrong, wrong_in_parent, died, errors);
    return wrong || wrong_in_parent || died ? fail("a wrong answer, or a child that hung") : 0;
}

static double milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

/* How long a name that nobody has is asked for, in ms; -1: the answer was not "cannot know". */
static double unknown(long key)
{
    char user[32], buffer[1024];
    struct passwd entry, *found;
    snprintf(user, sizeof user, "unheard-of%ld", key);
    double start = milliseconds();
    int error = getpwnam_r(user, &entry, buffer, sizeof buffer, &found);
    return error == EAGAIN && !found ? milliseconds() - start : -1;
}

static int compare(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

/* Median of a hundred such questions, each for another name; -1 when one was answered otherwise. */
static double unknown_median(long from)
{
    double taken[101];
    for (int i = 0; i < 101; i++) taken[i] = unknown(from + i);
    qsort(taken, 101, sizeof *taken, compare);
    return taken[0] < 0 ? -1 : taken[50];
}

static int within_limits(double first, double median, double first_limit)
{
    fprintf(stderr, "first %.2f ms, then %.3f ms\n", first, median);
    if (first < 0 || median < 0) return fail("something else than EAGAIN");
    if (first > first_limit) return fail("the first one took too long");
    return median > 0.3 ? fail("the breaker is not open") : 0;
}

/* Freezes the process group of the service: who is asked for first pays a second at most, all others and all other processes nothing. */
static int frozen(pid_t service)
{
    if (service < 2 || !right(7)) return fail("usage: torture frozen PROCESS-GROUP, with the service at work");
    kill(-service, SIGSTOP);
    double first = unknown(0);
    int failed = within_limits(first, unknown_median(1), 1000);
    if (!right(7)) failed = fail("a known user is not found");
    pid_t pid = fork();
    if (pid == 0) {
        double again = setgid(200077) || setuid(100077) ? -1 : unknown(1000);
        _exit(within_limits(again, unknown_median(1001), 20));
    }
    int status;
    waitpid(pid, &status, 0);
    kill(-service, SIGCONT);
    return failed || status;
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
    else if (!strcmp(name, "closefds")) failed = closefds();
    else if (!strcmp(name, "nofile")) failed = nofile();
    else if (!strcmp(name, "forks")) failed = forks();
    else if (!strcmp(name, "frozen")) failed = frozen(argc > 2 ? atoi(argv[2]) : 0);
    else fputs("usage: torture cancel|walk|unload|stdio|sigpipe|closefds|nofile|forks|frozen PROCESS-GROUP|grow [N]\n", stderr);
    if (!failed) printf("%s ok\n", name);
    return failed;
}
