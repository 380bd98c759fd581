#define _GNU_SOURCE
#include "platform.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

int platform_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

void platform_eventfd_signal(int fd) {
  uint64_t one = 1;
  int saved = errno;
  ssize_t n = write(fd, &one, sizeof one);
  (void)n;
  errno = saved;
}

uint64_t platform_eventfd_drain(int fd) {
  uint64_t count = 0;
  return read(fd, &count, sizeof count) == (ssize_t)sizeof count ? count : 0;
}

int platform_signalfd(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGWINCH);
  sigaddset(&set, SIGCONT);
  signal(SIGPIPE, SIG_IGN);
  if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0) return -1;
  return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int platform_signalfd_next(int fd) {
  struct signalfd_siginfo info;
  return read(fd, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

static struct termios saved_state;
static int saved_fd = -1;
static char restore_codes[1024];
static size_t restore_length;
static char last_words[1024];
static size_t last_words_length;
static char crash_stack[65536];
static const int crash_signals[] = {SIGSEGV, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGQUIT};
static struct sigaction previous[sizeof crash_signals / sizeof crash_signals[0]];

static void on_crash(int number) {
  if (saved_fd >= 0) {
    ssize_t n = write(saved_fd, restore_codes, restore_length);
    // Somebody asked for QUIT; the others nobody did.
    if (number != SIGQUIT) n = write(saved_fd, last_words, last_words_length);
    (void)n;
    tcsetattr(saved_fd, TCSANOW, &saved_state);
  }
  // Swift's own handler would ask its questions on the terminal; a signal ends the process here and now.
  signal(number, SIG_DFL);
  raise(number);
}

static size_t keep(char *kept, size_t size, const char *text) {
  size_t length = strlen(text);
  if (length > size) length = size;
  memcpy(kept, text, length);
  return length;
}

void platform_install_crash_handlers(int fd, const char *restore, const char *words) {
  if (saved_fd >= 0 || tcgetattr(fd, &saved_state) != 0) return;
  saved_fd = fd;
  restore_length = keep(restore_codes, sizeof restore_codes, restore);
  last_words_length = keep(last_words, sizeof last_words, words);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_crash;
  action.sa_flags = SA_ONSTACK;
  // Swift's own crash handler may have brought a stack already.
  stack_t stack;
  if (sigaltstack(NULL, &stack) == 0 && (stack.ss_flags & SS_DISABLE)) {
    stack.ss_sp = crash_stack;
    stack.ss_size = sizeof crash_stack;
    stack.ss_flags = 0;
    sigaltstack(&stack, NULL);
  }
  for (size_t i = 0; i < sizeof crash_signals / sizeof crash_signals[0]; i++) sigaction(crash_signals[i], &action, &previous[i]);
}

void platform_remove_crash_handlers(void) {
  if (saved_fd < 0) return;
  for (size_t i = 0; i < sizeof crash_signals / sizeof crash_signals[0]; i++) sigaction(crash_signals[i], &previous[i], NULL);
  saved_fd = -1;
}

int platform_window_size(int fd, int *columns, int *rows) {
  struct winsize size;
  if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return -1;
  *columns = size.ws_col;
  *rows = size.ws_row;
  return 0;
}

int platform_utc_offset(int64_t seconds) {
  time_t when = (time_t)seconds;
  struct tm local;
  return localtime_r(&when, &local) ? (int)local.tm_gmtoff : 0;
}

int64_t platform_wall_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

uint64_t platform_monotonic_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int platform_realtime_thread(void) {
  struct sched_param p = {.sched_priority = 5};
  return pthread_setschedparam(pthread_self(), SCHED_FIFO, &p);
}
