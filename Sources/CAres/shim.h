#ifndef SIDETONE_CARES_H
#define SIDETONE_CARES_H
#include <ares.h>
#include <arpa/nameser.h>
#include <netdb.h>
#endif
