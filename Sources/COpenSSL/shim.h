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
static inline void ossl_ctx_no_encrypt_then_mac(SSL_CTX *c) { (void)SSL_CTX_set_options(c, SSL_OP_NO_ENCRYPT_THEN_MAC); }
static inline void ossl_set_mtu(SSL *s, long mtu) { (void)SSL_set_mtu(s, mtu); }
static inline int64_t ossl_dtls_timeout_us(SSL *s) {
  struct timeval t = {0, 0};
  return DTLSv1_get_timeout(s, &t) == 1 ? (int64_t)t.tv_sec * 1000000 + t.tv_usec : -1;
}
static inline int ossl_dtls_handle_timeout(SSL *s) { return (int)DTLSv1_handle_timeout(s); }
static inline EVP_PKEY *ossl_p256(void) { return EVP_EC_gen("P-256"); }
static inline int ossl_ctx_cipher_count(const SSL_CTX *c) { return sk_SSL_CIPHER_num(SSL_CTX_get_ciphers(c)); }
static inline const SSL_CIPHER *ossl_ctx_cipher(const SSL_CTX *c, int i) { return sk_SSL_CIPHER_value(SSL_CTX_get_ciphers(c), i); }
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
static inline int ossl_set_ex_self(SSL *s, void *p) { return SSL_set_app_data(s, p); }
static inline void *ossl_ex_self(const SSL *s) { return SSL_get_app_data(s); }
static inline int ossl_ctx_add1_chain_certificate(SSL_CTX *c, X509 *x) { return (int)SSL_CTX_add1_chain_cert(c, x); }
static inline int ossl_names_count(const void *names) { return sk_GENERAL_NAME_num((const GENERAL_NAMES *)names); }
static inline GENERAL_NAME *ossl_names_at(const void *names, int i) { return sk_GENERAL_NAME_value((const GENERAL_NAMES *)names, i); }
static inline void ossl_names_free(void *names) { GENERAL_NAMES_free((GENERAL_NAMES *)names); }
static inline int ossl_ciphers_count(const STACK_OF(SSL_CIPHER) *list) { return sk_SSL_CIPHER_num(list); }
static inline const SSL_CIPHER *ossl_ciphers_at(const STACK_OF(SSL_CIPHER) *list, int i) { return sk_SSL_CIPHER_value(list, i); }
/// Subject alternative names, e.g. "IP:192.0.2.1,DNS:phone.example".
static inline int ossl_add_names(X509 *x, const char *names) {
  X509V3_CTX ctx;
  X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
  X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_alt_name, names);
  int done = e && X509_add_ext(x, e, -1) == 1;
  X509_EXTENSION_free(e);
  return done;
}
/// Year, month and day (UTC) of a certificate's time; 0 when it is malformed.
static inline int ossl_time_day(const ASN1_TIME *t, int *year, int *month, int *day) {
  struct tm out;
  if (!t || ASN1_TIME_to_tm(t, &out) != 1) return 0;
  *year = out.tm_year + 1900, *month = out.tm_mon + 1, *day = out.tm_mday;
  return 1;
}
#endif
