// alsa-lib as it is; its error text, which goes to standard error by default, is made silent here (a variadic handler).
#ifndef SIDETONE_CALSA_H
#define SIDETONE_CALSA_H
#include <alsa/asoundlib.h>
static void calsa_no_text(const char *file, int line, const char *function, int err, const char *fmt, ...) {
  (void)file, (void)line, (void)function, (void)err, (void)fmt;
}
static inline void calsa_silence(void) { snd_lib_error_set_handler(calsa_no_text); }
#endif
