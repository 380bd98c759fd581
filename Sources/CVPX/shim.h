// Inline wrappers for libvpx's macros, its variadic control call and the union of its packets.
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
/* The encoder is for tests and benchmarks: the phone itself never encodes video. */
static inline vpx_codec_err_t vpxs_vp8_enc_default(vpx_codec_enc_cfg_t *cfg) {
  return vpx_codec_enc_config_default(vpx_codec_vp8_cx(), cfg, 0);
}
static inline vpx_codec_err_t vpxs_vp8_enc_init(vpx_codec_ctx_t *c, const vpx_codec_enc_cfg_t *cfg) {
  return vpx_codec_enc_init(c, vpx_codec_vp8_cx(), cfg, 0);
}
static inline vpx_codec_err_t vpxs_set(vpx_codec_ctx_t *c, int control, int value) { return vpx_codec_control_(c, control, value); }
static inline const void *vpxs_frame(const vpx_codec_cx_pkt_t *p, size_t *length, int *is_key) {
  if (p->kind != VPX_CODEC_CX_FRAME_PKT) return 0;
  *length = p->data.frame.sz;
  *is_key = (p->data.frame.flags & VPX_FRAME_IS_KEY) != 0;
  return p->data.frame.buf;
}
static inline unsigned char *vpxs_plane(const vpx_image_t *i, int plane) { return i->planes[plane]; }
static inline int vpxs_stride(const vpx_image_t *i, int plane) { return i->stride[plane]; }
#endif
