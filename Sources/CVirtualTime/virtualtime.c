#include "virtualtime.h"
#include <sys/time.h>
#include <time.h>

static _Thread_local uint64_t now_us;
static _Thread_local uint64_t reads;

void virtual_time_set(uint64_t microseconds) { now_us = microseconds; }
uint64_t virtual_time_reads(void) { return reads; }

int gettimeofday(struct timeval *restrict tv, void *restrict tz) {
  (void)tz;
  if (now_us != 0) {
    reads++;
    tv->tv_sec = (time_t)(now_us / 1000000);
    tv->tv_usec = (suseconds_t)(now_us % 1000000);
    return 0;
  }
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  tv->tv_sec = t.tv_sec;
  tv->tv_usec = t.tv_nsec / 1000;
  return 0;
}
