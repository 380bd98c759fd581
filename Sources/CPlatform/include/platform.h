// What Swift's Glibc module lacks: eventfd, signalfd, and handlers that give the terminal back after a crash.
#ifndef SIDETONE_PLATFORM_H
#define SIDETONE_PLATFORM_H
#include <stdint.h>
#include <sys/types.h>

/// A non-blocking, close-on-exec eventfd, or -1.
int platform_eventfd(void);
/// Adds one to an eventfd. Async-signal-safe, never blocks.
void platform_eventfd_signal(int fd);
/// Takes the eventfd's count to zero and returns it.
uint64_t platform_eventfd_drain(int fd);

/// Blocks INT, TERM, HUP, WINCH, CONT and CHLD is left alone; returns a non-blocking signalfd for them, or -1.
/// To be called on the main thread before any thread starts.
int platform_signalfd(void);
/// The next pending signal number of the signalfd, or 0.
int platform_signalfd_next(int fd);

/// The size of the terminal behind `fd` in character cells; 0 when known.
int platform_window_size(int fd, int *columns, int *rows);

/// Local time minus UTC in seconds at the given seconds since 1970.
int platform_utc_offset(int64_t seconds);
/// Milliseconds since 1970 UTC.
int64_t platform_wall_ms(void);

/// Saves the terminal's state of `fd` and installs handlers on SEGV, ILL, TRAP, ABRT, BUS, FPE and QUIT that write
/// `restore` (terminal escape codes) and the saved state back, then end the process by that signal. All but QUIT, which somebody sent,
/// leave `words` on the terminal. Both texts are copied, 1024 bytes at most. Also works after a stack overflow of the calling thread.
void platform_install_crash_handlers(int fd, const char *restore, const char *words);
void platform_remove_crash_handlers(void);

/// Seconds and nanoseconds of CLOCK_MONOTONIC as nanoseconds.
uint64_t platform_monotonic_ns(void);
/// Asks for SCHED_FIFO with a low priority on this thread; 0 when granted.
int platform_realtime_thread(void);
#endif
