#ifndef SIDETONE_CVPX_H
#define SIDETONE_CVPX_H
#include <vpx/vp8cx.h>
#include <vpx/vp8dx.h>
#include <vpx/vpx_decoder.h>
#include <vpx/vpx_encoder.h>
static inline vpx_codec_err_t vpxs_vp8_dec_init(vpx_codec_ctx_t *c, unsigned threads, vpx_codec_flags_t f) {
  vpx_codec_dec_cfg_t cfg = {threads, 0, 0};
  return vpx_codec_dec_init(c, vpx_codec_vp8_dx(), &cfg, f);
}
#endif
