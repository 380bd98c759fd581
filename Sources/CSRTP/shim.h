#ifndef SIDETONE_CSRTP_H
#define SIDETONE_CSRTP_H
#include <srtp2/srtp.h>
#endif
