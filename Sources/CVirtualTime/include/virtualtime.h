// The clock that libssl sees in tests: `gettimeofday` is defined here and returns a thread-local value once one is set.
// Linked into test programs only.
#ifndef SIDETONE_VIRTUALTIME_H
#define SIDETONE_VIRTUALTIME_H
#include <stdint.h>
/// From now on `gettimeofday` on this thread returns this many microseconds. 0 goes back to the real clock.
void virtual_time_set(uint64_t microseconds);
/// How often this thread read the virtual clock: proof that the override is linked.
uint64_t virtual_time_reads(void);
#endif
