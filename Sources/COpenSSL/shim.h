// Inline wrappers for the macros and variadic functions of OpenSSL that Swift cannot import.
#ifndef SIDETONE_COPENSSL_H
#define SIDETONE_COPENSSL_H
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/srtp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdint.h>
#include <sys/time.h>
static inline int ossl_ctx_set_min_version(SSL_CTX *c, int v) { return (int)SSL_CTX_set_min_proto_version(c, v); }
static inline int ossl_ctx_set_max_version(SSL_CTX *c, int v) { return (int)SSL_CTX_set_max_proto_version(c, v); }
static inline int ossl_ctx_set_groups(SSL_CTX *c, const char *g) { return (int)SSL_CTX_set1_groups_list(c, g); }
static inline void ossl_ctx_set_read_ahead(SSL_CTX *c) { (void)SSL_CTX_set_read_ahead(c, 1); }
static inline void ossl_ctx_no_query_mtu(SSL_CTX *c) { (void)SSL_CTX_set_options(c, SSL_OP_NO_QUERY_MTU); }
static inline void ossl_ctx_no_renegotiation(SSL_CTX *c) { (void)SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION); }
static inline void ossl_set_mtu(SSL *s, long mtu) { (void)SSL_set_mtu(s, mtu); }
static inline int64_t ossl_dtls_timeout_us(SSL *s) {
  struct timeval t = {0, 0};
  return DTLSv1_get_timeout(s, &t) == 1 ? (int64_t)t.tv_sec * 1000000 + t.tv_usec : -1;
}
static inline int ossl_dtls_handle_timeout(SSL *s) { return (int)DTLSv1_handle_timeout(s); }
static inline EVP_PKEY *ossl_p256(void) { return EVP_EC_gen("P-256"); }
static inline void ossl_bio_set_retry_read(BIO *b) { BIO_set_retry_read(b); }
static inline void ossl_bio_clear_retry(BIO *b) { BIO_clear_retry_flags(b); }
static inline long ossl_bio_mem_data(BIO *b, char **p) { return BIO_get_mem_data(b, p); }
static inline int ossl_set_tlsext_host_name(SSL *s, const char *n) { return (int)SSL_set_tlsext_host_name(s, n); }
static inline void ossl_free(void *p) { OPENSSL_free(p); }
static inline void ossl_ctx_no_session_reuse(SSL_CTX *c) {
  (void)SSL_CTX_set_options(c, SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
  (void)SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
}
static inline void ossl_ctx_set_max_cert_list(SSL_CTX *c, long bytes) { (void)SSL_CTX_set_max_cert_list(c, bytes); }
#endif
