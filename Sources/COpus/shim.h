// The variadic control functions of libopus, one wrapper for each shape of argument.
#ifndef SIDETONE_COPUS_H
#define SIDETONE_COPUS_H
#include <opus.h>
static inline int opus_enc_set(OpusEncoder *e, int request, opus_int32 v) { return opus_encoder_ctl(e, request, v); }
static inline int opus_enc_get(OpusEncoder *e, int request, opus_int32 *v) { return opus_encoder_ctl(e, request, v); }
static inline int opus_enc_reset(OpusEncoder *e) { return opus_encoder_ctl(e, OPUS_RESET_STATE); }
static inline int opus_dec_get(OpusDecoder *d, int request, opus_int32 *v) { return opus_decoder_ctl(d, request, v); }
static inline int opus_dec_reset(OpusDecoder *d) { return opus_decoder_ctl(d, OPUS_RESET_STATE); }
#endif
