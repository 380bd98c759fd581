#ifndef SIDETONE_CQRENCODE_H
#define SIDETONE_CQRENCODE_H
#include <qrencode.h>
#endif
