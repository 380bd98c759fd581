#ifndef SIDETONE_CSRTP_H
#define SIDETONE_CSRTP_H
#include <dlfcn.h>
#include <srtp2/srtp.h>

/// Where libsrtp2 is built on NSS it loads NSS for the first cipher and unloads it with the last, at each of its self-tests and at
/// each call's first and last session. One reference of our own keeps it loaded. Elsewhere the function is absent and this does nothing.
static inline void srtp_keep_crypto(void) {
    int (*keep)(const char *) = (int (*)(const char *))dlsym((void *)0, "NSS_NoDB_Init");
    if (keep) (void)keep(".");
}
#endif
